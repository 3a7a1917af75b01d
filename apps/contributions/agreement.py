"""How far those who judge clips agree: listeners with staff and each other, the pipeline with people.

Cohen's kappa is what two agree on beyond chance: 0 is chance, 1 is always. It says nothing where one of them
gave the same answer each time, and little about few clips.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from django.db.models import CharField, Count, F, OuterRef, Q, Subquery

from apps.contributions.models import Campaign, Clip, Decision, Vote

_S = Clip.State
_DECIDED: Final = [_S.ACCEPTED, _S.REJECTED]
_PEOPLE: Final = [Decision.Source.STAFF, Decision.Source.VOTES]
# Pairs of votes are counted of so many clips, the newest.
MOST_CLIPS: Final = 5_000


@dataclass(frozen=True)
class Table:
    """How often one said yes or no where the other said yes or no. `unsure` is what the first left open."""

    yes_yes: int = 0
    yes_no: int = 0
    no_yes: int = 0
    no_no: int = 0
    unsure_yes: int = 0
    unsure_no: int = 0

    @property
    def count(self) -> int:
        return self.yes_yes + self.yes_no + self.no_yes + self.no_no

    @property
    def agreement(self) -> float | None:
        """The share of cases in which both said the same; None where there are none."""
        return (self.yes_yes + self.no_no) / self.count if self.count else None

    @property
    def kappa(self) -> float | None:
        """Cohen's; None where there are no cases, or chance alone would agree always."""
        if not self.count:
            return None
        first = (self.yes_yes + self.yes_no) / self.count
        second = (self.yes_yes + self.no_yes) / self.count
        chance = first * second + (1 - first) * (1 - second)
        if chance >= 1:
            return None
        return ((self.agreement or 0.0) - chance) / (1 - chance)

    @property
    def words(self) -> str:
        """By the usual scale of Landis and Koch."""
        if self.kappa is None:
            return "not known"
        scale = ((0.8, "almost always"), (0.6, "substantial"), (0.4, "moderate"), (0.2, "fair"))
        return next((words for least, words in scale if self.kappa > least), "slight, or chance")


@dataclass(frozen=True)
class Agreement:
    """`pairs_agreed` of `pairs` of votes on the same clip were the same."""

    votes_and_staff: Table
    pipeline_and_people: Table
    pairs: int
    pairs_agreed: int

    @property
    def among_listeners(self) -> float | None:
        return self.pairs_agreed / self.pairs if self.pairs else None


def agreement_of(campaign: Campaign) -> Agreement:
    pairs, agreed = _pairs(campaign)
    return Agreement(_votes_and_staff(campaign), _pipeline_and_people(campaign), pairs, agreed)


def _votes_and_staff(campaign: Campaign) -> Table:
    """Each vote beside what staff decided about its clip, in whichever round."""
    rows = (
        Vote.objects.filter(
            clip__campaign=campaign,
            clip__decisions__source=Decision.Source.STAFF,
            clip__decisions__undone_at=None,
            clip__decisions__to_state__in=_DECIDED,
        )
        .order_by()
        .values_list("is_valid", "clip__decisions__to_state")
        .annotate(count=Count("pk"))
    )
    return _table({("yes" if valid else "no", to): count for valid, to, count in rows})


def _pipeline_and_people(campaign: Campaign) -> Table:
    """What the pipeline said first beside what holds by people's word. What it decided and nobody looked at
    is left out, so that this says how it does on clips that people saw."""
    of_clip = Decision.objects.filter(clip=OuterRef("pk"))
    machine = of_clip.filter(source=Decision.Source.PIPELINE).order_by("id")
    people = of_clip.filter(source__in=_PEOPLE, undone_at=None, to_state__in=_DECIDED).order_by("-id")
    rows = (
        Clip.objects.filter(campaign=campaign)
        .order_by()
        .annotate(
            machine=Subquery(machine.values("to_state")[:1], output_field=CharField()),
            people=Subquery(people.values("to_state")[:1], output_field=CharField()),
        )
        .exclude(people=None)
        .exclude(machine=None)
        .values_list("machine", "people")
        .annotate(count=Count("pk"))
    )
    said = {_S.ACCEPTED: "yes", _S.REJECTED: "no"}
    return _table({(said.get(_S(state), "unsure"), to): count for state, to, count in rows})


def _pairs(campaign: Campaign) -> tuple[int, int]:
    newest = Clip.objects.filter(campaign=campaign, votes__isnull=False).order_by("-id").distinct()
    rows = (
        Vote.objects.filter(clip__in=newest.values("pk")[:MOST_CLIPS])
        .order_by()
        .values("clip_id", "round")
        .annotate(ups=Count("pk", filter=Q(is_valid=True)), all=Count("pk"))
        .annotate(downs=F("all") - F("ups"))
        .values_list("ups", "downs")
    )
    pairs = agreed = 0
    for ups, downs in rows:
        same = (ups * (ups - 1) + downs * (downs - 1)) // 2
        agreed += same
        pairs += same + ups * downs
    return pairs, agreed


def _table(rows: dict[tuple[str, str], int]) -> Table:
    counts: Counter[str] = Counter()
    for (first, to_state), count in rows.items():
        counts[f"{first}_{'yes' if to_state == _S.ACCEPTED else 'no'}"] += count
    return Table(**counts)
