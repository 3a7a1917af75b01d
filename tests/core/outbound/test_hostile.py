"""URLs that would have the platform speak to itself, run against listeners that nobody may reach."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from apps.core.addresses import networks_of
from apps.core.errors import InvalidRequest
from apps.core.outbound.addresses import Target, check_url
from apps.core.outbound.answers import Answer, Problem
from apps.core.outbound.client import OutboundClient
from apps.core.outbound.exchange import Exchange, Order

from .certificates import Authority
from .conftest import MakeClient
from .receivers import LOOPBACK, Receiver

# `{port}` is where the listeners are, on 127.0.0.1 and on ::1.
HOSTILE = [
    "{scheme}://127.0.0.1:{port}/",
    "{scheme}://127.0.0.1:{port}",
    "{scheme}://127.0.0.1.:{port}/",
    "{scheme}://127.0.0.1..:{port}/",
    "{scheme}://127.1:{port}/",
    "{scheme}://127.0.1:{port}/",
    "{scheme}://127.000.000.001:{port}/",
    "{scheme}://2130706433:{port}/",
    "{scheme}://2130706433.:{port}/",
    "{scheme}://0x7f000001:{port}/",
    "{scheme}://0X7F.0.0.1:{port}/",
    "{scheme}://0x7f.1:{port}/",
    "{scheme}://0x7f.0x0.0x0.0x1:{port}/",
    "{scheme}://017700000001:{port}/",
    "{scheme}://0177.0.0.1:{port}/",
    "{scheme}://0177.0.0.01:{port}/",
    "{scheme}://0000177.0.0.1:{port}/",
    "{scheme}://127.0x1:{port}/",
    "{scheme}://127.0.0.1%00:{port}/",
    "{scheme}://127%2e0%2e0%2e1:{port}/",
    "{scheme}://①②⑦.⓪.⓪.①:{port}/",
    "{scheme}://１２７.０.０.１:{port}/",
    "{scheme}://127。0。0。1:{port}/",
    "{scheme}://１２７。０。０。１:{port}/",
    "{scheme}://0:{port}/",
    "{scheme}://0.0.0.0:{port}/",
    "{scheme}://0.0:{port}/",
    "{scheme}://[::]:{port}/",
    "{scheme}://[::1]:{port}/",
    "{scheme}://[::1%25lo]:{port}/",
    "{scheme}://[::1%lo]:{port}/",
    "{scheme}://[fe80::1%25lo]:{port}/",
    "{scheme}://[0:0:0:0:0:0:0:1]:{port}/",
    "{scheme}://[0000::0001]:{port}/",
    "{scheme}://[::127.0.0.1]:{port}/",
    "{scheme}://[::ffff:127.0.0.1]:{port}/",
    "{scheme}://[::ffff:7f00:1]:{port}/",
    "{scheme}://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "{scheme}://[::ffff:0:127.0.0.1]:{port}/",
    "{scheme}://[::ffff:0.0.0.0]:{port}/",
    "{scheme}://[64:ff9b::7f00:1]:{port}/",
    "{scheme}://[64:ff9b::127.0.0.1]:{port}/",
    "{scheme}://[64:ff9b:1::7f00:1]:{port}/",
    "{scheme}://[2002:7f00:1::]:{port}/",
    "{scheme}://[2001:0:7f00:1::80ff:fffe]:{port}/",
    "{scheme}://[v1.127.0.0.1]:{port}/",
    "{scheme}://[127.0.0.1]:{port}/",
    "{scheme}://::1:{port}/",
    "{scheme}://localhost:{port}/",
    "{scheme}://LocalHost:{port}/",
    "{scheme}://localhost.:{port}/",
    "{scheme}://ｌｏｃａｌｈｏｓｔ:{port}/",
    "{scheme}://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "{scheme}://loc\u00adalhost:{port}/",
    "{scheme}://a.localhost:{port}/",
    "{scheme}://localhost.localdomain:{port}/",
    "{scheme}://ip6-localhost:{port}/",
    "{scheme}://example.com@127.0.0.1:{port}/",
    "{scheme}://example.com:443@127.0.0.1:{port}/",
    "{scheme}://example.com%40127.0.0.1:{port}/",
    "{scheme}://127.0.0.1:{port}@example.com/",
    "{scheme}://127.0.0.1:{port}\\@example.com/",
    "{scheme}://example.com\\@127.0.0.1:{port}/",
    "{scheme}://127.0.0.1:{port}#@example.com/",
    "{scheme}://example.com#@127.0.0.1:{port}/",
    "{scheme}://127.0.0.1:{port}?@example.com/",
    "{scheme}://127.0.0.1:{port};@example.com/",
    "{scheme}://127.0.0.1:{port}:443/",
    "{scheme}://127.0.0.1 :{port}/",
    "{scheme}://127.0.0.1\t:{port}/",
    "{scheme}://127.0.0.1\r\n:{port}/",
    " {scheme}://127.0.0.1:{port}/",
    "\x00{scheme}://127.0.0.1:{port}/",
    "{scheme}:\\\\127.0.0.1:{port}\\",
    "{scheme}:/127.0.0.1:{port}/",
    "{scheme}:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "{scheme}://///127.0.0.1:{port}/",
    "{scheme}://169.254.169.254:{port}/latest/meta-data/",
    "{scheme}://[fd00:ec2::254]:{port}/",
    "{scheme}://metadata.google.internal:{port}/",
    "{scheme}://100.100.100.200:{port}/",
    "{scheme}://168.63.129.16:{port}/",
    "unix:///var/run/docker.sock",
    "gopher://127.0.0.1:{port}/_x",
    "ws://127.0.0.1:{port}/",
]
# Names, whose owner says where they lead. 8.8.8.8 stands beside them and is as little dialled.
SCRIPTED: dict[str, Sequence[str]] = {
    "loopback": ["127.0.0.1"],
    "loopback6": ["::1"],
    "public-first": ["8.8.8.8", "127.0.0.1"],
    "public-last": ["127.0.0.1", "8.8.8.8"],
    "public6-first": ["2606:4700::1111", "8.8.8.8", "::1"],
    "mapped": ["::ffff:127.0.0.1"],
    "mapped-hex": ["::ffff:7f00:1"],
    "nat64": ["64:ff9b::7f00:1"],
    "unspecified": ["0.0.0.0"],  # noqa: S104
    "unspecified6": ["::"],
    "scoped": ["::1%lo"],
    "short": ["127.1"],
    "decimal": ["2130706433"],
    "a-name-again": ["localhost"],
    "nothing": [],
    "empty": [""],
}


@pytest.fixture
def listeners() -> Iterator[tuple[Receiver, Receiver]]:
    """On one port of both families."""
    with Receiver() as four, Receiver(host="::1", port=four.port) as six:
        yield four, six


def scripted(host: str, port: int) -> Sequence[str]:
    return SCRIPTED[host.partition(".")[0]]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_url_leads_inside(
    scheme: str, listeners: tuple[Receiver, Receiver], strict: OutboundClient
) -> None:
    for pattern in HOSTILE:
        url = pattern.format(scheme=scheme, port=listeners[0].port)
        with pytest.raises(InvalidRequest) as caught:
            check_url(url)
        assert caught.value.param == "url", url
        answer = strict.post(url, body=b"{}", headers={}, timeout_seconds=2)
        assert answer.status is None, url
        assert answer.address is None, url
        assert answer.problem in (Problem.REFUSED_ADDRESS, Problem.INVALID_URL), url
        assert answer.problem_words == caught.value.message
    assert all(listener.is_untouched() for listener in listeners)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_dial_refuses_by_itself(scheme: str, listeners: tuple[Receiver, Receiver]) -> None:
    """What a mistake in the check of a URL would let through."""
    hosts = ["127.0.0.1", "127.0.0.1.", "localhost", "localhost.", "::1", "::ffff:127.0.0.1", "127.1"]
    hosts += ["2130706433", "0x7f.1", "0x7f000001", "017700000001", "0", "0.0.0.0", "::", "ip6-localhost"]  # noqa: S104

    async def dial() -> list[Answer]:
        exchange = Exchange(resolve=system, tls=Authority.nobody(), allowed=lambda: ())
        answers = []
        for host in hosts:
            place = f"[{host}]" if ":" in host else host
            url = f"{scheme}://{place}:{listeners[0].port}/"
            target = Target(url=url, scheme=scheme, host=host, port=listeners[0].port)
            now = time.monotonic()
            answers.append(await exchange.post(Order(target, b"", {}, now, now + 5, 100)))
        await exchange.close()
        return answers

    answers = asyncio.run(dial())
    assert [(answer.status, answer.address) for answer in answers] == [(None, None)] * len(hosts)
    assert {answer.problem for answer in answers} <= {
        Problem.REFUSED_ADDRESS,
        Problem.INVALID_URL,
        Problem.DNS,
    }
    assert all(listener.is_untouched() for listener in listeners)


def system(host: str, port: int) -> Sequence[str]:
    return [str(place[0]) for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@pytest.mark.parametrize("name", SCRIPTED)
def test_no_name_leads_inside(
    name: str, listeners: tuple[Receiver, Receiver], make_client: MakeClient
) -> None:
    client = make_client(resolve=scripted, allowed_networks=())
    url = check_url(f"https://{name}.example.com:{listeners[0].port}/")
    answer = client.post(url, body=b"{}", headers={}, timeout_seconds=2)
    empty = name == "nothing"
    assert answer.problem == (Problem.DNS if empty else Problem.REFUSED_ADDRESS)
    assert answer.status is None
    assert answer.address is None
    assert not any(address and address in answer.problem_words for address in SCRIPTED[name])
    assert all(listener.is_untouched() for listener in listeners)


@pytest.mark.parametrize("answer", [["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
def test_of_a_mixed_answer_nothing_is_dialled(answer: list[str], make_client: MakeClient) -> None:
    """Not even what may be: 127.0.0.2 stands for what is public here."""
    client = make_client(resolve=lambda host, port: answer, allowed_networks=networks_of(("127.0.0.2/32",)))
    with Receiver(host="127.0.0.2") as public, Receiver(port=public.port) as inside:
        for scheme in ("http", "https"):
            url = f"{scheme}://mixed.example.com:{public.port}/"
            assert client.post(url, body=b"", headers={}).problem == Problem.REFUSED_ADDRESS
        assert public.is_untouched()
        assert inside.is_untouched()


def test_plain_http_to_a_name_that_leads_outside(make_client: MakeClient) -> None:
    client = make_client(resolve=lambda host, port: ["8.8.8.8"], allowed_networks=LOOPBACK)
    answer = client.post("http://hooks.example.com:9/", body=b"", headers={}, timeout_seconds=2)
    assert (answer.problem, answer.address) == (Problem.REFUSED_ADDRESS, None)
    assert answer.problem_words == "The host leads to an address that we only send to by https."


def test_a_kept_connection_goes_by_the_rules_of_now(
    make_client: MakeClient, authority: Authority, settings: Any
) -> None:
    client = make_client(resolve=lambda host, port: ["127.0.0.1"], ssl_context=authority.trusting())
    settings.OUTBOUND_ALLOWED_NETWORKS = list(LOOPBACK)
    with Receiver(tls=authority.serving("hooks.example.com")) as receiver:
        url = f"https://hooks.example.com:{receiver.port}/"
        assert client.post(url, body=b"", headers={}).status == 200
        settings.OUTBOUND_ALLOWED_NETWORKS = []
        assert client.post(url, body=b"", headers={}).problem == Problem.REFUSED_ADDRESS
        assert (len(receiver.requests), receiver.connections) == (1, 1)


def test_few_addresses_of_a_name_are_tried(make_client: MakeClient) -> None:
    many = [f"127.0.1.{number}" for number in range(1, 200)]
    client = make_client(resolve=lambda host, port: many, allowed_networks=LOOPBACK)
    with Receiver(host=many[20]) as receiver:
        answer = client.post(f"http://many.example.com:{receiver.port}/", body=b"", headers={})
        assert answer.problem == Problem.CONNECT
        assert receiver.is_untouched()


def test_a_name_that_leads_elsewhere_the_next_time(make_client: MakeClient) -> None:
    """Public when it is checked, loopback when it is dialled: 127.0.0.2 stands for what is public here."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

    client = make_client(resolve=rebinding, allowed_networks=networks_of(("127.0.0.2/32",)))
    with Receiver(host="127.0.0.2") as public, Receiver(port=public.port) as inside:
        public.talking(public.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
        url = f"http://rebinding.example.com:{public.port}/"
        first = client.post(url, body=b"", headers={})
        assert (first.status, first.address) == (200, "127.0.0.2")
        # The answer is kept for ten seconds, and with it what was vetted.
        assert client.post(url, body=b"", headers={}).address == "127.0.0.2"
        client.close()
        assert client.post(url, body=b"", headers={}).problem == Problem.REFUSED_ADDRESS
        assert len(asked) == 2
        assert inside.is_untouched()


def test_a_proxy_of_the_environment_is_not_used(
    client: OutboundClient, strict: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert client.post(receiver.url, body=b"", headers={}).status == 200
        answer = strict.post("https://no.such.name.invalid/", body=b"", headers={}, timeout_seconds=2)
        assert answer.problem in (Problem.DNS, Problem.TIMEOUT)
        assert proxy.is_untouched()


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int, client: OutboundClient) -> None:
    with Receiver() as inside, Receiver() as receiver:
        location = f"http://127.0.0.1:{inside.port}/"
        receiver.talking(
            receiver.answering(
                f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nRefresh: 0; url={location}\r\n"
                "Content-Length: 0\r\n\r\n".encode()
            )
        )
        answer = client.post(receiver.url, body=b"", headers={})
        assert answer.status == status
        assert answer.headers["location"] == location
        assert inside.is_untouched()
