"""Receivers that are slow, broken or hostile: each gets an answer, in time and within memory."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from apps.core.outbound.answers import Problem
from apps.core.outbound.client import OutboundClient

from .receivers import OK, Receiver

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
# What a socket and the kernels on both sides hold at most, once nobody reads.
IN_FLIGHT = 16_000_000


@contextmanager
def within(seconds: float, at_least: float = 0.0) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert at_least <= time.monotonic() - started < seconds


def test_a_receiver_that_says_nothing(client: OutboundClient) -> None:
    with Receiver() as receiver, within(4, at_least=1):
        receiver.talking(receiver.hanging())
        answer = client.post(receiver.url, body=b"", headers={}, timeout_seconds=1)
    assert (answer.status, answer.problem) == (None, Problem.TIMEOUT)
    assert answer.problem_words == "127.0.0.1 did not answer in time."
    assert 1000 <= answer.duration_ms < 4000


def test_a_status_line_byte_by_byte(client: OutboundClient) -> None:
    with Receiver() as receiver, within(4, at_least=1):
        receiver.talking(receiver.dripping(b"", OK * 10, 0.1))
        answer = client.post(receiver.url, body=b"", headers={}, timeout_seconds=1)
    assert answer.problem == Problem.TIMEOUT


def test_headers_byte_by_byte(client: OutboundClient) -> None:
    with Receiver() as receiver, within(4, at_least=1):
        receiver.talking(receiver.dripping(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 1000, 0.05))
        answer = client.post(receiver.url, body=b"", headers={}, timeout_seconds=1)
    assert answer.problem == Problem.TIMEOUT


def test_a_body_byte_by_byte_holds_nobody_for_the_whole_deadline(client: OutboundClient) -> None:
    with Receiver() as receiver, within(8, at_least=3):
        receiver.talking(receiver.dripping(HEAD, b"a" * 1000, 1))
        answer = client.post(receiver.url, body=b"", headers={}, timeout_seconds=15)
    assert (answer.status, answer.problem, answer.is_cut) == (200, Problem.NONE, True)
    assert 2 <= len(answer.body) <= 4


def test_a_body_counts_into_the_deadline(client: OutboundClient) -> None:
    with Receiver() as receiver, within(4, at_least=1):
        receiver.talking(receiver.hanging(HEAD + b"first"))
        answer = client.post(receiver.url, body=b"", headers={}, timeout_seconds=1)
    assert (answer.status, answer.body, answer.is_cut) == (200, b"first", True)


def test_a_body_of_100_megabytes_is_not_fetched(client: OutboundClient) -> None:
    total = 100_000_000
    with Receiver() as receiver, within(4):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total
        receiver.talking(receiver.flooding(head, b"a" * 65_536, total))
        answer = client.post(receiver.url, body=b"", headers={})
        assert (answer.status, answer.is_cut, answer.body) == (200, True, b"a" * 20_000)
        time.sleep(0.3)  # it notices that the connection is closed
        assert receiver.sent < IN_FLIGHT


@pytest.mark.parametrize(
    ("first", "blob"),
    [
        (b"", b"\r\n" * 30_000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
        (b"HTTP/1.1 200 OK\r\nX: ", b"a" * 60_000),
        (b"HTTP/1.1 200 OK\r\n", b"X: a\r\n" * 10_000),
        (b"HTTP/1.1 200 OK\r\n", b"a" * 60_000),
        (b"HTTP/1.1 200 ", b"a" * 60_000),
        (b"", b"\x00" * 60_000),
    ],
    ids=["empty-lines", "interim", "one-header", "headers", "name", "reason", "zeros"],
)
def test_an_endless_beginning(first: bytes, blob: bytes, client: OutboundClient) -> None:
    with Receiver() as receiver, within(5):
        receiver.talking(receiver.flooding(first, blob))
        answer = client.post(receiver.url, body=b"", headers={}, timeout_seconds=10)
        assert (answer.status, answer.problem) == (None, Problem.PROTOCOL)
        time.sleep(0.3)
        assert receiver.sent < IN_FLIGHT


def test_endless_extensions_of_a_chunk(client: OutboundClient) -> None:
    with Receiver() as receiver, within(5):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"
        receiver.talking(receiver.flooding(head, b"a" * 60_000))
        answer = client.post(receiver.url, body=b"", headers={}, timeout_seconds=10)
        assert (answer.status, answer.is_cut) == (200, True)
        time.sleep(0.3)
        assert receiver.sent < IN_FLIGHT


def test_a_receiver_that_takes_no_request(client: OutboundClient) -> None:
    with Receiver() as receiver, within(4, at_least=1):
        receiver.talking(lambda connection: receiver.let_go.wait(20))
        answer = client.post(receiver.url, body=b"a" * 20_000_000, headers={}, timeout_seconds=1)
    assert answer.problem == Problem.TIMEOUT


def test_an_answer_before_the_request_is_taken(client: OutboundClient) -> None:
    with Receiver() as receiver, within(4):

        def talk(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n")
            receiver.let_go.wait(20)

        receiver.talking(talk)
        answer = client.post(receiver.url, body=b"a" * 20_000_000, headers={}, timeout_seconds=5)
    assert answer.status == 413


@pytest.mark.parametrize(
    ("first", "problem"),
    [(b"", Problem.RESET), (b"HTTP/1.1 200 OK\r\nX-", Problem.RESET)],
    ids=["at-once", "in-headers"],
)
def test_a_reset_before_the_headers_are_there(first: bytes, problem: Problem, client: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(receiver.resetting(first))
        answer = client.post(receiver.url, body=b"", headers={})
        assert receiver.connections == 1
    assert (answer.status, answer.problem) == (None, problem)
    assert answer.problem_words == "127.0.0.1 closed the connection before it answered."


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nX-"], ids=["at-once", "in-headers"])
def test_an_early_end(first: bytes, client: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(receiver.dripping(first, b"", 0))
        answer = client.post(receiver.url, body=b"", headers={})
        assert receiver.connections == 1
    assert (answer.status, answer.problem) == (None, Problem.RESET)


@pytest.mark.parametrize("is_reset", [False, True])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_that_breaks_off(is_reset: bool, is_chunked: bool, client: OutboundClient) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n" if is_chunked else HEAD
    with Receiver() as receiver:
        talk = receiver.resetting(head + b"some") if is_reset else receiver.dripping(head + b"some", b"", 0)
        receiver.talking(talk)
        answer = client.post(receiver.url, body=b"", headers={})
    assert (answer.status, answer.problem, answer.is_cut) == (200, Problem.NONE, True)
    assert answer.body in (b"some", b"")  # what a break overtakes is lost


def test_a_body_that_ends_with_its_connection(client: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(receiver.dripping(b"HTTP/1.0 200 OK\r\n\r\nall of it", b"", 0))
        answer = client.post(receiver.url, body=b"", headers={})
    assert (answer.status, answer.body, answer.is_cut) == (200, b"all of it", False)


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 mail.example.com ESMTP\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    ],
)
def test_what_is_not_http(raw: bytes, client: OutboundClient) -> None:
    with Receiver() as receiver, within(4):
        receiver.talking(receiver.dripping(raw, b"", 0))
        answer = client.post(receiver.url, body=b"", headers={}, timeout_seconds=5)
    assert (answer.status, answer.problem) == (None, Problem.PROTOCOL)
    assert answer.problem_words == "127.0.0.1 answered with something that is not HTTP."


def test_whatever_is_answered_is_an_answer(client: OutboundClient) -> None:
    """Answers with bytes changed, dropped and doubled at random, always the same ones."""
    seed = random.Random(1)
    whole = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n"
    whole += b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: x\r\n\r\n"
    with Receiver() as receiver, within(30):
        for _ in range(300):
            raw = bytearray(whole)
            for _ in range(seed.randrange(1, 6)):
                place = seed.randrange(len(raw))
                piece = bytes(seed.choices(range(256), k=seed.randrange(3)))
                raw[place : place + seed.randrange(4)] = piece
            receiver.talking(receiver.dripping(bytes(raw), b"", 0))
            answer = client.post(receiver.url, body=b"", headers={}, timeout_seconds=2)
            assert (answer.status is None) == bool(answer.problem) == bool(answer.problem_words), bytes(raw)
