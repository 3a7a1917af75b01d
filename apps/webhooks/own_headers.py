"""Headers that a customer has sent along: a token of theirs, a route of their gateway."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from apps.core.errors import InvalidRequest

MAX_HEADERS = 20
MAX_VALUE = 1000
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")
# What frames a request, or what we say ourselves.
_OURS = frozenset(
    {
        *("host", "connection", "keep-alive", "upgrade", "te", "trailer", "expect", "user-agent"),
        *("content-length", "content-type", "content-encoding", "transfer-encoding", "accept-encoding"),
        *("proxy-authorization", "proxy-connection"),
    }
)
_OUR_PREFIX = "webhook-"


def clean(headers: Mapping[str, Any]) -> dict[str, str]:
    """By their names in lower case. Raises `InvalidRequest`."""
    if len(headers) > MAX_HEADERS:
        raise InvalidRequest(f"An endpoint has at most {MAX_HEADERS} headers of its own.", param="headers")
    cleaned: dict[str, str] = {}
    for given, value in headers.items():
        name = given.strip().lower()
        if not _NAME.fullmatch(name):
            raise InvalidRequest(f"{given!r} is no name of a header.", param="headers")
        if name in _OURS or name.startswith(_OUR_PREFIX):
            raise InvalidRequest(f"The header {name} is set by the platform.", param="headers")
        if name in cleaned:
            raise InvalidRequest(f"The header {name} is there twice.", param="headers")
        text = value.strip() if isinstance(value, str) else ""
        if not _VALUE.fullmatch(text) or len(text) > MAX_VALUE:
            raise InvalidRequest(
                f"The header {name} needs a value of 1 to {MAX_VALUE} printable ASCII characters.",
                param="headers",
            )
        cleaned[name] = text
    return cleaned
