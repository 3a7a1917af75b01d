"""Requests that wait for a slot: bounded, and tenants take turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from apps.core.errors import AppError
from apps.deployments.catalogue import Need

SlotT = TypeVar("SlotT")


class QueueFullError(Exception):
    """The queue has no place for this tenant."""


@dataclass(eq=False, slots=True)
class Waiter(Generic[SlotT]):
    """A request in the queue; `wish` is equal for those that can use the same slots."""

    need: Need
    tried: frozenset[UUID]
    slot: asyncio.Future[SlotT]
    refusal: Callable[[], AppError]
    wish: tuple[object, ...] = field(init=False)

    def __post_init__(self) -> None:
        need = self.need
        owner = (need.organization_id, need.may_use_shared)
        self.wish = (*owner, need.model, need.voice, need.features, need.engine, self.tried)

    def refuse(self) -> None:
        """Ends the wait without a slot, where it has not ended yet."""
        if not self.slot.done():
            self.slot.set_exception(self.refusal())

    def given(self) -> SlotT | None:
        """The slot that it was given, whether or not the request heard of it."""
        if not self.slot.done() or self.slot.cancelled() or self.slot.exception() is not None:
            return None
        return self.slot.result()


class FairQueue(Generic[SlotT]):
    """Not for use from several threads.

    `places` bound it. While others wait, a tenant gets at most half of them; where it is full all the same,
    the tenant with the most gives up its youngest request for one that has at least two fewer: whoever fills
    the queue shuts nobody out.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._tenants: dict[UUID, dict[Waiter[SlotT], None]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Waiter[SlotT]]:
        for waiting in self._tenants.values():
            yield from waiting

    def has_place_for(self, tenant: UUID) -> bool:
        held = len(self._tenants.get(tenant, ()))
        others_wait = self._length > held
        if others_wait and held >= max(1, self._places // 2):
            return False
        return self._length < self._places or held + 1 < self._most_held()

    def join(self, waiter: Waiter[SlotT]) -> Waiter[SlotT] | None:
        """Takes the last place of its tenant. Returns who had to leave for it. Raises `QueueFullError`."""
        if not self.has_place_for(waiter.need.tenant):
            raise QueueFullError
        displaced = self._youngest_of_the_most() if self._length >= self._places else None
        if displaced is not None:
            self.leave(displaced)
        self._tenants.setdefault(waiter.need.tenant, {})[waiter] = None
        self._length += 1
        return displaced

    def leave(self, waiter: Waiter[SlotT]) -> None:
        """One that is not in the queue is no error."""
        waiting = self._tenants.get(waiter.need.tenant)
        if waiting is None or waiter not in waiting:
            return
        del waiting[waiter]
        self._length -= 1
        if not waiting:
            del self._tenants[waiter.need.tenant]

    def serve(self, give: Callable[[Waiter[SlotT]], bool]) -> None:
        """Offers slots in rounds, one a tenant, who was served longest ago first, until `give` finds none.

        Where it finds none for a wish, nobody with the same wish is offered one.
        """
        in_vain: set[tuple[object, ...]] = set()
        goes_on = True
        while goes_on:
            goes_on = False
            for tenant in list(self._tenants):
                served = self._serve_one(self._tenants[tenant], give, in_vain)
                if served is None:
                    continue
                goes_on = True
                self.leave(served)
                if tenant in self._tenants:
                    self._tenants[tenant] = self._tenants.pop(tenant)

    @staticmethod
    def _serve_one(
        waiting: dict[Waiter[SlotT], None],
        give: Callable[[Waiter[SlotT]], bool],
        in_vain: set[tuple[object, ...]],
    ) -> Waiter[SlotT] | None:
        for waiter in waiting:
            # One that was cancelled leaves when its task runs next.
            if waiter.slot.done() or waiter.wish in in_vain:
                continue
            if give(waiter):
                return waiter
            in_vain.add(waiter.wish)
        return None

    def _most_held(self) -> int:
        return max(map(len, self._tenants.values()), default=0)

    def _youngest_of_the_most(self) -> Waiter[SlotT]:
        most = max(self._tenants.values(), key=len)
        return next(reversed(most))
