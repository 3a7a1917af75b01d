"""Patterns in a campaign that a person should look at. Each says in words what was seen, and proves nothing.

Every search reads a bounded number of the newest rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from django.db.models import Count

from apps.contributions import alike
from apps.contributions.gates import gates_of
from apps.contributions.models import Campaign, Clip, ConsentRecord, Contributor, Vote

MOST_VOTES: Final = 20_000
MOST_CLIPS: Final = 5_000
MOST_NAMED: Final = 20
# Nobody judges a clip sooner than after most of it was played.
HEARD_SHARE: Final = 0.7
FAST_VOTES: Final = 5
FAST_SHARE: Final = 0.3
FEWEST_VOTES: Final = 20
ONE_SIDED_SHARE: Final = 0.95
OTHERWISE_SHARE: Final = 0.2
REPLAYS: Final = 3
NETWORK_SHARED_BY: Final = 3
ODD_CLIPS: Final = 2


@dataclass(frozen=True)
class Suspicion:
    """`kind` is a word for programs, `words` what was seen; the more the `weight`, the higher in a list."""

    kind: str
    words: str
    contributors: list[Contributor] = field(default_factory=list)
    clip_ids: list[UUID] = field(default_factory=list)
    weight: int = 0


@dataclass(frozen=True)
class _Cast:
    """One vote, with what came of its clip."""

    voter_id: UUID
    at: Any
    is_valid: bool
    duration_ms: int
    state: str


def suspicions_of(campaign: Campaign) -> list[Suspicion]:
    """The weightiest first of each kind."""
    votes = _votes(campaign)
    found: list[tuple[str, str, list[UUID], list[UUID], int]] = [
        *_fast_voters(votes),
        *_one_sided_voters(votes),
        *_replays(campaign),
        *_shared_voices(campaign),
        *_changing_voices(campaign),
        *_shared_networks(campaign),
    ]
    people = Contributor.objects.in_bulk({pk for row in found for pk in row[2]})
    return [
        Suspicion(kind, words, [people[pk] for pk in who if pk in people], clips, weight)
        for kind, words, who, clips, weight in found
    ]


_Found = Iterator[tuple[str, str, list[UUID], list[UUID], int]]


def _votes(campaign: Campaign) -> dict[UUID, list[_Cast]]:
    """The newest by voter, each voter's in the order in which they were cast."""
    rows = (
        Vote.objects.filter(clip__campaign=campaign)
        .order_by("-id")
        .values_list("voter_id", "created_at", "is_valid", "clip__duration_ms", "clip__state")[:MOST_VOTES]
    )
    by_voter: dict[UUID, list[_Cast]] = defaultdict(list)
    for voter_id, at, is_valid, duration_ms, state in rows:
        by_voter[voter_id].append(_Cast(voter_id, at, is_valid, duration_ms or 0, state))
    return {voter: sorted(votes, key=lambda vote: vote.at) for voter, votes in by_voter.items()}


def _fast_voters(by_voter: dict[UUID, list[_Cast]]) -> _Found:
    """Two votes closer together than the second clip takes to be heard."""
    for voter_id, votes in by_voter.items():
        fast = sum(
            (vote.at - before.at).total_seconds() * 1000 < vote.duration_ms * HEARD_SHARE
            for before, vote in pairwise(votes)
        )
        if fast >= FAST_VOTES and fast >= FAST_SHARE * len(votes):
            words = f"{fast} of {len(votes)} votes came sooner than the recording could be heard."
            yield "fast_votes", words, [voter_id], [], fast


def _one_sided_voters(by_voter: dict[UUID, list[_Cast]]) -> _Found:
    """Always the same vote, where what was decided is not always the same."""
    for voter_id, votes in by_voter.items():
        decided = [vote for vote in votes if vote.state in (Clip.State.ACCEPTED, Clip.State.REJECTED)]
        if len(decided) < FEWEST_VOTES:
            continue
        ups = sum(vote.is_valid for vote in decided)
        is_up = ups * 2 >= len(decided)
        one_side = max(ups, len(decided) - ups)
        wanted = Clip.State.ACCEPTED if is_up else Clip.State.REJECTED
        otherwise = sum(vote.state != wanted for vote in decided)
        if one_side >= ONE_SIDED_SHARE * len(decided) and otherwise >= OTHERWISE_SHARE * len(decided):
            side = "for" if is_up else "against"
            words = (
                f"{one_side} of {len(decided)} votes are {side} the recording; "
                f"{otherwise} of these recordings were decided otherwise."
            )
            yield "one_sided_votes", words, [voter_id], [], otherwise


def _replays(campaign: Campaign) -> _Found:
    again = Clip.objects.filter(
        campaign=campaign,
        state=Clip.State.REJECTED,
        report__contains=[{"name": "replay", "verdict": "reject"}],
    )
    rows = again.order_by("-id").values_list("contributor_id", "pk")[:MOST_CLIPS]
    for contributor_id, clips in _grouped(rows).items():
        if len(clips) >= REPLAYS:
            words = f"{len(clips)} recordings were sent before, by this person or another."
            yield "replays", words, [contributor_id], clips[:MOST_NAMED], len(clips)


def _shared_voices(campaign: Campaign) -> _Found:
    """Speakers whose voices sound like one person's."""
    for one, other, cosine in alike.pairs(alike.voices_of(campaign)):
        words = f"Two speakers sound like one person: {cosine:.0%} alike."
        yield "shared_voice", words, [one, other], [], round(cosine * 100)


def _changing_voices(campaign: Campaign) -> _Found:
    """Clips of one speaker that sound like somebody else's."""
    limit = gates_of(campaign).review_under_likeness
    for contributor_id, clips in alike.odd_clips(alike.voices_of(campaign), under=limit).items():
        if len(clips) >= ODD_CLIPS:
            words = f"{len(clips)} recordings sound like someone else than this speaker's others."
            yield "changing_voice", words, [contributor_id], clips[:MOST_NAMED], len(clips)


def _shared_networks(campaign: Campaign) -> _Found:
    """Several people who agreed from one network: a household, a school, or one person."""
    consents = ConsentRecord.objects.filter(campaign=campaign).exclude(network="")
    networks = (
        consents.order_by()
        .values("network")
        .annotate(people=Count("contributor", distinct=True))
        .filter(people__gte=NETWORK_SHARED_BY)
        .order_by("-people")[:MOST_NAMED]
    )
    counts = {row["network"]: row["people"] for row in networks}
    rows = consents.filter(network__in=counts).order_by().values_list("network", "contributor_id").distinct()
    people = _grouped(rows[:MOST_CLIPS])
    for network, count in counts.items():
        words = f"{count} people agreed from the network {network}."
        yield "shared_network", words, people[network][:MOST_NAMED], [], count


def _grouped(rows: Iterable[tuple[Any, UUID]]) -> dict[Any, list[UUID]]:
    groups: dict[Any, list[UUID]] = defaultdict(list)
    for key, value in rows:
        groups[key].append(value)
    return groups
