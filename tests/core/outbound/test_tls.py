"""Certificates and host names are verified always, by the name of the URL and not by where it leads."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import pytest

from apps.core.outbound.answers import Answer, Problem
from apps.core.outbound.client import OutboundClient

from .certificates import Authority
from .conftest import MakeClient
from .receivers import LOOPBACK, Receiver, read_request

NAME = "hooks.example.com"


def to_loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.fixture
def trusting(make_client: MakeClient, authority: Authority) -> OutboundClient:
    return make_client(allowed_networks=LOOPBACK, ssl_context=authority.trusting(), resolve=to_loopback)


def post(client: OutboundClient, receiver: Receiver, host: str = NAME, seconds: float = 5) -> Answer:
    return client.post(f"https://{host}:{receiver.port}/", body=b"{}", headers={}, timeout_seconds=seconds)


def test_a_good_certificate(trusting: OutboundClient, authority: Authority) -> None:
    with Receiver(tls=authority.serving(NAME)) as receiver:
        answer = post(trusting, receiver)
        assert (answer.status, answer.body, answer.address) == (200, b"ok", "127.0.0.1")
        assert post(trusting, receiver, f"{NAME}.").status == 200
        assert receiver.connections == 1
    assert receiver.requests[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_a_good_certificate_of_an_address(trusting: OutboundClient, authority: Authority) -> None:
    with Receiver(tls=authority.serving("127.0.0.1")) as receiver:
        assert post(trusting, receiver, "127.0.0.1").status == 200


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("other.example.com",), "ostname mismatch"),
        (("127.0.0.1",), "ostname mismatch"),  # where it leads is no name of it
        (("*.com",), "ostname mismatch"),
        (("*.hooks.example.com", "example.com"), "ostname mismatch"),
    ],
)
def test_a_certificate_of_somebody_else(
    names: tuple[str, ...], words: str, trusting: OutboundClient, authority: Authority
) -> None:
    with Receiver(tls=authority.serving(*names)) as receiver:
        answer = post(trusting, receiver)
    assert_refused(receiver, answer, words)


def test_a_certificate_of_a_name_for_an_address(trusting: OutboundClient, authority: Authority) -> None:
    with Receiver(tls=authority.serving("localhost")) as receiver:
        answer = post(trusting, receiver, "127.0.0.1")
    assert_refused(receiver, answer, "IP address mismatch")


def test_an_expired_certificate(trusting: OutboundClient, authority: Authority) -> None:
    with Receiver(tls=authority.serving(NAME, is_expired=True)) as receiver:
        answer = post(trusting, receiver)
    assert_refused(receiver, answer, "certificate has expired")


def test_a_self_signed_certificate(trusting: OutboundClient, authority: Authority) -> None:
    with Receiver(tls=authority.serving(NAME, is_self_signed=True)) as receiver:
        answer = post(trusting, receiver)
    assert_refused(receiver, answer, "self-signed certificate")


def test_an_authority_that_nobody_knows(client: OutboundClient, authority: Authority) -> None:
    with Receiver(tls=authority.serving("127.0.0.1")) as receiver:
        answer = post(client, receiver, "127.0.0.1")
    assert_refused(receiver, answer, "unable to get local issuer certificate")


def assert_refused(receiver: Receiver, answer: Answer, words: str) -> None:
    assert (answer.status, answer.problem) == (None, Problem.TLS)
    assert words in answer.problem_words
    assert receiver.requests == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_of_old(make_client: MakeClient, authority: Authority) -> None:
    old = authority.serving(NAME)
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    lenient = authority.trusting()
    lenient.minimum_version = ssl.TLSVersion.TLSv1
    lenient.set_ciphers("ALL:@SECLEVEL=0")
    client = make_client(allowed_networks=LOOPBACK, ssl_context=lenient, resolve=to_loopback)
    with Receiver(tls=old) as receiver:
        answer = post(client, receiver)
    assert (answer.status, answer.problem) == (None, Problem.TLS)
    assert receiver.requests == []


def test_what_is_not_tls(trusting: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"))
        answer = post(trusting, receiver)
    assert (answer.status, answer.problem) == (None, Problem.TLS)


def test_a_handshake_that_hangs(trusting: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(lambda connection: receiver.let_go.wait(20))
        started = time.monotonic()
        answer = post(trusting, receiver, seconds=1)
        assert time.monotonic() - started < 4
        assert (answer.status, answer.problem) == (None, Problem.TIMEOUT)


def test_an_end_within_the_handshake(trusting: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(lambda connection: connection.recv(10))
        answer = post(trusting, receiver)
    assert answer.problem in (Problem.CONNECT, Problem.RESET, Problem.TLS)


def test_a_body_of_100_megabytes_is_not_fetched(trusting: OutboundClient, authority: Authority) -> None:
    total = 100_000_000
    with Receiver(tls=authority.serving(NAME)) as receiver:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total
        receiver.talking(receiver.flooding(head, b"a" * 16_384, total))
        started = time.monotonic()
        answer = post(trusting, receiver)
        assert time.monotonic() - started < 4
        assert (answer.status, answer.is_cut, len(answer.body)) == (200, True, 20_000)
        time.sleep(0.3)
        assert receiver.sent < 16_000_000


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"a" * 1000])
def test_a_connection_that_is_given_up_ends_at_once(
    answer: bytes, trusting: OutboundClient, authority: Authority
) -> None:
    """Not by the polite end of TLS, which waits half a minute for the other side."""
    ended = threading.Event()
    with Receiver(tls=authority.serving(NAME)) as receiver:

        def talk(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(answer)
            below = socket.socket(fileno=os.dup(connection.fileno()))
            with below, suppress(ConnectionResetError):
                while below.recv(1000):
                    pass
            ended.set()

        receiver.talking(talk)
        url = f"https://{NAME}:{receiver.port}/"
        trusting.post(url, body=b"", headers={}, timeout_seconds=0.5, max_bytes=100)
        assert ended.wait(2)


def test_no_client_takes_any_certificate() -> None:
    lax = ssl.create_default_context()
    lax.check_hostname = False
    with pytest.raises(ValueError, match="verified"):
        OutboundClient(ssl_context=lax)
    lax.verify_mode = ssl.CERT_NONE
    with pytest.raises(ValueError, match="verified"):
        OutboundClient(ssl_context=lax)
