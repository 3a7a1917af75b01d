"""Where a request is counted in Redis: its organization's live or test requests, and its key's own limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from apps.keys.identity import Identity
from apps.usage.limits import Limits


class Place(NamedTuple):
    """Redis keys (see lua/common.lua). `key_id` is `None` for that of an organization's whole mode."""

    rate: str
    leases: str
    quota: str
    reservations: str
    organization_id: UUID
    mode: str
    key_id: UUID | None
    month: date


class Bound(NamedTuple):
    """A place and what is allowed there; 0 where nothing limits it."""

    place: Place
    requests_per_minute: int
    concurrent_requests: int
    characters_per_month: int


@dataclass(frozen=True, slots=True)
class Lease:
    """What a running request holds: a place in the count of what runs, and characters of its months."""

    id: str
    characters: int
    bounds: tuple[Bound, ...]

    @property
    def is_limited(self) -> bool:
        """Whether a month's counter is concerned."""
        return any(bound.characters_per_month for bound in self.bounds)


@lru_cache(maxsize=20_000)
def place_of(organization_id: UUID, mode: str, key_id: UUID | None, month: date) -> Place:
    name = key_id or mode
    tag = f"{{{organization_id}}}"
    return Place(
        rate=f"{tag}:rate:{name}",
        leases=f"{tag}:leases:{name}",
        quota=f"{tag}:quota:{name}:{month:%Y-%m}",
        reservations=f"{tag}:reserved:{name}:{month:%Y-%m}",
        organization_id=organization_id,
        mode=mode,
        key_id=key_id,
        month=month,
    )


def bounds_of(identity: Identity, limits: Limits, month: date) -> tuple[Bound, ...]:
    """The organization's place first; the key's only where it has a limit of its own to be counted there."""
    whole = place_of(identity.organization_id, identity.mode, None, month)
    bounds = (
        Bound(
            whole, limits.requests_per_minute, limits.concurrent_requests, limits.characters_per_month or 0
        ),
    )
    own = identity.restrictions
    counted = (own.requests_per_minute or 0, own.concurrent_requests or 0, own.characters_per_month or 0)
    if not any(counted):
        return bounds
    return (
        *bounds,
        Bound(place_of(identity.organization_id, identity.mode, identity.key_id, month), *counted),
    )
