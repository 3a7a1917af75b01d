"""How far a campaign is: by state, by sentence, by speaker and by hour. A handful of queries each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncHour
from django.utils import timezone

from apps.contributions import ledger
from apps.contributions.models import Campaign, Clip, Contributor, Prompt
from apps.contributions.models.clips import earned_cents

HOURS: Final = 48
MOST_SPEAKERS: Final = 50
_S = Clip.State


@dataclass(frozen=True)
class Hour:
    """Recordings that came in within one hour, and how many of them are accepted by now."""

    at: datetime
    recorded: int
    accepted: int


@dataclass(frozen=True)
class Overview:
    """Clips, milliseconds of speech and US cents. `expected_cents` is for what is not decided yet."""

    wanted: int
    by_state: dict[str, int]
    speakers: int
    speech_ms: int
    spent_cents: int
    expected_cents: int
    budget_cents: int | None

    @property
    def accepted(self) -> int:
        return self.by_state.get(_S.ACCEPTED, 0)

    @property
    def share(self) -> float:
        return min(1.0, self.accepted / self.wanted) if self.wanted else 0.0

    @property
    def spent_share(self) -> float | None:
        """Of the budget; None where there is none."""
        if self.budget_cents is None:
            return None
        return min(1.0, self.spent_cents / self.budget_cents) if self.budget_cents else 1.0


def overview(campaign: Campaign) -> Overview:
    clips = Clip.objects.filter(campaign=campaign).order_by()
    told = clips.aggregate(
        speakers=Count("contributor", distinct=True, filter=~Q(state=_S.WITHDRAWN)),
        speech_ms=Sum("speech_ms", filter=Q(state=_S.ACCEPTED)),
    )
    waiting = (
        clips.filter(state__in=Clip.UNDECIDED).values("cents_per_minute").annotate(ms=Sum("told_duration_ms"))
    )
    return Overview(
        wanted=campaign.prompts.filter(is_wanted=True).count() * campaign.clips_per_prompt,
        by_state=dict(clips.values_list("state").annotate(count=Count("pk"))),
        speakers=told["speakers"],
        speech_ms=told["speech_ms"] or 0,
        spent_cents=ledger.spent_cents(campaign.pk),
        expected_cents=sum(earned_cents(row["ms"], row["cents_per_minute"]) for row in waiting),
        budget_cents=campaign.budget_cents,
    )


def by_hour(campaign: Campaign, *, now: datetime | None = None) -> list[Hour]:
    """The last hours, oldest first; also those in which nothing came."""
    last = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(hours=HOURS - 1)
    rows = (
        Clip.objects.filter(campaign=campaign, created_at__gte=first)
        .order_by()
        .annotate(hour=TruncHour("created_at"))
        .values("hour")
        .annotate(recorded=Count("pk"), accepted=Count("pk", filter=Q(state=_S.ACCEPTED)))
    )
    found = {row["hour"]: Hour(row["hour"], row["recorded"], row["accepted"]) for row in rows}
    hours = (first + timedelta(hours=number) for number in range(HOURS))
    return [found.get(hour, Hour(hour, 0, 0)) for hour in hours]


def prompts_of(campaign: Campaign) -> QuerySet[Prompt]:
    """Those that want recordings first, each with `accepted`, `open` and `rejected` clips."""
    return (
        Prompt.objects.filter(campaign=campaign)
        .annotate(
            accepted=_clips(state=_S.ACCEPTED),
            open=_clips(state__in=Clip.UNDECIDED),
            rejected=_clips(state=_S.REJECTED),
        )
        .order_by("-is_wanted", "accepted", "number")
    )


def speakers_of(campaign: Campaign) -> QuerySet[Contributor]:
    """Who gave most first, each with counts, `speech_ms` that was accepted and when they were last there."""
    own = Q(clips__campaign=campaign)
    return (
        Contributor.objects.filter(own)
        .annotate(
            recorded=Count("clips", filter=own),
            accepted=Count("clips", filter=own & Q(clips__state=_S.ACCEPTED)),
            rejected=Count("clips", filter=own & Q(clips__state=_S.REJECTED)),
            speech_ms=Sum("clips__speech_ms", filter=own & Q(clips__state=_S.ACCEPTED)),
            last_at=Max("clips__created_at", filter=own),
        )
        .order_by(F("speech_ms").desc(nulls_last=True), "pk")
    )


def _clips(**conditions: Any) -> Count:
    return Count("clips", filter=Q(**{f"clips__{name}": value for name, value in conditions.items()}))
