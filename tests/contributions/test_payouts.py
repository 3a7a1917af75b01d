"""Batches and their files: what is written, what is read back, and what goes wrong between."""

from __future__ import annotations

import csv
import io

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.contributions import deciding, ledger, payouts, people
from apps.contributions.models import Campaign, Clip, Contributor, Payout, PayoutBatch
from apps.core import media
from apps.core.errors import Conflict, InvalidRequest
from apps.webhooks.models import Event
from tests.contributions import collecting

pytestmark = pytest.mark.django_db

HEAD = ",".join(payouts.HEAD)


def owe(contributor: Contributor, campaign: Campaign, cents: int, number: int = 0) -> None:
    """Earned, and past its hold."""
    prompt = campaign.prompts.all()[number]
    made = collecting.clip(contributor, prompt, speech_ms=cents * 1000)
    deciding.decide(made, to=Clip.State.ACCEPTED, source="staff")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE contributions_posting SET due_at = now() - interval '1 day'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    ledger.release_due()


@pytest.fixture
def batch(campaign: Campaign, dora: Contributor, emil: Contributor, staff: User) -> PayoutBatch:
    """Approved, with 15 dollars for dora and 20 for emil."""
    for contributor, cents in ((dora, 1500), (emil, 2000)):
        owe(contributor, campaign, cents)
        people.set_payout_account(contributor, f"account of {contributor.pk}")
    proposed = payouts.propose(by=staff)
    assert proposed is not None
    payouts.approve(proposed, by=staff)
    return proposed


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def filled_in(batch: PayoutBatch, **states: str) -> bytes:
    """The file as it comes back, with the state of each speaker's line by the cents."""
    lines = rows(payouts.payout_file(batch))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, payouts.HEAD)
    writer.writeheader()
    for line in lines:
        state = states.get(f"c{line['amount'].replace('.', '')}", "")
        writer.writerow(line | {"state": state, "transfer_id": f"tr_{line['amount']}" if state else ""})
    return out.getvalue().encode()


def test_only_who_is_owed_enough_and_can_be_paid_is_proposed(
    campaign: Campaign, dora: Contributor, emil: Contributor, staff: User
) -> None:
    owe(dora, campaign, 999)
    owe(emil, campaign, 1000, number=1)
    for contributor in (dora, emil):
        people.set_payout_account(contributor, "somewhere")
    people.set_suspended(emil, suspended=True)
    assert payouts.propose(by=staff) is None
    people.set_suspended(emil, suspended=False)
    proposed = payouts.propose(by=staff)
    assert proposed is not None
    assert [(payout.contributor, payout.cents) for payout in proposed.payouts.all()] == [(emil, 1000)]
    assert payouts.propose(by=staff) is None


def test_the_file_names_each_amount_once(batch: PayoutBatch) -> None:
    payouts.CsvPayouts().send(batch)
    content = payouts.file_of(batch)
    assert content.splitlines()[0].decode() == HEAD
    lines = rows(content)
    assert sorted(line["amount"] for line in lines) == ["15.00", "20.00"]
    assert {line["account"] for line in lines} == {f"account of {line['contributor']}" for line in lines}
    assert {line["currency"] for line in lines} == {"USD"}
    assert set(batch.payouts.values_list("state", flat=True)) == {"sent"}
    assert payouts.payout_file(batch) == content
    assert b"account of" not in media.read(batch.file_key)


@pytest.mark.parametrize("account", ["=1+1", "+49", "-1", "@SUM(A1)", '=HYPERLINK("https://evil.example")'])
def test_no_account_is_a_formula(campaign: Campaign, dora: Contributor, staff: User, account: str) -> None:
    owe(dora, campaign, 1500)
    people.set_payout_account(dora, account)
    proposed = payouts.propose(by=staff)
    assert proposed is not None
    [line] = rows(payouts.payout_file(proposed))
    assert line["account"] == f"'{account}"


def test_commas_and_quotes_in_an_account_stay_in_it(
    campaign: Campaign, dora: Contributor, staff: User
) -> None:
    owe(dora, campaign, 1500)
    people.set_payout_account(dora, 'Bank "A", Vienna')
    proposed = payouts.propose(by=staff)
    assert proposed is not None
    [line] = rows(payouts.payout_file(proposed))
    assert line["account"] == 'Bank "A", Vienna'
    with pytest.raises(InvalidRequest):
        people.set_payout_account(dora, "x" * 201)


def test_what_is_not_approved_is_not_sent(campaign: Campaign, dora: Contributor, staff: User) -> None:
    owe(dora, campaign, 1500)
    people.set_payout_account(dora, "somewhere")
    proposed = payouts.propose(by=staff)
    assert proposed is not None
    with pytest.raises(Conflict):
        payouts.CsvPayouts().send(proposed)
    assert not proposed.file_key
    payouts.cancel(proposed, by=staff)
    with pytest.raises(Conflict):
        payouts.approve(proposed, by=staff)
    with pytest.raises(Conflict):
        payouts.cancel(proposed, by=staff)
    assert ledger.balance(dora).payable == 1500


def test_a_balance_that_fell_stops_the_approval(campaign: Campaign, dora: Contributor, staff: User) -> None:
    owe(dora, campaign, 1500)
    people.set_payout_account(dora, "somewhere")
    proposed = payouts.propose(by=staff)
    assert proposed is not None
    deciding.take_back(Clip.objects.get(), by=staff, reason="Noise.")
    with pytest.raises(Conflict, match="owed less"):
        payouts.approve(proposed, by=staff)
    assert ledger.flaws() == []


def test_an_approved_batch_is_not_approved_again_or_cancelled(batch: PayoutBatch, staff: User) -> None:
    for act in (payouts.approve, payouts.cancel):
        with pytest.raises(Conflict):
            act(batch, by=staff)
    assert ledger.flaws() == []


# ---- what comes back ---------------------------------------------------------------------------------
def test_a_file_that_comes_back_settles(batch: PayoutBatch, dora: Contributor, emil: Contributor) -> None:
    payouts.CsvPayouts().send(batch)
    told = payouts.read_file(filled_in(batch, c1500="paid"))
    assert payouts.settle(batch, told) == 1
    assert batch.state == "approved"
    assert ledger.balance(dora).paid == 1500
    told = payouts.read_file(b"\xef\xbb\xbf" + filled_in(batch, c1500="PAID", c2000=" failed "))
    assert payouts.settle(batch, told) == 1
    assert batch.state == "done"
    assert ledger.balance(emil).payable == 2000
    assert ledger.flaws() == []
    assert [event.type for event in Event.objects.filter(type__startswith="payout")] == ["payout.paid"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{id},,,,,tr_1,done,", "Line 2"),
        ("{id},,,,,,paid,", "Line 2"),
        ("no-id,,,,,tr_1,paid,", "Line 2"),
        (",,,,,tr_1,paid,", "Line 2"),
    ],
)
def test_a_wrong_line_is_named_and_settles_nothing(batch: PayoutBatch, line: str, said: str) -> None:
    payout = batch.payouts.first()
    assert payout is not None
    with pytest.raises(InvalidRequest, match=said):
        payouts.read_file(f"{HEAD}\n{line.format(id=payout.pk)}\n".encode())


@pytest.mark.parametrize("content", [b"", b"\n\n", b"hello", b"a,b\n1,2\n", HEAD.encode()])
def test_a_file_without_states_settles_nothing(content: bytes) -> None:
    assert payouts.read_file(content) == []


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        payouts.read_file(b"\xff\xfe\x00\x01")


def test_a_line_of_another_batch_settles_nothing_at_all(
    batch: PayoutBatch, campaign: Campaign, staff: User
) -> None:
    fay = collecting.speaker("fay")
    collecting.agree(fay, campaign)
    owe(fay, campaign, 3000, number=2)
    people.set_payout_account(fay, "elsewhere")
    other = payouts.propose(by=staff)
    assert other is not None
    payouts.approve(other, by=staff)
    told = [
        *payouts.read_file(filled_in(batch, c1500="paid")),
        *payouts.read_file(filled_in(other, c3000="paid")),
    ]
    with pytest.raises(InvalidRequest, match="no payout of this batch"):
        payouts.settle(batch, told)
    assert not Payout.objects.filter(state="paid").exists()


def test_one_transfer_pays_one_payout(batch: PayoutBatch) -> None:
    first, second = batch.payouts.all()
    payouts.settle(batch, [payouts.Told(first.pk, paid=True, transfer_id="tr_1")])
    with pytest.raises(Conflict, match="tr_1"):
        payouts.settle(batch, [payouts.Told(second.pk, paid=True, transfer_id="tr_1")])
    second.refresh_from_db()
    assert second.state == "pending"
    assert ledger.flaws() == []


def test_a_failed_one_cannot_have_been_paid_after_all(batch: PayoutBatch) -> None:
    first, _ = batch.payouts.all()
    payouts.settle(batch, [payouts.Told(first.pk, paid=False, problem="closed")])
    with pytest.raises(Conflict):
        payouts.settle(batch, [payouts.Told(first.pk, paid=True, transfer_id="tr_1")])
    assert ledger.flaws() == []


def test_killed_between_file_and_note_it_is_sent_with_the_same_bytes(
    batch: PayoutBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(key: str, content: bytes) -> None:
        save(key, content)
        raise KeyboardInterrupt

    save = media.save
    with monkeypatch.context() as patched:
        patched.setattr(payouts.media, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            payouts.CsvPayouts().send(batch)
    batch.refresh_from_db()
    assert not batch.file_key
    assert set(batch.payouts.values_list("state", flat=True)) == {"pending"}
    assert media.exists(f"payouts/{batch.pk}.csv.encrypted")
    before = payouts.payout_file(batch)
    payouts.CsvPayouts().send(batch)
    assert payouts.file_of(batch) == before
    assert set(batch.payouts.values_list("state", flat=True)) == {"sent"}


def test_what_was_earned_again_is_released_too(campaign: Campaign, dora: Contributor, staff: User) -> None:
    """A second round is held and released as the first one was."""
    owe(dora, campaign, 1500)
    made = Clip.objects.get()
    deciding.take_back(made, by=staff, reason="Once more.")
    assert ledger.balance(dora).earned == 0
    deciding.decide(made, to=Clip.State.ACCEPTED, source="staff", by=staff)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE contributions_posting SET due_at = now() - interval '1 day'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert ledger.release_due() == 1
    assert ledger.release_due() == 0
    assert ledger.balance(dora).payable == 1500
    assert ledger.flaws() == []
