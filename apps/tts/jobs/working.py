"""A claim carried out: what is done, what waits and comes again, and what ends the job."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.core.errors import AppError, RateLimited, Unavailable, UpstreamFailed
from apps.tts.jobs import cleaning, events
from apps.tts.jobs.claims import Claim, ClaimLost, Kind, release, renewed
from apps.tts.jobs.finishing import assemble
from apps.tts.jobs.models import JobPart, SpeechJob
from apps.tts.jobs.speaking import identity_for, speak_part
from apps.tts.jobs.splitting import PART_CHARACTERS, spans_of
from apps.usage.admission import Caller
from apps.usage.limits import policies

logger = structlog.get_logger(__name__)

# What comes again by itself: nobody can do it now, or not so fast.
LATER: Final = (RateLimited, Unavailable, UpstreamFailed)
# Tries of one piece of work that ended in a fault, a killed task among them; waiting for others is none.
MAX_TRIES: Final = 6
GIVE_UP_AFTER: Final = timedelta(hours=24)
_LONGEST_WAIT_SECONDS: Final = 60.0


class _OutOfTries(AppError):
    code = "internal_error"


def carry_out(claim: Claim) -> None:
    """Does the claimed work. Raises nothing: what goes wrong is written to the job, or left to its claim."""
    with structlog.contextvars.bound_contextvars(job=str(claim.job_id)):
        try:
            _do(claim)
        except ClaimLost:
            logger.info("claim lost", kind=claim.kind)
            _attempt(release, claim)
        except LATER as error:
            _attempt(_wait, claim, error)
        except AppError as error:
            _attempt(_fail, claim, error)
        except Exception:
            logger.exception("job interrupted", kind=claim.kind)
            _attempt(_stumble, claim)


def _do(claim: Claim) -> None:
    tries = claim.rows.values_list("tries" if claim.part_id is None else "attempts", flat=True).first()
    if tries is None:
        raise ClaimLost
    if tries > MAX_TRIES:
        raise _OutOfTries(f"This failed {MAX_TRIES} times in a row. Resume it to try again.")
    match claim.kind:
        case Kind.SPLIT:
            _split(claim)
        case Kind.SPEAK:
            speak_part(claim)
        case Kind.ASSEMBLE:
            assemble(claim)
            cleaning.remove_parts(claim.job_id)


def _split(claim: Claim) -> None:
    job: SpeechJob | None = claim.rows.select_related("source").first()
    if job is None or job.text_erased_at is not None:
        raise ClaimLost
    reload = identity_for(job)
    identity = reload()
    limits = Caller(identity, policies.of(identity), reload).limits
    with renewed(claim):
        spans = spans_of(
            job.source.text,
            normalize=job.options.get("normalize", "auto"),
            language=job.options.get("language"),
            unknown_tags=job.options.get("unknown_tags", "speak"),
            speed=job.speed,
            longest=min(PART_CHARACTERS, limits.characters_per_request),
        )
    with transaction.atomic():
        if not claim.rows.update(parts_total=len(spans), tries=0, claimed_by=None, claimed_until=None):
            raise ClaimLost
        JobPart.objects.bulk_create(
            JobPart(job=job, number=number, start=span.start, stop=span.stop, ending=span.ending or "")
            for number, span in enumerate(spans, 1)
        )


def _wait(claim: Claim, error: AppError) -> None:
    """Lets others go first and tries again, later each time; gives up where nothing has moved for a day."""
    job = SpeechJob.objects.only("waiting_since").get(pk=claim.job_id)
    waited = timezone.now() - job.waiting_since if job.waiting_since else timedelta()
    if waited > GIVE_UP_AFTER or error.headers.get("x-should-retry") == "false":
        _fail(claim, error)
        return
    if isinstance(error, UpstreamFailed):
        _stumble(claim, error)
        return
    asked = float(error.headers.get("Retry-After", 1))
    seconds = min(max(asked, waited.total_seconds() / 4), _LONGEST_WAIT_SECONDS)
    _put_back(claim, seconds, error.code, counted=False)


def _stumble(claim: Claim, error: AppError | None = None) -> None:
    """Tries again a few times what has failed."""
    name = "tries" if claim.part_id is None else "attempts"
    tries = claim.rows.values_list(name, flat=True).first() or 0
    if tries >= MAX_TRIES:
        _fail(claim, error or _OutOfTries(f"This failed {MAX_TRIES} times in a row. Resume it to try again."))
        return
    _put_back(claim, float(2**tries), error.code if error else _OutOfTries.code, counted=True)


def _put_back(claim: Claim, seconds: float, waits_for: str, *, counted: bool) -> None:
    """Gives the work back, to be claimed again after about that time."""
    name = "tries" if claim.part_id is None else "attempts"
    given_back: dict[str, Any] = {"claimed_by": None, "claimed_until": None}
    if not counted:
        given_back[name] = F(name) - 1
    jitter = seconds * random.uniform(0, 0.2)  # noqa: S311 - spreads load, guards nothing
    with transaction.atomic():
        if not claim.rows.update(**given_back):
            return
        SpeechJob.objects.active().filter(pk=claim.job_id).update(
            not_before=timezone.now() + timedelta(seconds=seconds + jitter),
            waits_for=waits_for,
            waiting_since=Coalesce(F("waiting_since"), timezone.now()),
        )


@transaction.atomic
def _fail(claim: Claim, error: AppError) -> None:
    """Ends the job; what was made of it stays for a while, so that it can be resumed."""
    # Of two parts that are made at once the other one may go on, and its work counts.
    if not claim.rows.update(claimed_by=None, claimed_until=None):
        return
    now = timezone.now()
    failed = SpeechJob.objects.active().filter(pk=claim.job_id)
    if not failed.update(
        state=SpeechJob.State.FAILED,
        error_code=error.code,
        error_message=error.message,
        waits_for="",
        waiting_since=None,
        ended_at=now,
        expires_at=now + timedelta(days=settings.JOB_RESULT_DAYS),
    ):
        return
    logger.warning("job failed", code=error.code, reason=error.message)
    events.emit("job.failed", SpeechJob.objects.get(pk=claim.job_id))


def _attempt(act: Callable[..., None], *arguments: Any) -> None:
    """Where the database is away too, the claim lapses and the work comes again."""
    try:
        act(*arguments)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("left to the claim", error=type(error).__name__)
