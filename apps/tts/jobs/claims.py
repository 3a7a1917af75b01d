"""Which work is done next, and by whom: claims that lapse where their task dies.

Every claim is one conditional UPDATE under one lock, so that the turns of organizations and jobs and the
bound of each organization hold however many processes ask. A claim takes milliseconds, its work seconds.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now

from apps.tts.jobs.models import CLAIMED, UNCLAIMED, JobPart, SpeechJob

logger = structlog.get_logger(__name__)

CLAIM_SECONDS: Final = 20.0
RENEW_SECONDS: Final = 2.0
# Of all that wait, so many are looked at for one claim.
_LOOKED_AT: Final = 1_000
_LOCK: Final = 7_309_940_912_305
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(StrEnum):
    SPLIT = "split"
    SPEAK = "speak"
    ASSEMBLE = "assemble"


@dataclass(frozen=True, slots=True)
class Claim:
    """Work that is ours until its claim lapses; `owner` names it in the row."""

    kind: Kind
    job_id: UUID
    owner: UUID
    part_id: UUID | None = None

    @property
    def rows(self) -> QuerySet[Any]:
        """The row that is claimed, where it still is."""
        if self.part_id is not None:
            return JobPart.objects.filter(pk=self.part_id, claimed_by=self.owner)
        return SpeechJob.objects.filter(pk=self.job_id, claimed_by=self.owner)


class ClaimLost(Exception):
    """Another task has the work now, or nobody wants it any more."""


@transaction.atomic
def claim_next() -> Claim | None:
    """The next work of the organization and the job whose turn it is; None where there is none to do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    return next(filter(None, map(_claim, _in_turn())), None)


def has_work() -> bool:
    """Whether a claim would find some, as far as can be seen without asking for one."""
    return any(_next_part(job) is not None or _is_whole_work(job) for job in _in_turn())


def renew(claim: Claim) -> bool:
    """False where the claim is lost, or its job was cancelled or deleted meanwhile."""
    wanted = SpeechJob.objects.active().filter(pk=claim.job_id)
    if claim.part_id is None:
        return bool(wanted.filter(claimed_by=claim.owner).update(claimed_until=_until()))
    return wanted.exists() and bool(claim.rows.update(claimed_until=_until()))


def release(claim: Claim) -> None:
    claim.rows.update(claimed_by=None, claimed_until=None)


@contextmanager
def renewed(
    claim: Claim, *, on_lost: Callable[[], None] | None = None, every_seconds: float = RENEW_SECONDS
) -> Iterator[threading.Event]:
    """Renews the claim from a thread of its own; once it is lost sets the event and calls `on_lost`."""
    lost, stop = threading.Event(), threading.Event()

    def keep_on() -> None:
        while not stop.wait(every_seconds):
            try:
                is_ours = renew(claim)
            except (DatabaseError, InterfaceError) as error:
                # Whether it was lost is found out when the database is back: what is written asks for it.
                logger.warning("claim not renewed", error=type(error).__name__)
                continue
            finally:
                connection.close()
            if not is_ours:
                lost.set()
                if on_lost:
                    on_lost()
                return

    thread = threading.Thread(target=keep_on, name="claim", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        stop.set()
        thread.join()


def _in_turn() -> list[SpeechJob]:
    """Active jobs of organizations that may have more done at once: those that waited longest first."""
    running: Counter[UUID] = Counter()
    running.update(SpeechJob.objects.filter(CLAIMED).values_list("organization_id", flat=True))
    running.update(JobPart.objects.filter(CLAIMED).values_list("job__organization_id", flat=True))
    jobs = list(
        SpeechJob.objects.active()
        .filter(not_before__lte=Now())
        .order_by(F("turn_at").asc(nulls_first=True), "id")
        .only("organization_id", "turn_at", "parts_total", "parts_done", "claimed_until")[:_LOOKED_AT]
    )
    served: dict[UUID, datetime] = {}
    for job in jobs:
        served[job.organization_id] = max(
            served.get(job.organization_id, _LONG_AGO), job.turn_at or _LONG_AGO
        )
    allowed = [job for job in jobs if running[job.organization_id] < settings.JOB_PARTS_AT_ONCE]
    return sorted(
        allowed,
        key=lambda job: (
            running[job.organization_id],
            served[job.organization_id],
            job.turn_at or _LONG_AGO,
            job.pk,
        ),
    )


def _claim(job: SpeechJob) -> Claim | None:
    if job.parts_total is None or job.parts_done == job.parts_total:
        kind = Kind.SPLIT if job.parts_total is None else Kind.ASSEMBLE
        claim = Claim(kind, job.pk, uuid4())
        held = {"claimed_by": claim.owner, "claimed_until": _until(), "tries": F("tries") + 1}
        return claim if _took_turn(SpeechJob.objects.filter(UNCLAIMED), job, **held) else None
    part_id = _next_part(job)
    if part_id is None or not _took_turn(SpeechJob.objects.all(), job):
        return None
    claim = Claim(Kind.SPEAK, job.pk, uuid4(), part_id)
    JobPart.objects.filter(pk=part_id).update(
        claimed_by=claim.owner, claimed_until=_until(), attempts=F("attempts") + 1
    )
    return claim


def _took_turn(rows: Any, job: SpeechJob, **held: Any) -> bool:
    """False where it was cancelled, deleted or claimed since it was looked at."""
    wanted = rows.filter(pk=job.pk, state__in=SpeechJob.ACTIVE, deleted_at=None)
    return bool(
        wanted.update(
            state=SpeechJob.State.RUNNING,
            started_at=Coalesce(F("started_at"), Now()),
            turn_at=Now(),
            **held,
        )
    )


def _next_part(job: SpeechJob) -> UUID | None:
    waiting = JobPart.objects.filter(
        UNCLAIMED, job_id=job.pk, state__in=[JobPart.State.QUEUED, JobPart.State.KEPT]
    )
    return waiting.order_by("number").values_list("pk", flat=True).first()


def _is_whole_work(job: SpeechJob) -> bool:
    """Whether the job as a whole is to be split or assembled, and nobody does."""
    is_due = job.parts_total is None or job.parts_done == job.parts_total
    return is_due and SpeechJob.objects.filter(UNCLAIMED, pk=job.pk).exists()


def _until() -> Any:
    return Now() + timedelta(seconds=CLAIM_SECONDS)
