"""Stands in for the image `chatterbox-tts:v1.1.0`: FastAPI's manners, a whole WAV, one request at a time."""

from __future__ import annotations

import io
import json
import math
import struct
import threading
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

SAMPLE_RATE = 24_000
CHARACTERS_PER_SECOND = 15


class OlderImage:
    """Ready at once. Clearing `may_answer` holds answers back; `overlaps` counts requests refused as busy."""

    def __init__(self, *, api_key: str = "") -> None:
        self.api_key = api_key
        self.loading_seconds: float | None = None
        self.breaks_off = False
        self.texts: list[str] = []
        self.overlaps = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.busy = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.image = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    image: OlderImage

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that left is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        loading = self.server.image.loading_seconds
        if self.path == "/health":
            self._json(200, {"status": "ok", "model": "chatterbox", "device": "cuda"})
        elif self.path != "/ready":
            self._json(404, {"detail": "Not Found"})
        elif loading is not None:
            self._json(503, {"detail": {"status": "loading", "loading_time_seconds": loading}})
        else:
            self._json(200, {"ready": True})

    def do_POST(self) -> None:
        image = self.server.image
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path != "/generate":
            return self._json(404, {"detail": "Not Found"})
        if image.api_key and self.headers.get("X-API-Key") != image.api_key:
            return self._json(401, {"detail": "Invalid API key"})
        text = json.loads(body).get("text")
        if not isinstance(text, str) or not text.strip():
            return self._json(422, {"detail": [{"loc": ["body", "text"], "msg": "field required"}]})
        image.texts.append(text)
        if not image.busy.acquire(blocking=False):
            image.overlaps += 1
            return self._json(503, {"detail": "Busy"})
        try:
            image.may_answer.wait()
            audio = spoken(text)
            self._head(200, "audio/wav", len(audio))
            self.wfile.write(audio[: len(audio) // 2] if image.breaks_off else audio)
            self.close_connection = image.breaks_off
        finally:
            image.busy.release()
        return None

    def _json(self, status: int, answer: object) -> None:
        payload = json.dumps(answer).encode()
        self._head(status, "application/json", len(payload))
        self.wfile.write(payload)

    def _head(self, status: int, content_type: str, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


def spoken(text: str) -> bytes:
    """A WAV of a tone as long as the text."""
    count = max(1, len(text) * SAMPLE_RATE // CHARACTERS_PER_SECOND)
    samples = (round(8000 * math.sin(2 * math.pi * 220 * at / SAMPLE_RATE)) for at in range(count))
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(SAMPLE_RATE)
        audio.writeframes(struct.pack(f"<{count}h", *samples))
    return file.getvalue()
