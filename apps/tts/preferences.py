"""The `Prefer` header of RFC 7240: what a caller would like, and nobody is refused for."""

from __future__ import annotations

import re
from typing import Final

LONGEST_HEADER: Final = 500
# A preference, its value bare or quoted, and parameters of it that mean nothing to us.
_PREFERENCE: Final = re.compile(
    r"""\s*(?P<name>[\w!#$%&'*+.^`|~-]+)\s*(?:=\s*(?:"(?P<quoted>[^"\\]*)"|(?P<bare>[^\s,;"]*))\s*)?(?:;[^,]*)?(?:,|$)"""
)


def wait_seconds(header: str) -> int | None:
    """Of `wait=N`: how many seconds the caller would wait at most for an answer to begin.

    The first one counts. `None` where there is none, or it is no whole number: a preference that is not
    understood is ignored.
    """
    if len(header) > LONGEST_HEADER:
        return None
    for preference in _PREFERENCE.finditer(header):
        if preference["name"].lower() == "wait":
            value = preference["quoted"] or preference["bare"] or ""
            return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else None
    return None
