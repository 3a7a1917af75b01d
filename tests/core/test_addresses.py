"""Where a request comes from, behind none, one or two proxies, and whether a network holds it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from apps.core.addresses import (
    clean_network,
    client_address,
    client_address_in,
    client_address_of,
    holds,
    networks_of,
)

PEER = "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded_for", "address"),
    [
        (0, None, PEER),
        (0, "203.0.113.7", PEER),
        (1, None, PEER),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (2, "203.0.113.7", None),
    ],
)
def test_only_our_own_proxies_are_believed(
    settings: Any, proxies: int, forwarded_for: str | None, address: str | None
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    assert client_address(peer=PEER, forwarded_for=forwarded_for) == address


@pytest.mark.parametrize("lines", [["198.51.100.1", "203.0.113.7"], ["198.51.100.1, 203.0.113.7"]])
def test_both_doors_see_the_same_however_many_lines_the_header_has(settings: Any, lines: list[str]) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    assert client_address_in({"client": (PEER, 4711), "headers": headers}) == "203.0.113.7"
    request = RequestFactory().get("/", headers={"X-Forwarded-For": ", ".join(lines)}, REMOTE_ADDR=PEER)
    assert client_address_of(request) == "203.0.113.7"


def test_behind_a_unix_socket_without_a_proxy_nobody_knows() -> None:
    assert client_address_in({"client": None, "headers": []}) is None
    assert client_address_in({"client": ("", 0), "headers": []}) is None


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (" 203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_a_network_has_one_spelling(text: str, clean: str) -> None:
    assert clean_network(text) == clean


@pytest.mark.parametrize(
    "text", ["", "*", "203.0.113", "203.0.113.256", "203.0.113.7/33", "example.com", "1:2"]
)
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(ValueError):
        clean_network(text)


def test_what_a_network_holds() -> None:
    networks = networks_of(("203.0.113.0/24", "2001:db8::/32", "198.51.100.1"))
    for inside in (
        "203.0.113.255",
        "::ffff:203.0.113.1",
        "2001:db8:ffff::1",
        "[2001:db8::1]",
        "198.51.100.1",
    ):
        assert holds(networks, inside), inside
    for outside in ("203.0.114.0", "2001:db9::1", "198.51.100.2", "::ffff:203.0.114.1", "nonsense", "", None):
        assert not holds(networks, outside), outside
