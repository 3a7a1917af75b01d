"""Headers that a caller may send."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
# They say where the request goes and where it ends: that is the client's word alone.
_OURS = frozenset(
    ("host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer")
)
# What the library would say in our name, unless the caller says otherwise.
_DEFAULTS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "VoiceFlow"}


def clean_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """By lower-case names, with our defaults. Raises `ValueError`, which names the header, not its value."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _OURS:
            raise ValueError(f"{name!r} is no header to send")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"the value of the header {name!r} cannot be sent")
    return _DEFAULTS | {name.lower(): value for name, value in headers.items()}
