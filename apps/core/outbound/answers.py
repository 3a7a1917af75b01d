"""What became of one request to a customer's URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

MAX_HEADERS = 50
MAX_HEADER_BYTES = 8_192


class Problem(StrEnum):
    """Why there is no status. `NONE` where there is one."""

    NONE = ""
    INVALID_URL = "invalid_url"
    REFUSED_ADDRESS = "refused_address"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"


@dataclass(frozen=True)
class Answer:
    """Either a `status` or a `problem` with words for the customer.

    `headers` by lower-case names, at most 50 in 8 kB, those of one name joined by commas. `body` as it was on
    the wire, not decompressed. `is_cut` where more of it would have come, or it broke off. `address` is the
    one that was dialled last.
    """

    duration_ms: int
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_cut: bool = False
    problem: Problem = Problem.NONE
    problem_words: str = ""
    address: str | None = None


def bounded_headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """The first of them, as text that any store can keep."""
    kept: dict[str, str] = {}
    room = MAX_HEADER_BYTES
    for name, value in raw[:MAX_HEADERS]:
        room -= len(name) + len(value)
        if room < 0:
            break
        key = _text(name).lower()
        kept[key] = f"{kept[key]}, {_text(value)}" if key in kept else _text(value)
    return kept


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\x00", "\ufffd")
