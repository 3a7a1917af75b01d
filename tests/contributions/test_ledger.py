"""Money by double entry: earned, held, released, paid, taken back; and the sums that prove it."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.contributions import deciding, ledger, payouts, people, withdrawing
from apps.contributions.models import Campaign, Clip, Contributor, Entry, Posting
from apps.contributions.models.clips import earned_cents
from apps.contributions.models.money import Account
from apps.core.errors import AppError, Conflict
from tests.contributions import collecting
from tests.contributions.operations import Operations

pytestmark = pytest.mark.django_db

ACCEPTED, REJECTED = Clip.State.ACCEPTED, Clip.State.REJECTED


def accepted(contributor: Contributor, campaign: Campaign, number: int = 0, **fields: int) -> Clip:
    made = collecting.clip(contributor, campaign.prompts.all()[number], **fields)
    deciding.decide(made, to=ACCEPTED, source="staff")
    return made


def over(campaign: Campaign) -> None:
    """The hold of everything is over."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE contributions_posting SET due_at = now() - interval '1 day'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    ledger.release_due()


@pytest.mark.parametrize(
    ("speech_ms", "rate", "cents"), [(0, 60, 0), (499, 60, 0), (500, 60, 1), (4_000, 60, 4), (4_180, 90, 6)]
)
def test_speech_is_paid_by_its_length_rounded_half_up(speech_ms: int, rate: int, cents: int) -> None:
    assert earned_cents(speech_ms, rate) == cents


def test_the_way_of_money(campaign: Campaign, dora: Contributor, staff: User) -> None:
    accepted(dora, campaign, speech_ms=1_500_000)
    assert ledger.balance(dora) == ledger.Balance(pending=1500, payable=0, on_the_way=0, paid=0)
    assert ledger.release_due() == 0
    over(campaign)
    assert ledger.balance(dora).payable == 1500
    assert payouts.propose(by=staff) is None  # nobody knows where to
    people.set_payout_account(dora, "DE02 1203 0000 0000 2020 51")
    batch = payouts.propose(by=staff)
    assert batch is not None
    payouts.approve(batch, by=staff)
    assert ledger.balance(dora) == ledger.Balance(pending=0, payable=0, on_the_way=1500, paid=0)
    payouts.CsvPayouts().send(batch)
    [payout] = batch.payouts.all()
    told = payouts.Told(payout.pk, paid=True, transfer_id="tr_1")
    assert payouts.settle(batch, [told]) == 1
    assert payouts.settle(batch, [told]) == 0
    assert ledger.balance(dora) == ledger.Balance(pending=0, payable=0, on_the_way=0, paid=1500)
    assert ledger.totals() == {
        "collection_expense": 1500,
        "contributor_pending": 0,
        "contributor_payable": 0,
        "payout_clearing": 0,
        "cash": -1500,
    }
    assert batch.state == "done"
    assert ledger.flaws() == []


def test_a_payout_that_failed_is_payable_again(campaign: Campaign, dora: Contributor, staff: User) -> None:
    accepted(dora, campaign, speech_ms=1_500_000)
    over(campaign)
    people.set_payout_account(dora, "account")
    batch = payouts.propose(by=staff)
    assert batch is not None
    payouts.approve(batch, by=staff)
    payouts.CsvPayouts().send(batch)
    [payout] = batch.payouts.all()
    assert payouts.propose(by=staff) is None
    payouts.settle(batch, [payouts.Told(payout.pk, paid=False, problem="account closed")])
    assert ledger.balance(dora).payable == 1500
    again = payouts.propose(by=staff)
    assert again is not None
    assert ledger.flaws() == []


def test_one_that_was_paid_and_came_back_is_payable_again(
    campaign: Campaign, dora: Contributor, staff: User
) -> None:
    accepted(dora, campaign, speech_ms=1_500_000)
    over(campaign)
    people.set_payout_account(dora, "account")
    batch = payouts.propose(by=staff)
    assert batch is not None
    payouts.approve(batch, by=staff)
    payouts.CsvPayouts().send(batch)
    [payout] = batch.payouts.all()
    payouts.settle(batch, [payouts.Told(payout.pk, paid=True, transfer_id="tr_1")])
    payouts.settle(batch, [payouts.Told(payout.pk, paid=False, problem="returned")])
    assert ledger.balance(dora) == ledger.Balance(pending=0, payable=1500, on_the_way=0, paid=0)
    assert ledger.flaws() == []


def test_what_is_undone_is_taken_back_and_may_be_earned_once_more(
    campaign: Campaign, dora: Contributor, staff: User
) -> None:
    made = accepted(dora, campaign)
    deciding.take_back(made, by=staff, reason="It was another sentence.")
    assert (made.state, made.round) == ("in_review", 2)
    assert ledger.balance(dora).earned == 0
    deciding.decide(made, to=ACCEPTED, source="staff", by=staff)
    assert ledger.balance(dora).pending == 4
    assert ledger.flaws() == []


def test_a_clip_is_earned_once_a_round(campaign: Campaign, dora: Contributor) -> None:
    made = accepted(dora, campaign)
    with pytest.raises(Conflict):
        deciding.decide(made, to=ACCEPTED, source="staff")
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.earn(made)
    assert ledger.balance(dora).pending == 4


def test_the_database_refuses_what_does_not_sum_to_zero(campaign: Campaign, dora: Contributor) -> None:
    made = collecting.clip(dora, campaign.prompts.all()[0])
    posting = Posting.objects.create(kind="earned", clip=made, round=1, campaign=campaign)
    Entry.objects.create(posting=posting, account=Account.EXPENSE, cents=5)
    with pytest.raises(DatabaseError, match="does not sum to zero"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("act", [lambda: Entry.objects.update(cents=7), lambda: Entry.objects.all().delete()])
def test_what_is_posted_never_changes(
    campaign: Campaign, dora: Contributor, act: Callable[[], object]
) -> None:
    accepted(dora, campaign)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        act()


def test_withdrawing_takes_back_what_is_on_hold_alone(campaign: Campaign, dora: Contributor) -> None:
    accepted(dora, campaign, 0)
    over(campaign)
    accepted(dora, campaign, 1)
    withdrawing.withdraw_all(dora)
    balance = ledger.balance(dora)
    assert (balance.pending, balance.payable) == (0, 4)
    assert set(Clip.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert ledger.flaws() == []


def test_flaws_are_found(campaign: Campaign, dora: Contributor) -> None:
    made = accepted(dora, campaign)
    Clip.objects.filter(pk=made.pk).update(speech_ms=9_000)
    assert len(ledger.flaws()) == 1
    Clip.objects.filter(pk=made.pk).update(speech_ms=4_000, state=REJECTED)
    assert len(ledger.flaws()) == 1


def test_a_thousand_operations_at_random_sum_to_zero(
    campaign: Campaign, dora: Contributor, emil: Contributor, staff: User
) -> None:
    dice = random.Random(20261129)
    campaign.hold_days = 0
    campaign.save()
    people.set_payout_account(dora, "one")
    people.set_payout_account(emil, "two")
    operations = Operations(campaign, [dora, emil], staff, dice)
    for number in range(1_000):
        # Killed: what it had begun is taken back as a whole.
        is_killed = dice.random() < 0.15
        with suppress(AppError), transaction.atomic():
            operations.do_any()
            if is_killed:
                transaction.set_rollback(True)
        if number % 100 == 0:
            assert ledger.flaws() == []
    assert ledger.flaws() == []
    assert set(Posting.objects.values_list("kind", flat=True)) == set(Posting.Kind.values)
    assert timezone.now() - campaign.created_at < timedelta(minutes=5)
