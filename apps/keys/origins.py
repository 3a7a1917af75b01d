"""Which sites' pages may use some key from a browser: what a preflight asks, which carries no key."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

from django.db import DatabaseError, InterfaceError, connection

from apps.keys.models import ApiKey

CACHE_SECONDS = 5.0
CACHE_ENTRIES = 1_000
MAX_CHARACTERS = 255


class KnownOrigins:
    """Of one process: whether any usable key allows an origin, trusted for `CACHE_SECONDS`."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[float, bool]] = OrderedDict()

    async def hold(self, origin: str) -> bool:
        """Asks the database in a thread where that is not known; while it is away nothing is allowed."""
        now = time.monotonic()
        known = self._answers.get(origin)
        if known is not None and now - known[0] <= CACHE_SECONDS:
            return known[1]
        if len(origin) > MAX_CHARACTERS:
            return False
        try:
            answer = await asyncio.to_thread(_is_allowed_by_some_key, origin)
        except (DatabaseError, InterfaceError):
            return False
        self._answers[origin] = (now, answer)
        self._answers.move_to_end(origin)
        if len(self._answers) > CACHE_ENTRIES:
            self._answers.popitem(last=False)
        return answer


def _is_allowed_by_some_key(origin: str) -> bool:
    try:
        allowing = ApiKey.objects.usable().filter(allowed_origins__contains=[origin])
        return bool(allowing.filter(organization__is_suspended=False).exists())
    finally:
        connection.close()  # a thread of the executor would keep it for itself
