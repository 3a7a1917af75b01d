"""What staff see of clips when they review them: which comes next, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.contributions import deciding
from apps.contributions.models import Clip, ClipReport, Decision
from apps.contributions.quality import Verdict
from apps.contributions.quality.words import spoken_words
from apps.core.errors import Conflict
from apps.core.ids import uuid_or_none

# By keys 1 to 6; contributors read them.
REASONS: Final = (
    "There is too much noise: find a quieter place and record again.",
    "These are not the words of the sentence: read it exactly as it is shown.",
    "It is cut off: leave a short pause before and after the sentence.",
    "It is distorted or too quiet: check the microphone and how far away it is.",
    "More than one person can be heard: record alone.",
    "This was played from a loudspeaker or made by a machine: speak into the microphone yourself.",
)
UNDO_WITHIN: Final = timedelta(hours=24)
UNDONE: Final = "A person listens to this recording once more."
EARLIER: Final = 8
MEASURES: Final = (
    *("decoding", "duration", "missing", "clipping", "loudness", "speech", "lead_silence", "tail_silence"),
    *("background", "voice", "overall", "transcript", "replay", "speaker"),
)


@dataclass(frozen=True)
class Filters:
    """Which clips are reviewed; what is empty does not matter."""

    campaign: UUID | None = None
    state: str = Clip.State.IN_REVIEW
    measure: str = ""
    verdict: str = ""
    reported: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Filters:
        """From a query's parameters; what means nothing is left out."""
        state, measure, verdict = (str(given.get(name, "")) for name in ("state", "measure", "verdict"))
        return cls(
            campaign=uuid_or_none(given.get("campaign")),
            state=state if state in Clip.State.values else Clip.State.IN_REVIEW,
            measure=measure if measure in MEASURES else "",
            verdict=verdict if verdict in list(Verdict) else "",
            reported=given.get("reported") == "yes",
        )

    def as_query(self) -> dict[str, str]:
        told = {
            "campaign": str(self.campaign or ""),
            "state": "" if self.state == Clip.State.IN_REVIEW else self.state,
            "measure": self.measure,
            "verdict": self.verdict,
            "reported": "yes" if self.reported else "",
        }
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True)
class Word:
    """One word of a comparison: `mark` is same, missing (not heard) or added (heard, not written)."""

    text: str
    mark: str


def clips_for(filters: Filters) -> QuerySet[Clip]:
    """The ones that waited longest first."""
    clips: QuerySet[Clip] = Clip.objects.filter(state=filters.state).order_by("id")
    if filters.campaign:
        clips = clips.filter(campaign=filters.campaign)
    clips = with_measure(clips, filters.measure, filters.verdict)
    if filters.reported:
        clips = clips.filter(Exists(ClipReport.objects.filter(clip=OuterRef("pk"))))
    return clips.select_related("campaign", "prompt", "contributor")


def with_measure(clips: QuerySet[Clip], measure: str, verdict: str) -> QuerySet[Clip]:
    """Those whose report says so of a measure; of a verdict alone, of any measure."""
    wanted = {name: value for name, value in (("name", measure), ("verdict", verdict)) if value}
    return clips.filter(report__contains=[wanted]) if wanted else clips


def next_clip(filters: Filters, *, after: UUID | None = None) -> Clip | None:
    clips = clips_for(filters)
    return (clips.filter(pk__gt=after) if after else clips).first()


def undo_last(user: User) -> Clip:
    """Takes back this person's last decision that holds; raises `Conflict` where there is none of today."""
    last = (
        Decision.objects.filter(
            by=user,
            source=Decision.Source.STAFF,
            to_state__in=[Clip.State.ACCEPTED, Clip.State.REJECTED],
            undone_at=None,
            created_at__gte=timezone.now() - UNDO_WITHIN,
        )
        .exclude(clip__state=Clip.State.WITHDRAWN)
        .select_related("clip")
        .order_by("-id")
        .first()
    )
    if last is None:
        raise Conflict("There is nothing of the last 24 hours that you could undo.", code="nothing_to_undo")
    deciding.take_back(last.clip, by=user, reason=UNDONE)
    return last.clip


def known_of(clip: Clip) -> dict[str, Any]:
    """For a template: votes, reports, decisions and the speaker's other clips, in a handful of queries."""
    ups, downs = deciding.votes_of(clip)
    theirs = Clip.objects.filter(contributor=clip.contributor_id)
    others = theirs.exclude(pk=clip.pk).select_related("prompt").order_by("-id")
    return {
        "ups": ups,
        "downs": downs,
        "votes": list(clip.votes.select_related("voter").order_by("-id")[:10]),
        "reports": list(clip.reports.select_related("reporter").order_by("-id")[:10]),
        "decisions": list(clip.decisions.select_related("by").order_by("-id")[:10]),
        "earlier": list(others[:EARLIER]),
        "accepted": theirs.filter(state=Clip.State.ACCEPTED).count(),
        "rejected": theirs.filter(state=Clip.State.REJECTED).count(),
        "words": compared(clip.prompt.text, clip.transcript) if clip.transcript else [],
        "measures": sorted(clip.report, key=lambda line: -_weight(line.get("verdict"))),
    }


def compared(wanted: str, heard: str) -> list[Word]:
    """Two texts as they are spoken, word by word; written together or apart is no difference."""
    first, second = spoken_words(wanted), spoken_words(heard)
    words: list[Word] = []
    for tag, start, stop, other_start, other_stop in SequenceMatcher(
        None, first, second, autojunk=False
    ).get_opcodes():
        if tag == "equal" or "".join(first[start:stop]) == "".join(second[other_start:other_stop]):
            words += [Word(word, "same") for word in first[start:stop]]
        else:
            words += [Word(word, "missing") for word in first[start:stop]]
            words += [Word(word, "added") for word in second[other_start:other_stop]]
    return words


def _weight(verdict: object) -> int:
    order = [str(one) for one in Verdict]
    return order.index(str(verdict)) if str(verdict) in order else 0
