"""Bodies of two parts, and everything that is not one."""

from __future__ import annotations

import json
import random
import socket

import httpx
import pytest

from tests.gpu_worker.voices.conftest import Caller, error_of, hertz_of
from tests.gpu_worker.voices.recordings import recording

DATA = recording(hertz=711)


def post(caller: Caller, body: bytes, boundary: str | None = "limit") -> httpx.Response:
    """A body as it is."""
    content_type = "multipart/form-data" + (f"; boundary={boundary}" if boundary is not None else "")
    return httpx.post(caller.url, content=body, headers={"Content-Type": content_type}, timeout=60)


def parts(*named: tuple[str, bytes]) -> bytes:
    """As browsers write them."""
    return b"".join(
        b'--limit\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), content)
        for name, content in named
    )


END = b"--limit--\r\n"


def test_the_plainest_body_of_two_parts(caller: Caller) -> None:
    request = json.dumps(caller.body(DATA)).encode()
    response = post(caller, parts(("request", request), ("reference", DATA)) + END)
    assert hertz_of(response) == pytest.approx(711, abs=2)


def test_the_request_is_judged_before_the_recording_has_come(caller: Caller) -> None:
    head = parts(("request", b'{"text": "Hello.", "voice": "%s"}' % (b"0" * 64))) + b"--limit\r\n"
    with socket.create_connection(("127.0.0.1", int(caller.worker.url.rpartition(":")[2])), 20) as connection:
        connection.sendall(
            b"POST /generate HTTP/1.1\r\nHost: worker\r\nContent-Length: 10000000\r\n"
            b"Content-Type: multipart/form-data; boundary=limit\r\n\r\n" + head
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    "named",
    [
        [],
        [("request", b"GOOD")],
        [("reference", DATA)],
        [("reference", DATA), ("request", b"GOOD")],
        [("request", b"GOOD"), ("request", b"GOOD")],
        [("request", b"GOOD"), ("voice", DATA)],
        [("request", b"GOOD"), ("reference", DATA), ("more", b"")],
        [("request", b"GOOD"), ("reference", DATA), ("reference", DATA)],
        [("request", b"{"), ("reference", DATA)],
        [("request", b"[]"), ("reference", DATA)],
        [("request", b"\xff"), ("reference", DATA)],
        [("request", b""), ("reference", DATA)],
    ],
)
def test_other_parts_are_refused(caller: Caller, named: list[tuple[str, bytes]]) -> None:
    # Not the recording of the other tests, which may be at hand so that its part goes unread.
    request = json.dumps(caller.body(b"of nobody")).encode()
    filled = [(name, request if content == b"GOOD" else content) for name, content in named]
    status, code, _ = error_of(post(caller, parts(*filled) + END))
    assert (status, code) == (400, "invalid")


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (b"", None),
        (b"", ""),
        (b"", "limit"),
        (b"x" * 1000, "limit"),
        (b"--limit\r\n", "limit"),
        (b"--limit\r\nContent-Disposition: form-data\r\n\r\n", "limit"),
        (b"--limit\r\n\r\n\r\n--limit--", "limit"),
        (b"--limit\r\n" + b"X: y\r\n" * 100 + b"\r\n", "limit"),
        (b"--limit\r\nX: " + b"y" * 100_000, "limit"),
        (b"--limit\r\n" + b"\xff: y\r\n", "limit"),
        (b"--limit--\r\n", "limit"),
        (parts(("request", b"{}"))[:-20], "limit"),
        (b"\r\n" * 50_000, "limit"),
        (b"--other\r\n", "limit"),
        (b"x", "l" * 300),
    ],
)
def test_what_is_no_multipart_is_refused(caller: Caller, body: bytes, boundary: str | None) -> None:
    status, code, _ = error_of(post(caller, body, boundary))
    assert (status, code) == (400, "invalid")


def test_too_much_is_refused(caller: Caller) -> None:
    request = json.dumps(caller.body(b"of nobody")).encode()
    long_request = parts(("request", request + b" " * 256_000), ("reference", DATA)) + END
    assert error_of(post(caller, long_request)) == (413, "too_large", None)
    long_reference = parts(("request", request), ("reference", bytes(20_000_001))) + END
    assert error_of(post(caller, long_reference)) == (413, "too_large", None)
    largest = bytes(20_000_000)
    request = json.dumps(caller.body(largest)).encode()
    assert error_of(post(caller, parts(("request", request), ("reference", largest)) + END)) == (
        400,
        "invalid",
        "reference",
    )


def test_a_recording_goes_with_no_named_voice(caller: Caller) -> None:
    response = post(caller, parts(("request", b'{"text": "Hello."}'), ("reference", DATA)) + END)
    assert error_of(response) == (400, "invalid", "voice")


@pytest.mark.slow
def test_mutated_bodies_are_answered_and_never_with_a_fault_of_the_worker(caller: Caller) -> None:
    chance = random.Random(5)
    body = parts(("request", json.dumps(caller.body(DATA)).encode()), ("reference", DATA[:3000])) + END
    for _ in range(500):
        mutated = bytearray(body)
        for _ in range(chance.choice((1, 3, 20))):
            mutated[chance.randrange(len(mutated))] = chance.choice(
                (0, 10, 13, 45, 255, chance.randrange(256))
            )
        if chance.random() < 0.3:
            del mutated[chance.randrange(len(mutated)) :]
        assert post(caller, bytes(mutated)).status_code in (200, 400, 403, 404, 409, 413)
