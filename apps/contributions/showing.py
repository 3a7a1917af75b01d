"""What contributors are shown of campaigns, clips and money: figures and words, for pages and API alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Q, QuerySet, Sum

from apps.contributions import consenting, ledger, sentences
from apps.contributions.models import Campaign, Clip, Contributor, Posting, Purpose
from apps.contributions.visiting import is_open_to

_S = Clip.State
_COUNTED: Final = [_S.UPLOADED, _S.CHECKING, _S.IN_REVIEW, _S.ACCEPTED]
LANGUAGES: Final = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "sw": "Swahili",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
# What the recorder and lists call a state.
STATE_WORDS: Final[Mapping[str, str]] = {
    _S.UPLOADED: "Being checked",
    _S.CHECKING: "Being checked",
    _S.ACCEPTED: "Accepted",
    _S.IN_REVIEW: "In review",
    _S.REJECTED: "Rejected",
    _S.WITHDRAWN: "Deleted",
}
MEASURES: Final[Mapping[str, str]] = {
    "decoding": "Reading",
    "duration": "Length",
    "missing": "Arrived whole",
    "clipping": "Distortion",
    "loudness": "Loudness",
    "speech": "Speech",
    "lead_silence": "Start",
    "tail_silence": "End",
    "background": "Room",
    "voice": "Voice",
    "overall": "Sound",
    "transcript": "Sentence",
    "replay": "Same recording",
    "speaker": "Same speaker",
}


@dataclass(frozen=True)
class Standing:
    """One person's part in a campaign. `next_step` is what a page leads to."""

    campaign: Campaign
    language: str
    recorded: int
    accepted: int
    in_review: int
    rejected: int
    wanted: int
    speech_ms: int
    may_record: bool
    is_open: bool
    has_enough: bool

    @property
    def next_step(self) -> str:
        """`closed`, `consent`, `enough` or `record`."""
        if not self.is_open:
            return "closed"
        if not self.may_record:
            return "consent"
        return "enough" if self.has_enough else "record"

    @property
    def share(self) -> float:
        return min(1.0, self.recorded / self.wanted) if self.wanted else 0.0


def language_name(tag: str) -> str:
    """English, German (AT); the tag itself where it is none of those."""
    base, _, region = tag.partition("-")
    name = LANGUAGES.get(base.lower(), tag)
    return f"{name} ({region.upper()})" if region and name != tag else name


def standing(contributor: Contributor, campaign: Campaign) -> Standing:
    own = campaign.clips.filter(contributor=contributor).aggregate(
        recorded=Count("pk", filter=Q(state__in=_COUNTED)),
        accepted=Count("pk", filter=Q(state=_S.ACCEPTED)),
        in_review=Count("pk", filter=Q(state=_S.IN_REVIEW)),
        rejected=Count("pk", filter=Q(state=_S.REJECTED)),
        speech_ms=Sum("speech_ms", filter=Q(state=_S.ACCEPTED)),
    )
    prompts = campaign.prompts.filter(is_wanted=True).count()
    wanted = min(prompts, campaign.clips_per_speaker or prompts)
    return Standing(
        campaign=campaign,
        language=language_name(campaign.language),
        wanted=wanted,
        may_record=consenting.may_record(contributor, campaign),
        is_open=is_open_to(contributor, campaign),
        has_enough=not sentences.next_prompts(contributor, campaign, count=1),
        **(own | {"speech_ms": own["speech_ms"] or 0}),
    )


def standings(contributor: Contributor) -> list[Standing]:
    """Of campaigns that are open to the person, then of those that they had a part in and that are not."""
    assert contributor.user is not None  # noqa: S101 - asked for by who is signed in
    open_ones = list(Campaign.objects.open_to(contributor.user).order_by("-id"))
    had_part = Q(clips__contributor=contributor) | Q(
        pk__in=contributor.consents.order_by().values("campaign_id")
    )
    others = Campaign.objects.filter(had_part).exclude(pk__in=[c.pk for c in open_ones]).distinct()
    return [standing(contributor, campaign) for campaign in [*open_ones, *others.order_by("-id")]]


def purposes_of(campaign: Campaign) -> list[str]:
    return [Purpose(purpose).label for purpose in campaign.purposes]


def is_settled(clips: Iterable[Clip]) -> bool:
    """Whether nothing of them is about to change by itself."""
    return all(clip.state not in (_S.UPLOADED, _S.CHECKING) for clip in clips)


def report_lines(clip: Clip) -> list[dict[str, Any]]:
    """Each measure, what counts against the clip first."""
    order = {"reject": 0, "review": 1, "accept": 2}
    lines = [{**line, "title": MEASURES.get(line["name"], line["name"])} for line in clip.report]
    return sorted(lines, key=lambda line: order.get(line["verdict"], 2))


@dataclass(frozen=True)
class Earning:
    """What one clip earned, and where that stands: `held`, `payable` or `taken_back`."""

    clip: Clip
    cents: int
    state: str
    due_at: datetime | None
    at: datetime


def earnings(contributor: Contributor) -> QuerySet[Posting]:
    """Postings of what was earned, newest first; `earning_of` says what became of each."""
    return (
        Posting.objects.filter(kind=Posting.Kind.EARNED, clip__contributor=contributor)
        .select_related("clip__prompt", "clip__campaign")
        .prefetch_related("entries", "clip__postings")
        .order_by("-id")
    )


def earning_of(posting: Posting) -> Earning:
    clip = posting.clip
    assert clip is not None  # noqa: S101 - what was earned is of a clip
    kinds = {other.kind for other in clip.postings.all() if other.round == posting.round}
    if Posting.Kind.REVERSED in kinds:
        state = "taken_back"
    else:
        state = "payable" if Posting.Kind.RELEASED in kinds else "held"
    cents = sum(entry.cents for entry in posting.entries.all() if entry.cents > 0)
    return Earning(clip, cents, state, posting.due_at, posting.created_at)


@dataclass(frozen=True)
class Progress:
    """Of a whole campaign, for its organization: nothing of any person."""

    wanted: int
    by_state: Mapping[str, int]
    speakers: int
    speech_ms: int
    spent_cents: int


def progress_of(campaign: Campaign) -> Progress:
    counted = sentences.progress(campaign)
    accepted = campaign.clips.filter(state=_S.ACCEPTED).aggregate(
        speakers=Count("contributor", distinct=True), speech_ms=Sum("speech_ms")
    )
    return Progress(
        wanted=counted["wanted"],
        by_state={state: counted.get(state, 0) for state in _S.values},
        speakers=accepted["speakers"],
        speech_ms=accepted["speech_ms"] or 0,
        spent_cents=ledger.spent_cents(campaign.pk),
    )
