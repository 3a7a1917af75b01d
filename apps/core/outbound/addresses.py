"""Which addresses the platform may dial where a customer chose the URL, and which URLs can lead to one.

Nothing here looks a name up: what a name stands for is vetted when it is dialled (see `dialling`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from urllib.parse import quote

from django.conf import settings
from yarl import URL

from apps.core.addresses import Address, Network
from apps.core.errors import InvalidRequest

MAX_URL_CHARACTERS = 2_000
DEFAULT_PORTS = {"https": 443, "http": 80}

# Beside `is_global`, which differs between versions of Python and calls several of these global.
_NEVER_IPV4 = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
        *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # a public address that means the machine's own host in Azure
    )
)
# All that is routed globally is in here, so what carries an IPv4 address inside (mapped, NAT64) is not.
_GLOBAL_IPV6 = ip_network("2000::/3")
_NEVER_IPV6 = tuple(
    ip_network(text)
    for text in (
        "2001::/23",  # Teredo, ORCHID, benchmarks and what else is no place
        *("2001:db8::/32", "3fff::/20"),  # documentation
        *("2002::/16", "3ffe::/16"),  # 6to4, which carries an IPv4 address; the 6bone
    )
)
# Names that only mean something inside somebody's network.
_INSIDE_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa")

_SHAPE = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/?]*)(?P<rest>.*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?P<port>:.*)?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# How inet_aton writes a part: a name whose last label looks like it is an address to some resolver.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNREACHABLE = "The address in the URL must be one that everybody can reach."


class UnusableUrl(InvalidRequest):
    """`is_refused_address`: it is well written, but leads to where the platform does not dial."""

    def __init__(self, message: str, *, is_refused_address: bool = False) -> None:
        super().__init__(message, param="url")
        self.is_refused_address = is_refused_address


@dataclass(frozen=True)
class Target:
    """A URL in its one spelling, and its parts: `host` is a name of ASCII or an address without brackets."""

    url: str
    scheme: str
    host: str
    port: int


def allowed_networks() -> tuple[Network, ...]:
    return tuple(settings.OUTBOUND_ALLOWED_NETWORKS)


def may_dial(address: Address, allowed: Sequence[Network], *, is_plain: bool = False) -> bool:
    """Whether a connection to it may be made; `is_plain` says that it is one without TLS."""
    if getattr(address, "scope_id", None):
        return False
    if any(address in network for network in allowed):
        return True
    if is_plain or not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NEVER_IPV4)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _NEVER_IPV6)


def check_url(url: str) -> str:
    """The URL in one spelling.

    Raises `InvalidRequest` about the param `url` for what can never be dialled. What passes may still be
    refused when it is dialled: names are not looked up here.
    """
    return parse_url(url, allowed_networks()).url


def parse_url(url: str, allowed: Sequence[Network]) -> Target:
    """Raises `UnusableUrl`."""
    scheme, authority, rest = _split(url)
    if scheme != "https" and not (scheme == "http" and allowed):
        raise UnusableUrl("The URL must start with https://.")
    if "@" in authority:
        raise UnusableUrl("The URL must hold no user name or password.")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise UnusableUrl("The host of the URL is not one.")
    host = _host(match["host"])
    _refuse_inside(host, allowed, is_plain=scheme == "http")
    port = _port(match["port"], DEFAULT_PORTS[scheme])
    place = f"[{host}]" if ":" in host else host
    number = "" if port == DEFAULT_PORTS[scheme] else f":{port}"
    # Signed links stay as they were written: only what may not be on the wire is escaped.
    path = quote(rest if rest.startswith("/") else f"/{rest}", safe="%!$&'()*+,;=:@/?~|[]")
    spelling = f"{scheme}://{place}{number}{path}"
    if len(spelling) > MAX_URL_CHARACTERS:
        raise UnusableUrl(f"The URL must have at most {MAX_URL_CHARACTERS:,} characters.")
    return Target(url=spelling, scheme=scheme, host=host, port=port)


def _split(url: str) -> tuple[str, str, str]:
    """Scheme, authority, and all after it."""
    if len(url) > MAX_URL_CHARACTERS:
        raise UnusableUrl(f"The URL must have at most {MAX_URL_CHARACTERS:,} characters.")
    # Parsers disagree about what these mean, which is how one host is checked and another one dialled.
    if "\\" in url or not url.isprintable() or any(character.isspace() for character in url):
        raise UnusableUrl("The URL must hold no spaces, backslashes or control characters.")
    if "#" in url:
        raise UnusableUrl("The URL must hold no fragment (#).")
    match = _SHAPE.fullmatch(url)
    if match is None:
        raise UnusableUrl("The URL must be a whole one, like https://example.com/webhooks.")
    return match["scheme"].lower(), match["authority"], match["rest"]


def _host(written: str) -> str:
    """A name in lower-case ASCII without its last dot, or an address in its usual form."""
    if not written or written == "[]":
        raise UnusableUrl("The URL must name a host.")
    bare = written.removeprefix("[").removesuffix("]")
    try:
        host = URL.build(scheme="https", host=bare).raw_host or ""
    except ValueError:
        raise UnusableUrl("The host of the URL is not one.") from None
    host = host.removesuffix(".")
    if written.startswith("[") != (":" in host):
        raise UnusableUrl("The host of the URL is not one.")
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        return _literal(bare)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise UnusableUrl("The host of the URL is not one.")
    return host


def _literal(written: str) -> str:
    """An address, in no other spelling than its usual one."""
    try:
        address = ip_address(written)
    except ValueError:
        raise UnusableUrl(
            "The host of the URL must be a name, or an address in its usual form.", is_refused_address=True
        ) from None
    if str(address) != written:
        raise UnusableUrl(
            f"Write the address in the URL in its usual form: {address}.", is_refused_address=True
        )
    return written


def _refuse_inside(host: str, allowed: Sequence[Network], *, is_plain: bool) -> None:
    try:
        address = ip_address(host)
    except ValueError:
        is_inside = "." not in host or any(f".{host}".endswith(f".{name}") for name in _INSIDE_NAMES)
        if is_inside and not allowed:
            raise UnusableUrl(
                "The host of the URL must be one that everybody can reach, by its whole name.",
                is_refused_address=True,
            ) from None
        return
    if not may_dial(address, allowed, is_plain=is_plain):
        words = "The URL must start with https://." if is_plain else _UNREACHABLE
        raise UnusableUrl(words, is_refused_address=True)


def _port(written: str | None, default: int) -> int:
    if written is None:
        return default
    number = written.removeprefix(":")
    if not re.fullmatch(r"[0-9]{1,5}", number) or not 1 <= int(number) <= 65535:
        raise UnusableUrl("The port of the URL must be a number from 1 to 65535.")
    return int(number)
