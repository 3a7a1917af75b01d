"""Requests that come late, in parts, encoded, broken or not to their end."""

from __future__ import annotations

import gzip
import json
import socket
import time

import httpx
import pytest

from tests.gpu_worker.raw import connected, head, parsed, read_one, read_to_end
from tests.gpu_worker.worker_process import WorkerProcess

JSON = "application/json"
BODY = json.dumps({"text": "Hello."}).encode()


def test_a_body_that_comes_byte_by_byte_is_read(worker: WorkerProcess) -> None:
    with connected(worker.url) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head(Content_Type=JSON, Content_Length=len(BODY), Connection="close"))
        for byte in BODY:
            connection.sendall(bytes([byte]))
        answer = parsed(read_to_end(connection))
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/wav")


def test_a_body_in_chunks_is_read(worker: WorkerProcess) -> None:
    with connected(worker.url) as connection:
        connection.sendall(head(Content_Type=JSON, Transfer_Encoding="chunked", Connection="close"))
        for part in (BODY[:5], BODY[5:]):
            connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        assert parsed(read_to_end(connection)).status == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_an_encoded_body_is_refused_before_it_is_read(worker: WorkerProcess, encoding: str) -> None:
    headers = {"Content-Type": JSON, "Content-Encoding": encoding}
    response = httpx.post(f"{worker.url}/generate", content=gzip.compress(BODY), headers=headers)
    assert response.status_code == 415
    assert "Content-Encoding" in response.json()["error"]["message"]


def test_identity_is_no_encoding(worker: WorkerProcess) -> None:
    headers = {"Content-Type": JSON, "Content-Encoding": "identity"}
    assert httpx.post(f"{worker.url}/generate", content=BODY, headers=headers).status_code == 200


def test_a_declared_size_that_is_too_large_is_refused_before_the_body(worker: WorkerProcess) -> None:
    with connected(worker.url) as connection:
        connection.sendall(head(Content_Type=JSON, Content_Length=10**9))
        answer = read_one(connection)
    assert (answer.status, answer.error["code"]) == (413, "too_large")


def test_a_caller_that_waits_for_a_go_is_given_it_or_refused(worker: WorkerProcess) -> None:
    for size, first in ((len(BODY), b"HTTP/1.1 100"), (10**9, b"HTTP/1.1 413")):
        with connected(worker.url) as connection:
            connection.sendall(head(Content_Type=JSON, Content_Length=size, Expect="100-continue"))
            assert connection.recv(12) == first


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / FTP/1.0\r\n\r\n",
        b"POST /generate\r\n\r\n",
        b"POST /generate HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /generate HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /generate HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /generate HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"POST /generate HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000,
        head(Content_Type=JSON, Transfer_Encoding="chunked") + b"zz\r\n",
        head("/cancel/req_1", Transfer_Encoding="chunked") + b"zz\r\n",
    ],
)
def test_what_is_not_http_is_refused_in_the_usual_shape(worker: WorkerProcess, data: bytes) -> None:
    with connected(worker.url) as connection:
        connection.sendall(data)
        answer = parsed(read_to_end(connection))
    assert (answer.status, answer.error["code"], answer.headers["connection"]) == (400, "invalid", "close")


def test_garbage_after_a_refusal_ends_the_connection(worker: WorkerProcess) -> None:
    with connected(worker.url) as connection:
        connection.sendall(head("/nothing", Transfer_Encoding="chunked"))
        assert read_one(connection).status == 404
        connection.sendall(b"zz\r\n")
        assert read_to_end(connection) == b""


def test_requests_in_a_row_on_one_connection_are_answered_in_order(worker: WorkerProcess) -> None:
    with connected(worker.url) as connection:
        connection.sendall(head("/health", "GET") * 3 + head("/nothing", "GET", Connection="close"))
        data = read_to_end(connection)
    assert [part[:3] for part in data.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"200", b"404"]


@pytest.mark.parametrize("how", ["half", "whole", "abort"])
def test_a_caller_that_leaves_amid_its_body_is_no_fault(worker: WorkerProcess, how: str) -> None:
    request_id = f"req_left_{how}"
    with connected(worker.url) as connection:
        connection.sendall(head(Content_Type=JSON, Content_Length=100, X_Request_Id=request_id) + BODY)
        time.sleep(0.05)
        if how == "half":
            connection.shutdown(socket.SHUT_WR)
            assert read_to_end(connection) == b""
        elif how == "abort":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert worker.log_of(request_id)[0]["outcome"] == "cancelled"


@pytest.mark.slow
def test_a_body_that_dribbles_is_refused_in_time(worker: WorkerProcess) -> None:
    with connected(worker.url) as connection:
        connection.sendall(head(Content_Type=JSON, Content_Length=1000))
        connection.settimeout(1)
        started_at = time.monotonic()
        answer = None
        while answer is None:
            connection.sendall(b" ")
            try:
                answer = read_one(connection)
            except TimeoutError:
                assert time.monotonic() - started_at < 20
        assert (answer.status, answer.error["code"]) == (408, "request_timeout")
        assert answer.headers["connection"] == "close"


@pytest.mark.slow
def test_a_head_that_dribbles_is_refused_in_time(worker: WorkerProcess) -> None:
    with connected(worker.url) as connection:
        connection.sendall(b"POST /generate HTTP/1.1\r\n")
        connection.settimeout(1)
        started_at = time.monotonic()
        answer = None
        while answer is None:
            connection.sendall(b"X: 1\r\n")
            try:
                answer = read_one(connection)
            except TimeoutError:
                assert time.monotonic() - started_at < 20
    assert (answer.status, answer.error["code"]) == (408, "request_timeout")


@pytest.mark.slow
@pytest.mark.parametrize("before", [b"", head("/health", "GET")])
def test_a_connection_without_a_request_is_closed(worker: WorkerProcess, before: bytes) -> None:
    with connected(worker.url) as connection:
        connection.sendall(before)
        connection.settimeout(20)
        assert read_to_end(connection).count(b"HTTP/1.1") == before.count(b"HTTP/1.1")


@pytest.mark.slow
def test_a_refused_body_that_goes_on_is_not_read_for_ever(worker: WorkerProcess) -> None:
    with connected(worker.url) as connection:
        connection.sendall(head(Content_Type="text/plain", Content_Length=10**6))
        assert read_one(connection).status == 415
        connection.settimeout(1)
        ended = False
        for _ in range(20):
            try:
                connection.sendall(b"x")
                ended = connection.recv(1) == b""
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                ended = True
            if ended:
                break
    assert ended
