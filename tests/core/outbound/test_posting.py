"""What a receiver gets, and what is kept of its answer."""

from __future__ import annotations

import gzip
import socket
import threading
from typing import Any

import pytest

from apps.core.addresses import networks_of
from apps.core.outbound.answers import Problem
from apps.core.outbound.client import ClientClosedError, OutboundClient
from apps.core.outbound.client import client as process_client

from .receivers import OK, Receiver, read_request


def test_body_and_headers_arrive_as_they_are(client: OutboundClient) -> None:
    body = bytes(range(256)) * 40
    headers = {"Content-Type": "application/json", "webhook-id": "evt_1", "X-Odd": 'a\tb  c; d="e"'}
    with Receiver() as receiver:
        answer = client.post(f"{receiver.url}/hooks/%2f?b=1&a=%C3%A4", body=body, headers=headers)
    (request,) = receiver.requests
    assert request.line == "POST /hooks/%2f?b=1&a=%C3%A4 HTTP/1.1"
    assert request.body == body
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": "VoiceFlow",
        "content-length": "10240",
        "content-type": "application/json",
        "webhook-id": "evt_1",
        "x-odd": 'a\tb  c; d="e"',
    }
    assert (answer.status, answer.body, answer.is_cut) == (200, b"ok", False)
    assert (answer.problem, answer.problem_words) == ("", "")
    assert answer.address == "127.0.0.1"
    assert 0 <= answer.duration_ms < 1000


def test_a_caller_may_say_who_it_is(client: OutboundClient) -> None:
    with Receiver() as receiver:
        client.post(receiver.url, body=b"", headers={"user-agent": "Hooks/1", "Accept": "text/plain"})
    assert receiver.requests[0].headers["user-agent"] == "Hooks/1"
    assert receiver.requests[0].headers["accept"] == "text/plain"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("Host", "example.com"), ("content-length", "1"), ("Transfer-Encoding", "chunked")),
        *(("Connection", "close"), ("Expect", "100-continue"), ("", "x"), ("a b", "x"), ("a:b", "x")),
        *(("a", "x\r\nb: c"), ("a", "x\ny"), ("a", "x\x00"), ("a", "ä"), ("a\r\n", "x")),
    ],
)
def test_headers_that_would_be_another_request_are_the_callers_mistake(
    name: str, value: str, client: OutboundClient
) -> None:
    with Receiver() as receiver:
        with pytest.raises(ValueError, match="header"):
            client.post(receiver.url, body=b"", headers={name: value})
        assert receiver.is_untouched()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299, 304, 400, 404, 410, 429, 500, 503, 599])
def test_each_status_is_an_answer(status: int, client: OutboundClient) -> None:
    with Receiver() as receiver:
        body = "" if status in (204, 304) else "Content-Length: 0\r\n"
        receiver.talking(
            receiver.answering(f"HTTP/1.1 {status} Words\r\n{body}Retry-After: 7\r\n\r\n".encode())
        )
        answer = client.post(receiver.url, body=b"x", headers={})
    assert (answer.status, answer.problem, answer.body) == (status, Problem.NONE, b"")
    assert answer.headers["retry-after"] == "7"


def test_interim_answers_are_passed_over(client: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(receiver.answering(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n" + OK))
        assert client.post(receiver.url, body=b"", headers={}).body == b"ok"


def test_a_change_of_protocol_is_no_answer_to_read_on(client: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(
            receiver.hanging(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        )
        answer = client.post(receiver.url, body=b"", headers={}, timeout_seconds=1)
    assert answer.status == 101


def test_a_body_is_kept_as_it_was_on_the_wire(client: OutboundClient) -> None:
    packed = gzip.compress(b"a" * 1_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    with Receiver() as receiver:
        receiver.talking(receiver.answering(head.encode() + packed))
        answer = client.post(receiver.url, body=b"", headers={})
    assert (answer.body, answer.is_cut) == (packed, False)


@pytest.mark.parametrize(
    ("length", "is_cut"), [(0, False), (99, False), (100, False), (101, True), (5000, True)]
)
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_is_cut_where_it_was_said(
    length: int, is_cut: bool, is_chunked: bool, client: OutboundClient
) -> None:
    body = bytes(index % 251 for index in range(length))
    if is_chunked:
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    else:
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + body
    with Receiver() as receiver:
        receiver.talking(receiver.answering(raw))
        answer = client.post(receiver.url, body=b"", headers={}, max_bytes=100)
    assert (answer.body, answer.is_cut) == (body[:100], is_cut)


def test_headers_are_kept_in_bounds_and_as_text(client: OutboundClient) -> None:
    many = "".join(f"X-{number}: {'v' * 200}\r\n" for number in range(100))
    with Receiver() as receiver:
        receiver.talking(
            receiver.answering(
                b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Bytes: \xff\xe4\r\n"
                + f"X-Empty:\r\n{many}Content-Length: 0\r\n\r\n".encode()
            )
        )
        headers = client.post(receiver.url, body=b"", headers={}).headers
    assert headers["set-cookie"] == "a=1, b=2"
    assert headers["x-bytes"] == "\ufffd\ufffd"
    assert headers["x-empty"] == ""
    assert len(headers) < 50
    assert sum(len(name) + len(value) for name, value in headers.items()) <= 8192


def test_cookies_are_not_kept(client: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(
            receiver.answering(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nContent-Length: 0\r\n\r\n")
        )
        for _ in range(2):
            client.post(receiver.url, body=b"", headers={})
    assert all("cookie" not in request.headers for request in receiver.requests)


def test_nobody_listens(client: OutboundClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = client.post(f"http://127.0.0.1:{port}/", body=b"", headers={})
    assert (answer.status, answer.problem, answer.address) == (None, Problem.CONNECT, "127.0.0.1")
    assert str(port) in answer.problem_words


def test_a_name_without_an_address(client: OutboundClient) -> None:
    answer = client.post("https://no.such.name.invalid/", body=b"", headers={}, timeout_seconds=5)
    assert answer.problem in (Problem.DNS, Problem.TIMEOUT)
    assert "no.such.name.invalid" in answer.problem_words
    assert answer.address is None


def test_the_client_of_the_process_goes_by_the_setting(settings: Any) -> None:
    own = process_client()
    assert own is process_client()
    try:
        with Receiver() as receiver:
            assert own.post(receiver.url, body=b"", headers={}).problem == Problem.INVALID_URL
            settings.OUTBOUND_ALLOWED_NETWORKS = list(networks_of(("127.0.0.0/8",)))
            assert own.post(receiver.url, body=b"", headers={}).status == 200
    finally:
        own.close()


def test_closing_ends_what_is_under_way_and_the_next_post_starts_anew(client: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(receiver.hanging())
        came = threading.Event()
        caught: list[BaseException] = []

        def hold(connection: socket.socket) -> None:
            read_request(connection)
            came.set()
            receiver.let_go.wait(20)

        def post() -> None:
            try:
                client.post(receiver.url, body=b"", headers={})
            except ClientClosedError as error:
                caught.append(error)

        receiver.talking(hold)
        thread = threading.Thread(target=post)
        thread.start()
        assert came.wait(5)
        client.close()
        thread.join(5)
        assert len(caught) == 1
        receiver.talking(receiver.answering(OK))
        assert client.post(receiver.url, body=b"", headers={}).status == 200
