"""All that is kept of a person, as one ZIP archive: a JSON file, and their recordings.

It is written while it is read, one recording at a time, so that its size does not matter.
"""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import structlog
from django.core.handlers.asgi import ASGIRequest
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from apps.contributions import ledger, showing
from apps.contributions.models import (
    Clip,
    ClipReport,
    ConsentRecord,
    ConsentWithdrawal,
    Contributor,
    Payout,
    PromptReport,
    Vote,
)
from apps.core import media

logger = structlog.get_logger(__name__)

DATA_NAME: Final = "data.json"
_EXTENSIONS: Final = {b"\x1aE\xdf\xa3": "webm", b"OggS": "ogg", b"RIFF": "wav", b"fLaC": "flac"}


def data_of(contributor: Contributor) -> dict[str, Any]:
    """What is known of the person, without the recordings themselves."""
    user = contributor.user
    return {
        "exported_at": timezone.now(),
        "account": {"email": user.email, "name": user.name} if user else None,
        "profile": {
            "id": contributor.pk,
            "since": contributor.created_at,
            "age_band": contributor.age_band,
            "gender": contributor.gender,
            "accent": contributor.accent,
            "payout_account": contributor.payout_account,
        },
        "consents": [_consent(record) for record in consents_of(contributor)],
        "clips": [_clip(clip) for clip in _clips(contributor)],
        "votes": list(
            Vote.objects.filter(voter=contributor)
            .order_by("id")
            .values("clip_id", "is_valid", "round", "created_at")
        ),
        "reports": {
            "sentences": list(
                PromptReport.objects.filter(contributor=contributor).values("prompt__text", "reason")
            ),
            "recordings": list(
                ClipReport.objects.filter(reporter=contributor).values("clip_id", "reason", "created_at")
            ),
        },
        "money": _money(contributor),
    }


def consents_of(contributor: Contributor) -> list[ConsentRecord]:
    """Newest first, with their texts and withdrawals."""
    records = contributor.consents.select_related("campaign", "text", "withdrawal").order_by("-id")
    return list(records)


def withdrawal_of(record: ConsentRecord) -> ConsentWithdrawal | None:
    found: ConsentWithdrawal | None = getattr(record, "withdrawal", None)
    return found


def answer(request: HttpRequest, contributor: Contributor) -> StreamingHttpResponse:
    """The archive, in parts as they are made, under either server."""
    parts = _archive(data_of(contributor), _files(contributor))
    is_asgi = isinstance(request, ASGIRequest)
    response = StreamingHttpResponse(_in_threads(parts) if is_asgi else parts, content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="my-recordings.zip"'
    response["Cache-Control"] = "no-store"
    return response


def _clips(contributor: Contributor) -> list[Clip]:
    return list(contributor.clips.select_related("prompt", "campaign").order_by("id"))


def _clip(clip: Clip) -> dict[str, Any]:
    return {
        "id": clip.pk,
        "campaign": clip.campaign.name,
        "sentence": clip.prompt.text,
        "state": clip.state,
        "reason": clip.reason,
        "recorded_at": clip.created_at,
        "decided_at": clip.decided_at,
        "duration_ms": clip.duration_ms,
        "speech_ms": clip.speech_ms,
        "cents_per_minute": clip.cents_per_minute,
        "transcript": clip.transcript,
        "report": clip.report,
        "consents": [str(pk) for pk in clip.consents.values_list("pk", flat=True)],
        "files_gone_at": clip.files_gone_at,
    }


def _consent(record: ConsentRecord) -> dict[str, Any]:
    withdrawal = withdrawal_of(record)
    return {
        "id": record.pk,
        "campaign": record.campaign.name,
        "purpose": record.purpose,
        "version": record.version,
        "locale": record.locale,
        "sha256": record.sha256,
        "text": record.text.text,
        "given_at": record.created_at,
        "network": record.network,
        "user_agent": record.user_agent,
        "withdrawn_at": withdrawal.created_at if withdrawal else None,
        "carried_out_at": withdrawal.done_at if withdrawal else None,
    }


def _money(contributor: Contributor) -> dict[str, Any]:
    balance = ledger.balance(contributor)
    earned = [showing.earning_of(posting) for posting in showing.earnings(contributor)]
    payouts = Payout.objects.filter(contributor=contributor).values(
        "id", "cents", "state", "transfer_id", "problem", "created_at", "settled_at"
    )
    return {
        "currency": "USD",
        "pending_cents": balance.pending,
        "payable_cents": balance.payable,
        "on_the_way_cents": balance.on_the_way,
        "paid_cents": balance.paid,
        "earnings": [
            {"clip_id": e.clip.pk, "cents": e.cents, "state": e.state, "due_at": e.due_at} for e in earned
        ],
        "payouts": list(payouts),
    }


def _files(contributor: Contributor) -> list[tuple[str, str]]:
    """The key and the name of each; a name without an extension gets one by what the file is."""
    found = []
    for clip in _clips(contributor):
        if clip.flac_key:
            found.append((clip.flac_key, f"recordings/{clip.pk}.flac"))
        if clip.original_key:
            found.append((clip.original_key, f"recordings/{clip.pk}-as-sent"))
    return found


def _archive(data: dict[str, Any], files: list[tuple[str, str]]) -> Iterator[bytes]:
    """No database here: it is read in threads, long after the view."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(DATA_NAME, json.dumps(data, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
        yield sink.take()
        for key, name in files:
            try:
                content = media.read(key)
            except FileNotFoundError:
                logger.warning("a recording is missing in an export", key=key)
                continue
            archive.writestr(_named(name, content), content)
            yield sink.take()
    yield sink.take()


def _named(name: str, content: bytes) -> str:
    if name.endswith(".flac"):
        return name
    kind = _EXTENSIONS.get(content[:4], "m4a" if content[4:8] == b"ftyp" else "bin")
    return f"{name}.{kind}"


class _Sink(io.RawIOBase):
    """What an archive is written to: cannot be sought, and gives away what it has."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


async def _in_threads(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """ASGI would read a synchronous iterator whole before it sends."""
    while (part := await asyncio.to_thread(next, parts, None)) is not None:
        yield part
