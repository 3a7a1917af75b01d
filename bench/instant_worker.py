"""`python -m bench.instant_worker PORT_FILE`: a speech worker that answers at once, whatever is asked.

One second of silence, framed for the platform and as a WAV for everybody else, prepared beforehand: what a
request costs beyond this is the gateway's doing. The model `paced` takes its time instead: an open stream, a
frame every quarter of a second.
"""

from __future__ import annotations

import asyncio
import json
import sys
from http import HTTPStatus
from pathlib import Path

from gpu_worker import __version__
from gpu_worker.audio import wav_header
from gpu_worker.process import write_atomically
from gpu_worker.protocol import (
    PROTOCOL,
    REQUEST_ID_HEADER,
    STREAM_MEDIA_TYPE,
    Audio,
    End,
    Mark,
    Readiness,
    Start,
)

MODEL = "instant"
PACED_MODEL = "paced"
PACED_FRAMES = 48
PACED_SECONDS = 0.25
VOICE = "silence"
SAMPLE_RATE = 24_000
AUDIO_MS = 1000
PCM = bytes(SAMPLE_RATE * 2 * AUDIO_MS // 1000)
_FRAME_BYTES = 8192  # as gpu_worker sends them
READINESS: Readiness = {
    "protocol": PROTOCOL,
    "version": __version__,
    "status": "ready",
    "engine": MODEL,
    "models": [MODEL, PACED_MODEL],
    "voices": [VOICE],
    "languages": ["en"],
    "features": [],
    "formats": ["wav", "pcm"],
    "sample_rate": SAMPLE_RATE,
    "max_batch": 1000,
    "queue": {"active": 0, "waiting": 0, "capacity": 1000, "position": 0},
}

_AUDIO = b"".join(Audio(PCM[at : at + _FRAME_BYTES]).pack() for at in range(0, len(PCM), _FRAME_BYTES))
_WHOLE = wav_header(SAMPLE_RATE, len(PCM)) + PCM
_STREAMED = wav_header(SAMPLE_RATE, None) + PCM


async def serve(port_file: Path) -> None:
    """Listens on a free port of loopback, which it writes into `port_file`, until it is cancelled."""
    server = await asyncio.start_server(_converse, "127.0.0.1", 0)
    write_atomically(port_file, f"{server.sockets[0].getsockname()[1]}\n")
    async with server:
        await server.serve_forever()


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One kept-alive connection."""
    try:
        while True:
            request_line, headers = _parsed(await reader.readuntil(b"\r\n\r\n"))
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            if _is_paced(request_line, body):
                await _pace(writer, headers, body)
                continue
            writer.write(_answer(request_line, headers, body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def _parsed(head: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return first.rpartition(" ")[0], {name.lower(): value.strip() for name, _, value in pairs}


def _answer(request_line: str, headers: dict[str, str], body: bytes) -> bytes:
    match request_line:
        case "POST /generate":
            asked = json.loads(body)
            if STREAM_MEDIA_TYPE in headers.get("accept", ""):
                request_id = headers.get(REQUEST_ID_HEADER.lower(), "")
                return _chunked(STREAM_MEDIA_TYPE, _framed(request_id, len(asked["text"])))
            if asked.get("stream"):
                return _chunked("audio/wav", _STREAMED)
            return _sized("audio/wav", _WHOLE)
        case "POST /v1/audio/speech":
            return _chunked("audio/pcm", PCM)
        case "GET /ready":
            return _sized("application/json", json.dumps(READINESS).encode())
        case "GET /health":
            return _sized("application/json", b'{"status":"ok"}')
    return _sized("application/json", b'{"error":{"code":"not_found"}}', HTTPStatus.NOT_FOUND)


def _is_paced(request_line: str, body: bytes) -> bool:
    return request_line == "POST /generate" and json.loads(body).get("model") == PACED_MODEL


async def _pace(writer: asyncio.StreamWriter, headers: dict[str, str], body: bytes) -> None:
    """A framed stream as long as a passage takes to say, its first frame at once."""
    characters = len(json.loads(body)["text"])
    request_id = headers.get(REQUEST_ID_HEADER.lower(), "")
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {STREAM_MEDIA_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    audio = Audio(PCM[: round(PACED_SECONDS * SAMPLE_RATE) * 2]).pack()
    _write_chunk(writer, Start(PROTOCOL, request_id, MODEL, PACED_MODEL, VOICE, "pcm", SAMPLE_RATE).pack())
    for number in range(1, PACED_FRAMES + 1):
        audio_ms = round(1000 * number * PACED_SECONDS)
        source_to = characters * number // PACED_FRAMES
        _write_chunk(writer, audio + Mark(audio_ms, 0, source_to).pack())
        await writer.drain()
        await asyncio.sleep(PACED_SECONDS)
    end = End(audio_ms, characters, gpu_ms=0, pieces=PACED_FRAMES, pieces_remade=0, queue_ms=0)
    _write_chunk(writer, end.pack())
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _write_chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n" % len(data) + data + b"\r\n")


def _framed(request_id: str, characters: int) -> bytes:
    start = Start(PROTOCOL, request_id, MODEL, MODEL, VOICE, "pcm", SAMPLE_RATE)
    mark = Mark(audio_ms=AUDIO_MS, source_from=0, source_to=characters)
    end = End(audio_ms=AUDIO_MS, characters=characters, gpu_ms=0, pieces=1, pieces_remade=0, queue_ms=0)
    return start.pack() + _AUDIO + mark.pack() + end.pack()


def _chunked(content_type: str, body: bytes) -> bytes:
    """One chunk, as the real worker sends what is there already."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


def _sized(content_type: str, body: bytes, status: HTTPStatus = HTTPStatus.OK) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
