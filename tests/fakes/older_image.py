"""Stands in for the image `chatterbox-tts:v1.1.0`: FastAPI's manners, a whole WAV, one request at a time.

    API_KEY=… HOST=… PORT=… PORT_FILE=… python -m tests.fakes.older_image

serves in a process of its own until SIGTERM, and writes its port to the file once it does.
"""

from __future__ import annotations

import io
import json
import math
import os
import signal
import struct
import threading
import wave
from pathlib import Path
from urllib.parse import urlsplit

from tests.fakes.loopback import Handler, Loopback

SAMPLE_RATE = 24_000
CHARACTERS_PER_SECOND = 15


class OlderImage(Loopback):
    """Ready at once. Clearing `may_answer` holds answers back; `overlaps` counts requests refused as busy."""

    def __init__(self, *, api_key: str = "", host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(_Handler, host, port)
        self.api_key = api_key
        self.loading_seconds: float | None = None
        self.breaks_off = False
        self.texts: list[str] = []
        self.overlaps = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.busy = threading.Lock()

    def release(self) -> None:
        self.may_answer.set()


class _Handler(Handler[OlderImage]):
    protocol_version = "HTTP/1.1"

    def get(self) -> None:
        loading = self.owner.loading_seconds
        if self.path == "/health":
            self.answer_json(200, {"status": "ok", "model": "chatterbox", "device": "cuda"})
        elif self.path != "/ready":
            self.answer_json(404, {"detail": "Not Found"})
        elif loading is not None:
            self.answer_json(503, {"detail": {"status": "loading", "loading_time_seconds": loading}})
        else:
            self.answer_json(200, {"ready": True})

    def post(self) -> None:
        image, body = self.owner, self.body()
        if self.path != "/generate":
            return self.answer_json(404, {"detail": "Not Found"})
        if image.api_key and self.headers.get("X-API-Key") != image.api_key:
            return self.answer_json(401, {"detail": "Invalid API key"})
        text = json.loads(body).get("text")
        if not isinstance(text, str) or not text.strip():
            return self.answer_json(422, {"detail": [{"loc": ["body", "text"], "msg": "field required"}]})
        image.texts.append(text)
        if not image.busy.acquire(blocking=False):
            image.overlaps += 1
            return self.answer_json(503, {"detail": "Busy"})
        try:
            image.may_answer.wait()
            audio = spoken(text)
            self.head(200, len(audio), "audio/wav")
            self.wfile.write(audio[: len(audio) // 2] if image.breaks_off else audio)
            self.close_connection = image.breaks_off
        finally:
            image.busy.release()
        return None


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


def main() -> None:
    is_over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_over.set())
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])
    with OlderImage(api_key=os.environ["API_KEY"], host=host, port=port) as image:
        told = Path(os.environ["PORT_FILE"])
        part = told.with_suffix(".part")
        part.write_text(str(urlsplit(image.url).port))
        part.rename(told)
        is_over.wait()


if __name__ == "__main__":
    main()
