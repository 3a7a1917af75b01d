"""Jobs made, cancelled, resumed and deleted; the link to what came of one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.core import media
from apps.core.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded, RateLimited, Unavailable
from apps.deployments.catalogue import CLONE, read_table
from apps.deployments.resolving import NOBODY_READY, Choice, resolve
from apps.keys.identity import Identity
from apps.tts.jobs import tasks
from apps.tts.jobs.models import MAX_TITLE_CHARACTERS, JobPart, JobText, SpeechJob
from apps.tts.jobs.splitting import refuse_unspeakable
from apps.tts.meaning import TEST_ENGINE
from apps.tts.request import SpeechBody
from apps.usage.admission import Caller
from apps.usage.allowances import allowances
from apps.usage.limits import policies
from apps.voices.resolving import find_voice
from gpu_worker.text import has_rules

MAX_CHARACTERS: Final = 500_000
MAX_ACTIVE: Final = 100
# What a column of its own holds, and what a job has no use for.
_NOT_OPTIONS: Final = ("text", "model", "voice", "format", "stream", "word_times")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a job's file can be fetched until `expires_at`, by whoever has the URL."""

    url: str
    expires_at: datetime


def create_job(
    *,
    identity: Identity,
    body: SpeechBody,
    title: str = "",
    created_by: User | None = None,
    idempotency_key: str = "",
) -> tuple[SpeechJob, bool]:
    """The job, and whether it is new: the same `idempotency_key` with the same body gives the same job.

    Raises `InvalidRequest` (`text_too_long` and others), `CannotSpeak`, `NotFound` for an unknown model or
    voice, `QuotaExceeded`, `RateLimited` (`too_many_jobs`), `Conflict` (`idempotency_mismatch`).
    """
    title = " ".join(title.split())
    if len(title) > MAX_TITLE_CHARACTERS:
        raise InvalidRequest(f"A title has at most {MAX_TITLE_CHARACTERS} characters.", param="title")
    body_hash = _hash_of(title, body)
    if known := _same(identity, idempotency_key, body_hash):
        return known, False
    choice = _checked(identity, body)
    try:
        with transaction.atomic():
            job = SpeechJob.objects.create(
                organization_id=identity.organization_id,
                key_id=identity.key_id,
                created_by=created_by,
                mode=identity.mode,
                idempotency_key=idempotency_key,
                body_hash=body_hash,
                title=title,
                characters=len(body.text),
                model=(choice and choice.model) or body.model or "",
                voice=(choice and choice.voice) or body.voice or "",
                format=body.format,
                options={name: value for name, value in asdict(body).items() if name not in _NOT_OPTIONS},
            )
            JobText.objects.create(job=job, text=body.text)
            _call_for_work()
    except IntegrityError:
        # Another request with the same key was faster.
        if known := _same(identity, idempotency_key, body_hash):
            return known, False
        raise
    return job, True


@transaction.atomic
def cancel_job(*, job: SpeechJob) -> None:
    """Ends it within seconds; what was made is charged and thrown away. Cancelling again changes nothing.

    Raises `Conflict` for a job that is over otherwise.
    """
    now = timezone.now()
    cancelled = (
        SpeechJob.objects.active()
        .filter(pk=job.pk)
        .update(
            state=SpeechJob.State.CANCELLED, ended_at=now, expires_at=now, waits_for="", waiting_since=None
        )
    )
    job.refresh_from_db()
    if not cancelled and job.state != SpeechJob.State.CANCELLED:
        raise Conflict(f"This job is {job.state}; only one that is queued or running can be cancelled.")
    if cancelled:
        transaction.on_commit(lambda: tasks.clean.delay(str(job.pk)), robust=True)


@transaction.atomic
def resume_job(*, job: SpeechJob) -> None:
    """Goes on with a job that failed; parts that are done stay done. Raises `Conflict`."""
    now = timezone.now()
    resumed = SpeechJob.objects.present().filter(
        pk=job.pk, state=SpeechJob.State.FAILED, expires_at__gt=now, text_erased_at=None
    )
    if not resumed.update(
        state=SpeechJob.State.QUEUED,
        error_code="",
        error_message="",
        tries=0,
        not_before=now,
        ended_at=None,
        expires_at=None,
    ):
        job.refresh_from_db()
        raise Conflict(_why_not_resumed(job))
    JobPart.objects.filter(job=job).update(attempts=0)
    job.refresh_from_db()
    _call_for_work()


@transaction.atomic
def delete_job(*, job: SpeechJob) -> None:
    """It is gone for everybody at once, its text too; its files follow within minutes."""
    now = timezone.now()
    SpeechJob.objects.active().filter(pk=job.pk).update(state=SpeechJob.State.CANCELLED, ended_at=now)
    SpeechJob.objects.filter(pk=job.pk).update(
        deleted_at=now, expires_at=now, text_erased_at=now, title="", idempotency_key=""
    )
    JobText.objects.filter(pk=job.pk).delete()
    transaction.on_commit(tasks.tidy.delay, robust=True)


def require_length(text: str) -> None:
    """Raises `InvalidRequest` (`text_too_long`)."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidRequest(
            f"The text has {len(text)} characters; a job has at most {MAX_CHARACTERS}.",
            code="text_too_long",
            param="text",
        )


def require_result(job: SpeechJob) -> None:
    """Raises `Conflict` (`job_not_completed`), or `NotFound` (`result_expired`)."""
    if job.state != SpeechJob.State.COMPLETED:
        raise Conflict(f"This job is {job.state}: there is no audio of it.", code="job_not_completed")
    if job.is_expired or not job.result_key:
        raise NotFound(
            f"The audio of a job is kept for {settings.JOB_RESULT_DAYS} days, which are over.",
            code="result_expired",
        )


def link_of(job: SpeechJob) -> Link:
    """Signed anew with each call. Raises as `require_result`."""
    require_result(job)
    assert job.expires_at is not None  # noqa: S101 - of every job that is over
    now = timezone.now()
    seconds = min(settings.JOB_LINK_SECONDS, max(1, int((job.expires_at - now).total_seconds())))
    url = media.signed_link(
        job.result_key, expires_seconds=seconds, filename=job.filename, content_type=job.content_type
    )
    return Link(url, now + timedelta(seconds=seconds))


def _checked(identity: Identity, body: SpeechBody) -> Choice | None:
    """What can be known before any work; None while no worker has told yet what can be spoken."""
    require_length(body.text)
    if body.normalize == "on" and not has_rules(body.language or "en"):
        raise InvalidRequest(
            "Only English can be written out; leave normalize on auto, or off.", param="normalize"
        )
    body.encoding()
    refuse_unspeakable(body.text, unknown_tags=body.unknown_tags)
    choice = _choice(identity, body)
    _require_room(identity, len(body.text))
    return choice


def _choice(identity: Identity, body: SpeechBody) -> Choice | None:
    """The model and voice meant, so that a default which changes later changes no job; a clone by its id.

    None while no worker has told what can be spoken. Raises `NotFound`, `PermissionDenied`, `Unavailable`.
    """
    is_test = identity.mode == "test"
    own = None
    if body.voice and not is_test:
        own = find_voice(organization_id=identity.organization_id, reference=body.voice)
    table = read_table()
    try:
        choice = resolve(
            table.of_engine(TEST_ENGINE) if is_test else table,
            organization_id=None if is_test else identity.organization_id,
            model=body.model,
            voice=None if own else body.voice,
            features=frozenset({CLONE} if own else ()),
            may_use_shared=is_test or policies.of(identity).may_use_shared_pool,
        )
    except Unavailable as error:
        if error.code != NOBODY_READY:
            raise
        return None
    names = (own.public_id, own.name) if own else (choice.voice,)
    _caller(identity).require_voice(*names)
    return Choice(choice.model, names[0])


def _caller(identity: Identity) -> Caller:
    return Caller(identity, policies.of(identity), lambda: identity)


def _require_room(identity: Identity, characters: int) -> None:
    active = SpeechJob.objects.active().filter(organization_id=identity.organization_id)
    if active.count() >= MAX_ACTIVE:
        raise RateLimited(
            f"{MAX_ACTIVE} jobs are queued or running already. Wait for one to end, or cancel one.",
            code="too_many_jobs",
            retry_after_seconds=60,
        )
    _require_quota(identity, characters)


def _require_quota(identity: Identity, characters: int) -> None:
    """Said before any work; what is left may be used up by other requests while the job runs."""
    limits = Caller(identity, policies.of(identity), lambda: identity).limits
    if limits.characters_per_month is None and identity.restrictions.characters_per_month is None:
        return
    for allowance in allowances([identity.organization_id], timezone.now().date()):
        is_ours = allowance.mode == identity.mode and allowance.key_id in (None, identity.key_id)
        if is_ours and allowance.limit is not None and allowance.used + characters > allowance.limit:
            left = max(0, allowance.limit - allowance.used)
            raise QuotaExceeded(
                f"This job has {characters} characters; {left} of {allowance.limit} are left this month."
            )


def _same(identity: Identity, idempotency_key: str, body_hash: bytes) -> SpeechJob | None:
    """The job that this key made by the same call. Raises `Conflict` where it was another call."""
    if not idempotency_key or identity.key_id is None:
        return None
    made = SpeechJob.objects.present().filter(key_id=identity.key_id, idempotency_key=idempotency_key)
    job: SpeechJob | None = made.first()
    if job is not None and bytes(job.body_hash) != body_hash:
        raise Conflict(
            "This Idempotency-Key was used for another job. Use a new key for each one.",
            code="idempotency_mismatch",
            headers={"x-should-retry": "false"},
        )
    return job


def _hash_of(title: str, body: SpeechBody) -> bytes:
    told: dict[str, Any] = {"title": title, **asdict(body)}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()


def _call_for_work() -> None:
    """Without a broker the schedule calls later."""
    transaction.on_commit(tasks.work.delay, robust=True)


def _why_not_resumed(job: SpeechJob) -> str:
    if job.state != SpeechJob.State.FAILED:
        return f"This job is {job.state}; only one that failed can be resumed."
    return "What was made of this job is no longer kept. Start a new one."
