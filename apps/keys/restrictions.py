"""What a key may do beside its scopes: limits of its own, and the voices, addresses and origins it is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from ipaddress import IPv6Address
from typing import Any, Self, TypedDict

from apps.core.addresses import Network, clean_network, networks_of
from apps.core.errors import InvalidRequest

MAX_ENTRIES = 100
MAX_NAME = 80
MAX_NETWORK = 43
MAX_ORIGIN = 255
# Of each limit, from 1: what a mistyped number must not pass.
MAXIMA = {
    "requests_per_minute": 10**6,
    "concurrent_requests": 10**5,
    "characters_per_month": 10**12,
    "characters_per_request": 10**6,
}
THIN_SPACE = "\u202f"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?:(?P<host>[^\s/?#@:*\[\]]{1,200})|\[(?P<ipv6>[0-9a-f:.]+)\])(?::(?P<port>\d{1,5}))?"
)


class RestrictionFields(TypedDict, total=False):
    """Restrictions as arguments; what is left out stays as it is, or is no restriction of a new key."""

    requests_per_minute: int | None
    concurrent_requests: int | None
    characters_per_month: int | None
    characters_per_request: int | None
    allowed_voices: Iterable[str]
    allowed_ips: Iterable[str]
    allowed_origins: Iterable[str]


@dataclass(frozen=True, slots=True)
class Restrictions:
    """Of one key. A limit that is `None` is the organization's alone.

    No `allowed_voices` or `allowed_ips`: any. No `allowed_origins`: browsers of other sites may not use it.
    """

    requests_per_minute: int | None = None
    concurrent_requests: int | None = None
    characters_per_month: int | None = None
    characters_per_request: int | None = None
    allowed_voices: tuple[str, ...] = ()
    allowed_ips: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()

    @classmethod
    def from_row(cls, values: Iterable[Any]) -> Self:
        """Of columns in the order of `NAMES`."""
        row: list[Any] = [tuple(value) if isinstance(value, list) else value for value in values]
        return cls(*row)

    def __bool__(self) -> bool:
        return any(astuple(self))

    @property
    def networks(self) -> tuple[Network, ...]:
        return networks_of(self.allowed_ips)

    @property
    def summary(self) -> str:
        """In a few words: `60 a minute · 2 voices`; empty where there is nothing to say."""
        limits = (
            (self.requests_per_minute, "a minute"),
            (self.concurrent_requests, "at once"),
            (self.characters_per_month, "characters a month"),
            (self.characters_per_request, "characters a request"),
        )
        lists = (
            (self.allowed_voices, "voice", "voices"),
            (self.allowed_ips, "network", "networks"),
            (self.allowed_origins, "site", "sites"),
        )
        words = [f"{limit:,} {unit}".replace(",", THIN_SPACE) for limit, unit in limits if limit]
        words += [f"{len(held)} {one if len(held) == 1 else many}" for held, one, many in lists if held]
        return " · ".join(words)


UNRESTRICTED = Restrictions()
NAMES = tuple(field.name for field in fields(Restrictions))


def clean(restrictions: RestrictionFields) -> dict[str, Any]:
    """The given ones as columns hold them. Raises `InvalidRequest`, which names the field."""
    cleaned: dict[str, Any] = dict(restrictions)
    for name, maximum in MAXIMA.items():
        if name in cleaned:
            cleaned[name] = _clean_limit(name, cleaned[name], maximum)
    for name, clean_list in _LISTS.items():
        if name in cleaned:
            cleaned[name] = clean_list(cleaned[name])
    return cleaned


def clean_voices(names: Iterable[str]) -> list[str]:
    return _clean_list("allowed_voices", names, _clean_voice)


def clean_ips(networks: Iterable[str]) -> list[str]:
    return _clean_list("allowed_ips", networks, _clean_network)


def clean_origins(origins: Iterable[str]) -> list[str]:
    return _clean_list("allowed_origins", origins, _clean_origin)


_LISTS = {"allowed_voices": clean_voices, "allowed_ips": clean_ips, "allowed_origins": clean_origins}


def _clean_limit(name: str, value: int | None, maximum: int) -> int | None:
    if value is not None and not 1 <= value <= maximum:
        raise InvalidRequest(f"This is a number from 1 to {maximum:,}, or nothing.", param=name)
    return value


def _clean_list(name: str, given: Iterable[str], clean_one: Callable[[str], str]) -> list[str]:
    """Each once, in the order given. Raises `InvalidRequest` at the first that cannot be."""
    if isinstance(given, str):
        raise InvalidRequest("This is a list.", param=name)
    try:
        cleaned = list(dict.fromkeys(clean_one(text) for text in given))
    except ValueError as error:
        raise InvalidRequest(str(error), param=name) from None
    if len(cleaned) > MAX_ENTRIES:
        raise InvalidRequest(f"At most {MAX_ENTRIES} entries are possible.", param=name)
    return cleaned


def _clean_voice(text: str) -> str:
    name = text.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise ValueError(f"A voice is named by 1 to {MAX_NAME} characters.")
    return name


def _clean_network(text: str) -> str:
    try:
        return clean_network(text)
    except ValueError:
        raise ValueError(
            f"{text.strip()[:MAX_NAME]} is no address and no network, such as 203.0.113.7 or 2001:db8::/32."
        ) from None


def _clean_origin(text: str) -> str:
    """As a browser sends it: in lower case, a name in Punycode, a port only where it is not the usual one."""
    found = _ORIGIN.fullmatch(text.strip().lower().removesuffix("/"))
    try:
        host = (found["host"].encode("idna").decode() if found and found["host"] else "") or _ipv6(found)
        port = int(found["port"] or 0) if found else 0
    except ValueError:
        host, port = "", 0
    if found is None or not host or port > 65535:
        raise ValueError(
            f"{text.strip()[:MAX_NAME]} is no origin, such as https://app.example.com or "
            "http://localhost:3000."
        )
    has_port = port and port != _DEFAULT_PORTS[found["scheme"]]
    return f"{found['scheme']}://{host}{f':{port}' if has_port else ''}"


def _ipv6(found: re.Match[str] | None) -> str:
    return f"[{IPv6Address(found['ipv6'])}]" if found else ""
