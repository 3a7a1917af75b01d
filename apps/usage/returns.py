"""Leases on their way back to Redis: along with their organization's next admission, or a moment later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from apps.usage.places import Lease

# Others see that long that something runs which has ended; its own process sees it at once.
RETURN_SECONDS: Final = 0.02


class Returned(NamedTuple):
    """A lease that has ended, and the characters that were charged."""

    lease: Lease
    charged: int

    @property
    def organization_id(self) -> UUID:
        return self.lease.bounds[0].place.organization_id


class Returns:
    """Of one speech process, on one event loop. A call for each would cost as much as an admission."""

    def __init__(
        self,
        send: Callable[[Sequence[Returned]], Coroutine[Any, Any, None]],
        *,
        wait_seconds: float = RETURN_SECONDS,
    ) -> None:
        """`send` tells Redis of some of one organization."""
        self._send = send
        self._wait_seconds = wait_seconds
        self._waiting: dict[UUID, list[Returned]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()

    def add(self, returned: Returned, *, at_once: bool) -> None:
        """Nobody waits for it."""
        self._waiting.setdefault(returned.organization_id, []).append(returned)
        if at_once:
            self._begin(self.take(returned.organization_id))
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._wait_seconds, self._send_all)

    def take(self, organization_id: UUID) -> list[Returned]:
        """What goes along with an admission: whoever takes them tells Redis."""
        return self._waiting.pop(organization_id, [])

    async def flush(self) -> None:
        """Returns when Redis knows of all that were added, or was found away."""
        self._send_all()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _send_all(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for organization_id in list(self._waiting):
            self._begin(self.take(organization_id))

    def _begin(self, some: Sequence[Returned]) -> None:
        task = asyncio.create_task(self._send(some))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
