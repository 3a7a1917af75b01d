"""The quality pipeline over one clip: measured once, judged by the campaign's gates, decided.

A task that dies leaves a claim that lapses; what it had done is done over. The audio is stored under a name
that follows from its content, so that doing it over leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now

from apps.contributions import deciding
from apps.contributions.gates import gates_of
from apps.contributions.models import Campaign, Clip, ClipPrint, Decision
from apps.contributions.quality import (
    Figures,
    Measured,
    Report,
    Verdict,
    fingerprint,
    measure,
    report_of,
)
from apps.core import media
from apps.core.errors import Conflict

logger = structlog.get_logger(__name__)

CLAIM: Final = timedelta(minutes=3)
# One whose task always dies goes to people, who hear what is wrong with it.
MAX_CHECKS: Final = 4
_ENDED: Final = "We could not check this recording by machine; a person listens to it."
# Of clips that share a part of their fingerprint, those that share the most.
_COMPARED: Final = 20
_VOICES: Final = 20
_STATES: Final = {
    Verdict.ACCEPT: Clip.State.ACCEPTED,
    Verdict.REVIEW: Clip.State.IN_REVIEW,
    Verdict.REJECT: Clip.State.REJECTED,
}


def check(clip_id: UUID) -> bool:
    """Measures and decides; False where another task is at it, or there is nothing to check.

    Raises `DecodingTimedOut` where the machine is too busy: its claim lapses, and it is checked again.
    """
    owner = uuid4()
    if not _claim(clip_id, owner):
        return False
    clip = Clip.objects.select_related("campaign", "prompt", "contributor").get(pk=clip_id)
    if clip.checks > MAX_CHECKS:
        _decide(clip, owner, None)
        return True
    measured = measure(
        media.read(clip.original_key),
        prompt=clip.prompt.text,
        language=clip.campaign.language,
        stated_seconds=clip.told_duration_ms / 1000,
    )
    _decide(clip, owner, measured)
    return True


def waiting() -> list[UUID]:
    """Clips that nobody is at: never called for, or their task died."""
    free = Q(claimed_until=None) | Q(claimed_until__lte=Now())
    found = Clip.objects.filter(free, state__in=[Clip.State.UPLOADED, Clip.State.CHECKING])
    return list(found.order_by("id").values_list("pk", flat=True)[:200])


def judge_again(campaign: Campaign) -> int:
    """After its gates changed: what nobody but the pipeline decided is judged by the new ones, by what was
    measured. Answers how many came out otherwise."""
    by_people = [Decision.Source.STAFF, Decision.Source.VOTES]
    machine_decided = (
        Clip.objects.filter(
            campaign=campaign,
            state__in=[Clip.State.ACCEPTED, Clip.State.IN_REVIEW, Clip.State.REJECTED],
            files_gone_at=None,
        )
        .exclude(figures={})
        .exclude(decisions__source__in=by_people)
        .exclude(votes__isnull=False)
    )
    return sum(_judge_again(clip_id) for clip_id in list(machine_decided.values_list("pk", flat=True)))


def _claim(clip_id: UUID, owner: UUID) -> bool:
    free = Q(claimed_until=None) | Q(claimed_until__lte=Now())
    found = Clip.objects.filter(free, pk=clip_id, state__in=[Clip.State.UPLOADED, Clip.State.CHECKING])
    return bool(
        found.update(
            state=Clip.State.CHECKING,
            claimed_by=owner,
            claimed_until=Now() + CLAIM,
            checks=F("checks") + 1,
        )
    )


def _decide(clip: Clip, owner: UUID, measured: Measured | None) -> None:
    report = _report(clip, measured) if measured is not None else None
    if measured is not None and measured.audio is not None:
        clip.flac_key = f"{clip.folder}/{measured.audio.sha256[:16]}.flac"
        media.save(clip.flac_key, measured.audio.flac)
    with transaction.atomic():
        ours = Clip.objects.select_for_update().filter(
            pk=clip.pk, claimed_by=owner, state=Clip.State.CHECKING
        )
        if not ours.exists():
            # Withdrawn, or checked by another meanwhile.
            _leave_no_file(clip)
            return
        if measured is not None and report is not None:
            _keep(clip, measured, report)
        to, reason = _verdict(report)
        deciding.decide(clip, to=to, source=Decision.Source.PIPELINE, reason=reason)


def _leave_no_file(clip: Clip) -> None:
    """Unless another task is at the clip, or has kept the very file: its name follows from its content."""
    held, state = Clip.objects.values_list("flac_key", "state").get(pk=clip.pk)
    if clip.flac_key and clip.flac_key != held and state != Clip.State.CHECKING:
        media.delete(clip.flac_key)


def _keep(clip: Clip, measured: Measured, report: Report) -> None:
    figures = measured.figures
    clip.figures = figures.as_dict()
    clip.report = _lines(report)
    clip.transcript = figures.transcript or ""
    clip.fingerprint, clip.voice = measured.fingerprint, measured.voice
    clip.duration_ms = round(figures.seconds * 1000) if figures.seconds is not None else None
    clip.speech_ms = round(figures.speech_seconds * 1000) if figures.speech_seconds is not None else None
    clip.save(
        update_fields=[
            *("figures", "report", "transcript", "fingerprint", "voice", "flac_key"),
            *("duration_ms", "speech_ms", "updated_at"),
        ]
    )
    ClipPrint.objects.filter(clip=clip).delete()
    if measured.fingerprint is not None:
        keys = fingerprint.index_keys(fingerprint.deserialise(measured.fingerprint))
        ClipPrint.objects.bulk_create((ClipPrint(clip=clip, value=value) for value in keys), batch_size=1000)


def _report(clip: Clip, measured: Measured) -> Report:
    return report_of(
        measured,
        gates_of(clip.campaign),
        others=_candidates(clip, measured.fingerprint),
        voices=_voices(clip),
    )


def _candidates(clip: Clip, print_of_clip: bytes | None) -> Iterator[bytes]:
    """Fingerprints of this campaign's clips that this one may repeat."""
    if print_of_clip is None:
        return
    keys = fingerprint.index_keys(fingerprint.deserialise(print_of_clip))
    others = (
        ClipPrint.objects.filter(value__in=keys, clip__campaign=clip.campaign_id)
        .exclude(clip=clip)
        .exclude(clip__state__in=[Clip.State.REJECTED, Clip.State.WITHDRAWN])
    )
    near = (
        others.values("clip_id")
        .annotate(shared=Count("pk"))
        .filter(shared__gte=fingerprint.MIN_SHARED_KEYS)
        .order_by("-shared")[:_COMPARED]
    )
    found = Clip.objects.filter(pk__in=[row["clip_id"] for row in near], fingerprint__isnull=False)
    yield from (bytes(other) for other in found.values_list("fingerprint", flat=True) if other)


def _voices(clip: Clip) -> list[bytes]:
    own: QuerySet[Any] = Clip.objects.filter(
        contributor=clip.contributor_id, state=Clip.State.ACCEPTED, voice__isnull=False
    ).exclude(pk=clip.pk)
    return [bytes(voice) for voice in own.order_by("-id").values_list("voice", flat=True)[:_VOICES]]


def _lines(report: Report) -> list[dict[str, Any]]:
    return [{**asdict(measure), "verdict": str(measure.verdict)} for measure in report.measures]


def _verdict(report: Report | None) -> tuple[Clip.State, str]:
    if report is None:
        return Clip.State.IN_REVIEW, _ENDED
    complaints = [line.words for line in report.complaints() if line.verdict == report.verdict]
    return _STATES[report.verdict], " ".join(complaints[:2])


def _judge_again(clip_id: UUID) -> bool:
    with transaction.atomic():
        clip = (
            Clip.objects.select_for_update(of=("self",))
            .select_related("campaign", "contributor", "prompt")
            .get(pk=clip_id)
        )
        measured = Measured(
            Figures(**clip.figures),
            fingerprint=bytes(clip.fingerprint) if clip.fingerprint else None,
            voice=bytes(clip.voice) if clip.voice else None,
        )
        report = _report(clip, measured)
        to, reason = _verdict(report)
        Clip.objects.filter(pk=clip.pk).update(report=_lines(report))
        if to == clip.state:
            return False
        try:
            if clip.state != Clip.State.IN_REVIEW:
                deciding.reopen(clip, reason="The campaign's gates have changed.")
            if to != Clip.State.IN_REVIEW:
                deciding.decide(clip, to=to, source=Decision.Source.PIPELINE, reason=reason)
        except Conflict as error:
            logger.info("clip not judged again", clip=str(clip_id), why=error.message)
            return False
    return True
