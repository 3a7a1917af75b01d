"""Requests that no honest client sends, made from a seed: what goes over the socket, and how it ends."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Final, Literal

from gpu_worker.protocol import MAX_REQUEST_BYTES, STREAM_MEDIA_TYPE, SpeechRequest

Ending = Literal["read", "half_close", "close", "abort"]
ENDINGS: Final[tuple[Ending, ...]] = ("half_close", "close", "abort")
FIELDS: Final = tuple(field.name for field in fields(SpeechRequest))
FORMATS: Final = ("wav", "pcm", "mp3", "opus", "aac", "flac", "mulaw", "alaw")
PATHS: Final = ("/generate", "/normalize", "/cancel/x", "/voices", "/ready", "/metrics", "/health", "/docs")
ATOMS: Final = (
    *("", " ", "\x00", "\ufeff", "\u202e", "\u0000\u0001", "\U0010ffff", "\u0301" * 40, "\u200d", "\n\r\t"),
    *("😀", "你好", "مرحبا", "שלום", "a", "Hello.", "...", "!?", "[laugh]", "[pause:0.1s]", "[pause:99999s]"),
    *("[pause:-1s]", "[", "]", "[[", "`code`", "**b**", "$1,234.56", "1/0", "99999999999999999999", "1e400"),
    *(
        "12:99",
        "31/31/9999",
        "MMXXVI",
        "Dr.",
        "https://a.b/?c=d#e",
        "x@y.z",
        "::1",
        "1.2.3.4.5",
        "½",
        "⑴",
        "٣",
    ),
    *("-" * 30, "%s%n", "../../etc/passwd", "<script>", "'; --", "\\u0000", "ﷺ", "ǅ", "ß" * 20, "#" * 9),
)


@dataclass(frozen=True, slots=True)
class Case:
    """Bytes for one connection, in portions, and what the client does after the last of them."""

    number: int
    kind: str
    portions: tuple[bytes, ...]
    ending: Ending


def cases(seed: int, count: int) -> list[Case]:
    """The same for the same seed."""
    return [_case(random.Random(f"{seed}:{number}"), number) for number in range(count)]


def _case(rng: random.Random, number: int) -> Case:
    kind = rng.choice(list(_KINDS))
    data = _KINDS[kind](rng)
    ending: Ending = "read"
    if kind == "leaving":
        ending = rng.choice(ENDINGS)
    return Case(number, kind, _cut(rng, data), ending)


def _fields(rng: random.Random) -> bytes:
    """Right and wrong fields, with values of every type."""
    body: dict[str, Any] = {"text": _text(rng, 3)}
    for _ in range(rng.randint(1, 4)):
        name = rng.choice((*FIELDS, "input", "", "\ud800", "x" * 5000))
        body[name] = _value(rng)
    return _posted(rng, "/generate", body)


def _texts(rng: random.Random) -> bytes:
    """Texts of anything, in every format."""
    body: dict[str, Any] = {"text": _text(rng, 6), "format": rng.choice(FORMATS)}
    if rng.random() < 0.5:
        body["stream"] = True
    return _posted(rng, "/generate", body)


def _normalized(rng: random.Random) -> bytes:
    return _posted(rng, "/normalize", {"text": _text(rng, rng.choice((3, 300)))})


def _long(rng: random.Random) -> bytes:
    """As long as a request may be, and longer, with little time for it."""
    text = (_text(rng, 5) or "a") * 10_000
    length = rng.choice((9_999, 10_000, 10_001, 60_000))
    return _posted(rng, "/generate", {"text": text[:length], "deadline_ms": rng.randint(1, 100)})


def _bytes(rng: random.Random) -> bytes:
    """Bodies that are not JSON."""
    good = json.dumps({"text": "Hello."}).encode()
    body = rng.choice(
        (
            rng.randbytes(rng.randint(0, 400)),
            good[: rng.randint(0, len(good))],
            good.decode().encode("utf-16"),
            b"[" * rng.randint(1, 100_000),
            b'{"text":' * rng.randint(1, 20_000),
            b'{"text": "Hello.", "seed": ' + b"9" * rng.randint(1, 9000) + b"}",
            b'{"text": "Hello.", "speed": 1e999}',
            b"\xff" * 50,
            b" " * (MAX_REQUEST_BYTES + rng.randint(0, 5000)),
        )
    )
    return _head(rng, "/generate", {"Content-Type": "application/json", "Content-Length": len(body)}) + body


def _multipart(rng: random.Random) -> bytes:
    """Forms that are broken, and recordings that are none."""
    audio = rng.choice(
        (
            rng.randbytes(2000),
            b"RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + rng.randbytes(30),
            b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + rng.randbytes(500),
            b"OggS" + rng.randbytes(300),
            b"fLaC" + rng.randbytes(300),
            b"\x1aE\xdf\xa3" + rng.randbytes(300),
            b"#EXTM3U\nhttp://127.0.0.1/\n",
            b"",
        )
    )
    request = json.dumps({"text": "Hello.", "voice": "0" * 64, "consent": _text(rng, 1) or "x"}).encode()
    boundary = rng.choice(("b", "b" * 70, "b" * 300, ""))
    names = rng.choice((("request", "reference"), ("reference", "request"), ("a", "b"), ("request",) * 9))
    parts = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (boundary.encode(), name.encode(), request if name == "request" else audio)
        for name in names
    )
    body = parts + rng.choice((b"--%s--\r\n" % boundary.encode(), b"", b"--", rng.randbytes(50)))
    content_type = rng.choice(("multipart/form-data", "multipart/form-data; boundary=" + boundary))
    return _head(rng, "/generate", {"Content-Type": content_type, "Content-Length": len(body)}) + body


def _chunked(rng: random.Random) -> bytes:
    """Chunks whose sizes are right, wrong or no sizes."""
    body = json.dumps({"text": "Hello."}).encode()
    size = rng.choice((b"%x" % len(body), b"zz", b"-1", b"fffffffffffffffff", b"", b"1;" + b"x" * 5000, b"0"))
    end = rng.choice((b"\r\n0\r\n\r\n", b"\r\n0\r\nX: 1\r\n\r\n", b"0", b"\n\n", rng.randbytes(9)))
    path = rng.choice(("/generate", "/normalize", "/cancel/x", "/nothing"))
    head = _head(rng, path, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    return head + size + b"\r\n" + body + end


def _lines(rng: random.Random) -> bytes:
    """Methods, paths and versions of all sorts."""
    method = rng.choice(
        ("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "X" * 999)
    )
    path = rng.choice(
        (*PATHS, "/", "//", "*", "http://a/generate", "/%00", "/%ff", "/voices/" + "g" * 64, "/..")
    )
    version = rng.choice(("HTTP/1.1", "HTTP/1.0", "HTTP/2", "HTTP/0.9", "", "\x00"))
    host = rng.choice(("Host: worker\r\n", "", "Host: a\r\nHost: b\r\n"))
    return f"{method} {path} {version}\r\n{host}Connection: close\r\n\r\n".encode("latin-1")


def _headers(rng: random.Random) -> bytes:
    """Heads that are hostile around a body that is not."""
    body = json.dumps({"text": "Hi."}).encode()
    hostile = rng.choice(
        (
            {"X-Request-Id": rng.choice(("", "é" * 5, "x" * 300, "a b"))},
            {"X-Tenant": rng.choice(("", "é", "x" * 300, "\x7f"))},
            {"Authorization": rng.choice(("Bearer", "Bearer  ", "Basic e30=", "é"))},
            {"Accept": STREAM_MEDIA_TYPE * rng.randint(1, 50)},
            {"Content-Type": rng.choice(("", "é", "application/json;" * 50, "a/b; boundary=" + "x" * 999))},
            {"Content-Encoding": rng.choice(("gzip", "é", "identity, identity"))},
            {"Content-Length": rng.choice((-1, "1e3", "9" * 30, 0, 5, 10**12))},
            {"Expect": rng.choice(("100-continue", "a miracle"))},
            {"Upgrade": "websocket", "Connection": "Upgrade"},
            {f"X-{number}": "x" * 500 for number in range(rng.choice((5, 60, 300)))},
        )
    )
    given: dict[str, object] = {"Content-Type": "application/json", "Content-Length": len(body)}
    return _head(rng, "/generate", given | hostile) + body


def _pipelined(rng: random.Random) -> bytes:
    """Several requests at once, and perhaps garbage behind them."""
    parts = [
        rng.choice(
            (
                _head(rng, "/health", {"Connection": "keep-alive"}, "GET"),
                _head(rng, "/nothing", {}, "GET"),
                _posted(rng, "/generate", {"text": "Hi."}),
                _posted(rng, "/generate", {"text": 1}),
            )
        )
        for _ in range(rng.randint(2, 6))
    ]
    return b"".join(parts) + rng.choice((b"", rng.randbytes(40), b"GET"))


def _leaving(rng: random.Random) -> bytes:
    """A good request, whole or not, whose sender then goes away."""
    body: dict[str, Any] = {"text": "These words are not heard to their end. " * rng.randint(1, 8)}
    body["stream"] = rng.random() < 0.5
    data = _posted(rng, "/generate", body)
    return data if rng.random() < 0.6 else data[: rng.randint(1, len(data))]


_KINDS: Final[dict[str, Callable[[random.Random], bytes]]] = {
    "fields": _fields,
    "texts": _texts,
    "normalized": _normalized,
    "long": _long,
    "bytes": _bytes,
    "multipart": _multipart,
    "chunked": _chunked,
    "lines": _lines,
    "headers": _headers,
    "pipelined": _pipelined,
    "leaving": _leaving,
}


def _text(rng: random.Random, most: int) -> str:
    return rng.choice(("", " ")).join(rng.choice(ATOMS) for _ in range(rng.randint(0, most)))


def _value(rng: random.Random) -> Any:
    return rng.choice(
        (
            *(
                None,
                True,
                False,
                0,
                -1,
                1,
                2**31,
                2**63,
                10**400,
                0.5,
                -0.0,
                1e308,
                float("nan"),
                float("inf"),
            ),
            *("", "word", "\ud800", "\x00", "x" * 9000, "0" * 64, "en", "mp3", "wav", "auto"),
            *([], [[[[]]]], {}, {"a": {"b": []}}, [1] * 1000, _text(rng, 3)),
        )
    )


def _posted(rng: random.Random, path: str, body: object) -> bytes:
    data = json.dumps(body, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    return _head(rng, path, {"Content-Type": "application/json", "Content-Length": len(data)}) + data


def _head(rng: random.Random, path: str, headers: dict[str, Any], method: str = "POST") -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: worker",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if rng.random() < 0.2:
        lines.append(f"Accept: {STREAM_MEDIA_TYPE}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def _cut(rng: random.Random, data: bytes) -> tuple[bytes, ...]:
    """Usually one portion, sometimes some."""
    if rng.random() < 0.8 or len(data) < 3:
        return (data,)
    marks = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(3))})
    return tuple(data[start:stop] for start, stop in pairwise(marks))
