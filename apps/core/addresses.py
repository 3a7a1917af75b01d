"""Network addresses: where a request comes from, and whether a list of networks holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def client_address(*, peer: str | None, forwarded_for: str | None) -> str | None:
    """Who asks: the peer, or what the outermost of our proxies saw (`X-Forwarded-For`, counted from its end).

    As it is written there. `None` where fewer proxies wrote into the header than there should be: what is
    left of it then is the caller's own word.
    """
    proxies: int = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    if not proxies or not forwarded_for:
        return peer or None
    hops = forwarded_for.split(",")
    return hops[-proxies].strip() if len(hops) >= proxies else None


def client_address_of(request: HttpRequest) -> str | None:
    return client_address(
        peer=request.META.get("REMOTE_ADDR"), forwarded_for=request.headers.get("X-Forwarded-For")
    )


def client_address_in(scope: Mapping[str, Any]) -> str | None:
    """As `client_address_of`, of a request that is still ASGI's."""
    peer = scope.get("client")
    seen = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return client_address(peer=peer[0] if peer else None, forwarded_for=b",".join(seen).decode("latin-1"))


def clean_network(text: str) -> str:
    """`203.0.113.7`, `203.0.113.0/24`, or the like of IPv6, in its one spelling. Raises `ValueError`."""
    network = ip_network(text.strip(), strict=False)
    if network.num_addresses > 1:
        return str(network)
    return str(_unmapped(network.network_address))


@lru_cache(maxsize=4096)
def networks_of(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


def holds(networks: Iterable[Network], address: str | None) -> bool:
    """What is not known, or no address, lies in no network."""
    known = parse_address(address)
    return known is not None and any(known in network for network in networks)


def parse_address(text: str | None) -> Address | None:
    try:
        return _unmapped(ip_address((text or "").strip().removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


def _unmapped(address: Address) -> Address:
    """A server that listens on both families shows IPv4 callers as `::ffff:203.0.113.7`."""
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
