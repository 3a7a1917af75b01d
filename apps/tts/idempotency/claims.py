"""Who makes an answer, and the answers that are kept: database and media, for threads and tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from apps.core import media
from apps.core.crypto import decrypt_bytes, encrypt_bytes
from apps.core.errors import Conflict
from apps.tts.calls import Answer
from apps.tts.idempotency.models import MEDIA_FOLDER, IdempotentAnswer
from apps.usage.reconciler import is_alive

logger = structlog.get_logger(__name__)

KEPT_FOR: Final = timedelta(hours=24)
# Longer than a worker may take for one request (`speech.DEADLINE_MS`).
LONGEST_WORK: Final = timedelta(minutes=11)
# A process that has just begun may claim before its first heartbeat is written.
FIRST_HEARTBEAT: Final = timedelta(seconds=10)
_FILE_LIVES: Final = KEPT_FOR + timedelta(hours=1)
_BATCH: Final = 200
# The OpenAI SDK retries a 409 by itself, unless it is told whether that helps.
_NEVER_AGAIN: Final = {"x-should-retry": "false"}
_SOON: Final = {"x-should-retry": "true", "Retry-After": "1"}
State = IdempotentAnswer.State


@dataclass(frozen=True, slots=True)
class Asked:
    """A call under an idempotency key."""

    organization_id: UUID
    key_id: UUID
    idempotency_key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make an answer, until it is kept or given up."""

    id: UUID
    organization_id: UUID


def claim(asked: Asked, *, owner_id: UUID) -> Claim | Answer:
    """The right to make the answer, or the one that is kept.

    Raises `Conflict`: idempotency_in_progress, idempotency_mismatch, and where the answer was made but is
    not there to be given again, idempotency_answer_too_large or idempotency_answer_lost.
    """
    while True:
        row, is_new = IdempotentAnswer.objects.get_or_create(
            api_key_id=asked.key_id,
            idempotency_key=asked.idempotency_key,
            defaults={
                "organization_id": asked.organization_id,
                "body_hash": asked.body_hash,
                "owner_id": owner_id,
                "expires_at": timezone.now() + KEPT_FOR,
            },
        )
        if is_new:
            return Claim(row.id, row.organization_id)
        if not _is_over(row):
            return _again(row, asked)
        # Whoever asks at the same time removes the same row and no other; one of them makes the next.
        remove(row)


def keep(claim: Claim, *, status: int, headers: dict[str, str], body: bytes) -> None:
    """The answer came whole. Where somebody took the key over meanwhile, theirs is the one that is kept."""
    row = IdempotentAnswer(id=claim.id, organization_id=claim.organization_id)
    media.save(row.media_key, encrypt_bytes(body))
    if not _running(claim).update(state=State.DONE, status=status, headers=headers, size_bytes=len(body)):
        media.delete(row.media_key)


def give_up(claim: Claim) -> None:
    """The call came to nothing: the key is free."""
    _running(claim).delete()


def mark(claim: Claim, state: State) -> None:
    """The answer was given, and cannot be given again."""
    _running(claim).update(state=state)


def remove(row: IdempotentAnswer) -> None:
    """Without its row nobody finds the file; one that stays behind is swept away by its age."""
    IdempotentAnswer.objects.filter(pk=row.pk).delete()
    media.delete(row.media_key)


def remove_expired() -> int:
    """Rows and files whose day is over; answers how many. Safe to run twice at once, and to be killed."""
    removed = 0
    while rows := IdempotentAnswer.objects.filter(expires_at__lte=timezone.now())[:_BATCH]:
        for row in rows:
            # First the file: a row that is left behind by a kill leads to it again.
            media.delete(row.media_key)
        removed += IdempotentAnswer.objects.filter(pk__in=[row.pk for row in rows]).delete()[0]
    return removed


def sweep() -> int:
    """Removes files without a row; answers how many. None is of use for longer than a day."""
    old = timezone.now() - _FILE_LIVES
    found = [key for key, written_at in media.listed(MEDIA_FOLDER) if written_at < old]
    for key in found:
        media.delete(key)
    return len(found)


def _running(claim: Claim) -> QuerySet[Any]:
    return IdempotentAnswer.objects.filter(pk=claim.id, state=State.RUNNING)


def _is_over(row: IdempotentAnswer) -> bool:
    """Expired, or its maker is dead: the key is as if it were new."""
    now = timezone.now()
    if row.expires_at <= now:
        return True
    if row.state != State.RUNNING:
        return False
    age = now - row.created_at
    longest = LONGEST_WORK + timedelta(seconds=settings.SPEECH_WAIT_MAX_SECONDS)
    return age > longest or (age > FIRST_HEARTBEAT and not is_alive(row.owner_id))


def _again(row: IdempotentAnswer, asked: Asked) -> Answer:
    """What is kept, for the same call. Raises `Conflict`."""
    if bytes(row.body_hash) != asked.body_hash:
        raise Conflict(
            "This Idempotency-Key was used for another request. Use a new key for each one.",
            code="idempotency_mismatch",
            headers=_NEVER_AGAIN,
        )
    match row.state:
        case State.RUNNING:
            raise Conflict(
                "The first request with this Idempotency-Key is still being answered.",
                code="idempotency_in_progress",
                headers=_SOON,
            )
        case State.TOO_LARGE:
            raise Conflict(
                "The request was answered before; the answer was too large to be kept. To have it made and "
                "charged anew, use another Idempotency-Key.",
                code="idempotency_answer_too_large",
                headers=_NEVER_AGAIN,
            )
        case State.LOST:
            raise _lost()
    return _kept(row)


def _kept(row: IdempotentAnswer) -> Answer:
    try:
        body = decrypt_bytes(media.read(row.media_key))
    except (FileNotFoundError, InvalidToken) as error:
        logger.error("kept answer lost", answer=str(row.id), error=type(error).__name__)
        raise _lost() from error
    headers = row.headers | {"Idempotent-Replayed": "true"}
    return Answer(status=row.status or 200, headers=headers, body=body)


def _lost() -> Conflict:
    return Conflict(
        "The request was answered before; the answer is no longer there. To have it made and charged anew, "
        "use another Idempotency-Key.",
        code="idempotency_answer_lost",
        headers=_NEVER_AGAIN,
    )
