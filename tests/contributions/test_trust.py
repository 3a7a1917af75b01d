"""How far judges agree, and patterns that a person should look at."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.contributions import agreement, alike, deciding, suspicions
from apps.contributions.agreement import Table
from apps.contributions.models import Campaign, Clip, Contributor, Decision, Vote
from tests.contributions import collecting

pytestmark = pytest.mark.django_db

ACCEPTED, REJECTED, IN_REVIEW = Clip.State.ACCEPTED, Clip.State.REJECTED, Clip.State.IN_REVIEW


@pytest.fixture
def voter() -> Contributor:
    return collecting.speaker("gus")


def clips(campaign: Campaign, count: int, **fields: object) -> list[Clip]:
    """In review, each of another speaker."""
    prompt = campaign.prompts.all()[0]
    return [collecting.clip(collecting.speaker(), prompt, **fields) for _ in range(count)]


def decide(clip: Clip, to: Clip.State, source: str = "staff") -> None:
    deciding.decide(clip, to=to, source=Decision.Source(source), reason="Because.")


def vote(voter: Contributor, clip: Clip, is_valid: bool, *, seconds: float = 0.0) -> None:
    """Cast so many seconds after this hour began."""
    made = Vote.objects.create(clip=clip, voter=voter, round=clip.round, is_valid=is_valid)
    at = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(seconds=seconds)
    Vote.objects.filter(pk=made.pk).update(created_at=at)


def kinds(campaign: Campaign) -> list[str]:
    return [one.kind for one in suspicions.suspicions_of(campaign)]


# ---- agreement ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("table", "agreed", "kappa"),
    [
        (Table(), None, None),
        (Table(yes_yes=10), 1.0, None),
        (Table(yes_yes=5, no_no=5), 1.0, 1.0),
        (Table(yes_no=5, no_yes=5), 0.0, -1.0),
        (Table(yes_yes=25, yes_no=25, no_yes=25, no_no=25), 0.5, 0.0),
        # The example of Cohen's that textbooks give.
        (Table(yes_yes=20, yes_no=5, no_yes=10, no_no=15), 0.7, 0.4),
    ],
)
def test_kappa(table: Table, agreed: float | None, kappa: float | None) -> None:
    assert table.agreement == (agreed if agreed is None else pytest.approx(agreed))
    assert table.kappa == (kappa if kappa is None else pytest.approx(kappa))


def test_votes_beside_what_staff_decided(campaign: Campaign, voter: Contributor, staff: User) -> None:
    first, second, third = clips(campaign, 3)
    for clip, is_valid in ((first, True), (second, True), (third, False)):
        vote(voter, clip, is_valid)
    decide(first, ACCEPTED)
    decide(second, ACCEPTED)
    # What was undone does not count, in whichever round the vote was.
    deciding.take_back(second, by=staff, reason="Noise.")
    decide(second, REJECTED)
    found = agreement.agreement_of(campaign).votes_and_staff
    assert found == Table(yes_yes=1, yes_no=1)
    decide(third, REJECTED)
    assert agreement.agreement_of(campaign).votes_and_staff == Table(yes_yes=1, yes_no=1, no_no=1)


def test_the_pipeline_beside_people(campaign: Campaign, voter: Contributor, staff: User) -> None:
    agreed, overruled, unsure, alone = clips(campaign, 4, state="checking")
    for clip, to in ((agreed, REJECTED), (overruled, ACCEPTED), (unsure, IN_REVIEW), (alone, ACCEPTED)):
        decide(clip, to, "pipeline")
    for clip, to in ((agreed, REJECTED), (overruled, REJECTED)):
        deciding.take_back(clip, by=staff, reason="Let me hear.")
        decide(clip, to)
    deciding.vote(voter, unsure, is_valid=True)
    deciding.vote(collecting.speaker(), unsure, is_valid=True)
    found = agreement.agreement_of(campaign).pipeline_and_people
    assert found == Table(no_no=1, yes_no=1, unsure_yes=1)


def test_listeners_among_each_other(campaign: Campaign) -> None:
    first, second = clips(campaign, 2)
    for clip, said in ((first, "++-"), (second, "--")):
        for sign in said:
            Vote.objects.create(clip=clip, voter=collecting.speaker(), round=1, is_valid=sign == "+")
    found = agreement.agreement_of(campaign)
    assert (found.pairs, found.pairs_agreed) == (4, 2)
    assert found.among_listeners == 0.5


def test_an_empty_campaign_has_nothing_to_say(campaign: Campaign) -> None:
    found = agreement.agreement_of(campaign)
    assert (found.votes_and_staff.kappa, found.pipeline_and_people.agreement) == (None, None)
    assert found.among_listeners is None
    assert suspicions.suspicions_of(campaign) == []


# ---- suspicions --------------------------------------------------------------------------------------
def test_votes_faster_than_one_can_listen(campaign: Campaign, voter: Contributor) -> None:
    careful = collecting.speaker("careful")
    for number, clip in enumerate(clips(campaign, 8)):  # of 5 seconds each
        vote(voter, clip, True, seconds=number)
        vote(careful, clip, True, seconds=6 * number)
    [found] = suspicions.suspicions_of(campaign)
    assert (found.kind, found.contributors) == ("fast_votes", [voter])
    assert found.words == "7 of 8 votes came sooner than the recording could be heard."


def test_votes_that_are_always_the_same(campaign: Campaign, voter: Contributor) -> None:
    fair = collecting.speaker("fair")
    made = clips(campaign, 24)
    for number, clip in enumerate(made):
        is_good = number % 3 > 0
        vote(voter, clip, True, seconds=10 * number)
        vote(fair, clip, is_good, seconds=10 * number)
        decide(clip, ACCEPTED if is_good else REJECTED)
    [found] = suspicions.suspicions_of(campaign)
    assert (found.kind, found.contributors) == ("one_sided_votes", [voter])
    assert (
        found.words == "24 of 24 votes are for the recording; 8 of these recordings were decided otherwise."
    )


def test_who_always_agrees_because_all_are_good_is_no_suspect(campaign: Campaign, voter: Contributor) -> None:
    for number, clip in enumerate(clips(campaign, 24)):
        vote(voter, clip, True, seconds=10 * number)
        decide(clip, ACCEPTED)
    assert kinds(campaign) == []


def test_recordings_sent_before(campaign: Campaign, dora: Contributor) -> None:
    report = [{"name": "replay", "verdict": "reject"}, {"name": "speech", "verdict": "accept"}]
    for prompt in campaign.prompts.all()[:3]:
        collecting.clip(dora, prompt, state="rejected", report=report)
    for clip in clips(campaign, 4, state="rejected", report=[{"name": "replay", "verdict": "accept"}]):
        assert clip.pk
    [found] = suspicions.suspicions_of(campaign)
    assert (found.kind, found.contributors, len(found.clip_ids)) == ("replays", [dora], 3)


def voice(seed: int, near: bytes | None = None, share: float = 0.05) -> bytes:
    """A unit vector of 256 numbers; close to another one where that is given."""
    vector = np.random.default_rng(seed).normal(size=256)
    vector /= np.linalg.norm(vector)
    if near is not None:
        vector = np.frombuffer(near, "<f4") + share * vector
    return (vector / np.linalg.norm(vector)).astype("<f4").tobytes()


def give(campaign: Campaign, who: Contributor, voices: list[bytes]) -> list[Clip]:
    prompts = campaign.prompts.all()
    return [collecting.clip(who, prompts[n], voice=given) for n, given in enumerate(voices)]


def test_two_speakers_with_one_voice(campaign: Campaign, dora: Contributor, emil: Contributor) -> None:
    own = voice(1)
    give(campaign, dora, [voice(n, own) for n in (10, 11, 12)])
    give(campaign, emil, [voice(n, own) for n in (20, 21)])
    give(campaign, collecting.speaker(), [voice(2), voice(3, voice(2))])
    [found] = suspicions.suspicions_of(campaign)
    assert found.kind == "shared_voice"
    assert set(found.contributors) == {dora, emil}


def test_one_speaker_with_two_voices(campaign: Campaign, dora: Contributor) -> None:
    own, other = voice(1), voice(2)
    made = give(
        campaign, dora, [*(voice(n, own) for n in (10, 11, 12)), voice(20, other), voice(21, voice(3))]
    )
    [found] = suspicions.suspicions_of(campaign)
    assert (found.kind, found.contributors) == ("changing_voice", [dora])
    assert set(found.clip_ids) >= {made[3].pk, made[4].pk}


def test_a_voice_that_stays_is_no_suspect(campaign: Campaign, dora: Contributor) -> None:
    own = voice(1)
    give(campaign, dora, [voice(n, own) for n in range(10, 15)])
    assert kinds(campaign) == []


def test_withdrawn_voices_are_not_compared(campaign: Campaign, dora: Contributor) -> None:
    give(campaign, dora, [voice(1)])
    Clip.objects.update(state="withdrawn")
    assert alike.voices_of(campaign) == {}


def test_several_people_of_one_network(campaign: Campaign, dora: Contributor, emil: Contributor) -> None:
    assert kinds(campaign) == []
    fay = collecting.speaker("fay")
    collecting.agree(fay, campaign)
    [found] = suspicions.suspicions_of(campaign)
    assert (found.kind, set(found.contributors)) == ("shared_network", {dora, emil, fay})
    assert "203.0.113.0/24" in found.words


def test_another_campaigns_rows_are_not_looked_at(campaign: Campaign, voter: Contributor) -> None:
    other = collecting.campaign(campaign.organization)
    for number, clip in enumerate(clips(other, 8)):
        vote(voter, clip, True, seconds=number)
    assert kinds(campaign) == []
    assert kinds(other) == ["fast_votes"]


def test_queries_do_not_grow(campaign: Campaign, voter: Contributor) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            suspicions.suspicions_of(campaign)
            agreement.agreement_of(campaign)
        return len(queries)

    for number, clip in enumerate(clips(campaign, 8)):
        vote(voter, clip, True, seconds=number)
    before = count()
    for number, clip in enumerate(clips(campaign, 12, voice=voice(1))):
        vote(collecting.speaker(), clip, True, seconds=number)
    assert count() == before
