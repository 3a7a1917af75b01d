"""Whose turn it is to make a step of a release: claims that are renewed, and lapse where their task dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from apps.contributions.models import Release
from apps.contributions.releasing import keeping

logger = structlog.get_logger(__name__)

CLAIM_SECONDS: Final = 120.0
RENEW_SECONDS: Final = 15.0
UNCLAIMED: Final = Q(claimed_until=None) | Q(claimed_until__lte=Now())


class ClaimLost(Exception):
    """Another task makes it now, or what it would be made of was withdrawn."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One step that is ours to make until the claim lapses."""

    release_id: UUID
    owner: UUID
    generation: int

    @property
    def rows(self) -> QuerySet[Release]:
        """The release, where it still is ours and of the same files."""
        return Release.objects.filter(
            pk=self.release_id,
            claimed_by=self.owner,
            generation=self.generation,
            state=Release.State.MAKING,
        )


def claim(release_id: UUID) -> Claim | None:
    """None where it is claimed, or neither waits nor is being made."""
    owner = uuid4()
    free = Release.objects.filter(UNCLAIMED, pk=release_id, state__in=Release.IN_WORK)
    taken = free.update(
        state=Release.State.MAKING, claimed_by=owner, claimed_until=_until(), tries=F("tries") + 1
    )
    if not taken:
        return None
    generation: int = Release.objects.values_list("generation", flat=True).get(pk=release_id)
    return Claim(release_id, owner, generation)


def waiting() -> list[UUID]:
    """Releases that nobody is at: just frozen, between two steps, or their task died."""
    found = Release.objects.filter(UNCLAIMED, state__in=Release.IN_WORK)
    return list(found.order_by("id").values_list("pk", flat=True))


def give_back(claim: Claim, *, counted: bool) -> None:
    """To be claimed again at once; a try that is not `counted` had nothing to do with the release."""
    given = {} if counted else {"tries": F("tries") - 1}
    claim.rows.update(claimed_by=None, claimed_until=None, **given)


@contextmanager
def renewed(claim: Claim, *, every_seconds: float = RENEW_SECONDS) -> Iterator[threading.Event]:
    """Renews the claim from a thread; the event is set once the step is in vain."""
    in_vain, stop = threading.Event(), threading.Event()

    def keep_on() -> None:
        while not stop.wait(every_seconds):
            try:
                is_good = bool(claim.rows.update(claimed_until=_until()))
                is_good = is_good and not keeping.has_withdrawn(claim.release_id)
            except (DatabaseError, InterfaceError) as error:
                # Whether it was lost is found out when the database is back: what is written asks for it.
                logger.warning("claim not renewed", error=type(error).__name__)
                continue
            finally:
                connection.close()
            if not is_good:
                in_vain.set()
                return

    thread = threading.Thread(target=keep_on, name="claim", daemon=True)
    thread.start()
    try:
        yield in_vain
    finally:
        stop.set()
        thread.join()


def _until() -> Any:
    return Now() + timedelta(seconds=CLAIM_SECONDS)
