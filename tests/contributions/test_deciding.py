"""What becomes of clips: votes, rounds, the queue of listeners, staff's word, and two of them at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from apps.accounts.models import Organization, User
from apps.contributions import deciding, ledger
from apps.contributions.models import Campaign, Clip, Contributor, Decision, Vote
from apps.core.errors import Conflict, InvalidRequest, PermissionDenied
from apps.webhooks.models import Event
from tests.contributions import collecting

pytestmark = pytest.mark.django_db

ACCEPTED, REJECTED, IN_REVIEW = Clip.State.ACCEPTED, Clip.State.REJECTED, Clip.State.IN_REVIEW
STAFF, VOTES, PIPELINE = Decision.Source.STAFF, Decision.Source.VOTES, Decision.Source.PIPELINE


@pytest.fixture
def clip(campaign: Campaign, dora: Contributor) -> Clip:
    """In review, of dora."""
    return collecting.clip(dora, campaign.prompts.all()[0], flac_key="clips/one.flac")


def listeners(count: int) -> list[Contributor]:
    return [collecting.speaker() for _ in range(count)]


def votes(clip: Clip, said: str) -> Clip.State:
    """`said` is a plus or minus for each of so many listeners."""
    state = Clip.State(clip.state)
    for listener, sign in zip(listeners(len(said)), said, strict=True):
        state = deciding.vote(listener, clip, is_valid=sign == "+")
    return state


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("+", IN_REVIEW),
        ("++", ACCEPTED),
        ("--", REJECTED),
        ("+-", IN_REVIEW),
        ("+-+", ACCEPTED),
        ("-+-", REJECTED),
    ],
)
def test_two_votes_and_more_for_than_against_decide(clip: Clip, said: str, state: str) -> None:
    assert votes(clip, said) == state
    clip.refresh_from_db()
    assert clip.state == state
    assert ledger.balance(clip.contributor).pending == (4 if state == ACCEPTED else 0)


def test_as_many_against_as_for_wait_for_one_more(clip: Clip) -> None:
    first, second, third, fourth, fifth = listeners(5)
    deciding.vote(first, clip, is_valid=True)
    deciding.vote(second, clip, is_valid=False)
    # Two and two, without ever two and one: somebody changed their mind.
    Vote.objects.create(clip=clip, voter=third, round=1, is_valid=False)
    assert deciding.vote(fourth, clip, is_valid=True) == IN_REVIEW
    assert deciding.votes_of(clip) == (2, 2)
    assert deciding.vote(fifth, clip, is_valid=False) == REJECTED
    assert clip.reason


def test_a_vote_counts_once_and_its_newest_word(clip: Clip) -> None:
    [listener] = listeners(1)
    for is_valid in (True, True, False):
        deciding.vote(listener, clip, is_valid=is_valid)
    assert deciding.votes_of(clip) == (0, 1)


def test_nobody_judges_their_own(clip: Clip, dora: Contributor) -> None:
    with pytest.raises(PermissionDenied):
        deciding.vote(dora, clip, is_valid=True)
    assert clip not in deciding.to_judge(dora, count=10)


def test_what_is_decided_takes_no_vote(clip: Clip) -> None:
    votes(clip, "++")
    with pytest.raises(Conflict):
        votes(clip, "-")


def test_a_new_round_asks_anew(clip: Clip, staff: User, emil: Contributor) -> None:
    deciding.vote(emil, clip, is_valid=True)
    votes(clip, "+")
    deciding.take_back(clip, by=staff, reason="It is another sentence.")
    assert (clip.state, clip.round) == (IN_REVIEW, 2)
    assert deciding.votes_of(clip) == (0, 0)
    assert votes(clip, "--") == REJECTED
    assert ledger.balance(clip.contributor).earned == 0
    assert ledger.flaws() == []


def test_who_voted_in_an_earlier_round_is_asked_again(clip: Clip, staff: User, emil: Contributor) -> None:
    deciding.vote(emil, clip, is_valid=True)
    votes(clip, "+")
    assert deciding.to_judge(emil, count=10) == []
    deciding.take_back(clip, by=staff, reason="Once more.")
    assert deciding.to_judge(emil, count=10) == [clip]


def test_the_queue_prefers_sentences_with_the_fewest_accepted(
    campaign: Campaign, clip: Clip, dora: Contributor, emil: Contributor
) -> None:
    other = collecting.clip(emil, clip.prompt)
    deciding.decide(other, to=ACCEPTED, source=STAFF)
    rarer = collecting.clip(dora, campaign.prompts.all()[1], flac_key="clips/two.flac")
    [listener] = listeners(1)
    assert deciding.to_judge(listener, count=10) == [rarer, clip]
    assert deciding.to_judge(listener, count=1) == [rarer]


def test_the_queue_leaves_out_what_was_voted_on_reported_or_cannot_be_heard(
    campaign: Campaign, clip: Clip, dora: Contributor
) -> None:
    prompts = campaign.prompts.all()
    voted, reported = (
        collecting.clip(dora, prompts[number], flac_key=f"clips/{number}.flac") for number in (1, 2)
    )
    collecting.clip(dora, prompts[3])
    [listener] = listeners(1)
    deciding.vote(listener, voted, is_valid=True)
    deciding.report_clip(listener, reported, "  Somebody   else speaks. ")
    assert deciding.to_judge(listener, count=10) == [clip]
    assert reported.reports.get().reason == "Somebody else speaks."
    with pytest.raises(InvalidRequest):
        deciding.report_clip(listener, clip, "  ")


def test_a_campaign_that_is_not_open_has_nothing_to_judge(campaign: Campaign, clip: Clip) -> None:
    [listener] = listeners(1)
    Campaign.objects.update(state="paused")
    assert deciding.to_judge(listener, count=10) == []
    Campaign.objects.update(state="open", access="invited")
    assert deciding.to_judge(listener, count=10) == []


def test_what_was_not_measured_is_not_accepted(campaign: Campaign, dora: Contributor) -> None:
    raw = collecting.clip(dora, campaign.prompts.all()[0], state="uploaded", speech_ms=0)
    Clip.objects.filter(pk=raw.pk).update(speech_ms=None)
    with pytest.raises(Conflict):
        deciding.decide(raw, to=ACCEPTED, source=STAFF)
    deciding.decide(raw, to=REJECTED, source=STAFF, reason="A hen can be heard.")
    assert raw.reason == "A hen can be heard."


def test_the_organization_is_told_without_the_person(clip: Clip) -> None:
    votes(clip, "++")
    event = Event.objects.get()
    assert event.type == "clip.accepted"
    assert str(clip.contributor_id) not in event.body


def test_undoing_needs_words_and_something_decided(clip: Clip, staff: User) -> None:
    with pytest.raises(Conflict):
        deciding.take_back(clip, by=staff, reason="Again.")
    votes(clip, "++")
    with pytest.raises(InvalidRequest):
        deciding.take_back(clip, by=staff, reason=" ")
    assert clip.round == 1


def test_what_was_recorded_again_meanwhile_stays_rejected(
    campaign: Campaign, clip: Clip, dora: Contributor, staff: User
) -> None:
    votes(clip, "--")
    collecting.clip(dora, clip.prompt)
    with pytest.raises(Conflict, match="recorded again"):
        deciding.take_back(clip, by=staff, reason="It was fine.")


def test_each_decision_is_kept_with_who_and_why(clip: Clip, staff: User) -> None:
    votes(clip, "++")
    deciding.take_back(clip, by=staff, reason="Noise.")
    deciding.decide(clip, to=REJECTED, source=STAFF, reason="Noise.", by=staff)
    kept = [(d.source, d.to_state, d.round, d.by_id, d.undone_at is not None) for d in clip.decisions.all()]
    assert kept == [
        ("votes", "accepted", 1, None, True),
        ("staff", "in_review", 2, staff.pk, False),
        ("staff", "rejected", 2, staff.pk, False),
    ]


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each answers, or raises, in threads of their own that begin together."""
    start = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        start.wait()
        try:
            results[number] = act()
        except Conflict as refused:
            results[number] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=row) for row in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_decide_once(acme: Organization, clip: Clip, staff: User) -> None:
    def decide(to: Clip.State) -> Callable[[], object]:
        own = Clip.objects.get(pk=clip.pk)
        return lambda: deciding.decide(own, to=to, source=STAFF, reason="Because.", by=staff)

    results = at_once(decide(ACCEPTED), decide(REJECTED))
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert clip.decisions.count() == 1
    assert ledger.flaws() == []


@pytest.mark.django_db(transaction=True)
def test_votes_at_once_pay_once(clip: Clip) -> None:
    own = [Clip.objects.get(pk=clip.pk) for _ in range(4)]
    people = listeners(4)
    votes_cast = [
        (lambda who=who, of=of: deciding.vote(who, of, is_valid=True))
        for who, of in zip(people, own, strict=True)
    ]
    results = at_once(*votes_cast)
    assert sum(isinstance(result, Conflict) for result in results) == 2
    clip.refresh_from_db()
    assert clip.state == ACCEPTED
    assert clip.decisions.count() == 1
    assert ledger.balance(clip.contributor).pending == 4
