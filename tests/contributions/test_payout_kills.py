"""The web server is killed amid what staff do with a batch, and Celery amid the end of holds.

A lock that the test holds stops each at one statement. What is committed stays, all else is as if nobody had
asked; asked again, nobody is paid twice.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.accounts.models import User
from apps.contributions import deciding, ledger, payouts, people, tasks
from apps.contributions.models import Campaign, Clip, Contributor, Decision, Payout, PayoutBatch, Posting
from apps.core.crypto import decrypt_bytes
from apps.webhooks.models import Event
from tests.contributions import collecting, dying, held
from tests.platform import until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

AMOUNTS = {"dora": 1500, "emil": 2000}


class Office(dying.Site):
    """Staff at the page of a batch."""

    def __init__(self, media_folder: Path, staff: User, batch: PayoutBatch) -> None:
        super().__init__(media_folder, staff)
        self.page = f"/admin/contributions/payoutbatch/{batch.pk}"

    def press(self, button: str) -> str:
        return self.post(f"{self.page}/{button}/", data={"_form_submitted": "True"}).text

    def enter(self, results: bytes) -> str:
        return self.post(f"{self.page}/settle/", files={"file": ("back.csv", results, "text/csv")}).text


@pytest.fixture
def owed(campaign: Campaign) -> dict[str, Contributor]:
    """What each may be paid, by one clip."""
    Campaign.objects.update(hold_days=0)
    campaign.refresh_from_db()
    found = {}
    for (name, cents), prompt in zip(AMOUNTS.items(), campaign.prompts.all(), strict=False):
        found[name] = person = collecting.speaker(name)
        people.set_payout_account(person, f"account of {name}")
        earned(person, campaign, cents, prompt.number)
    ledger.release_due()
    return found


def earned(person: Contributor, campaign: Campaign, cents: int, number: int) -> Clip:
    clip = collecting.clip(person, campaign.prompts.get(number=number), speech_ms=cents * 1000)
    deciding.decide(clip, to=Clip.State.ACCEPTED, source=Decision.Source.STAFF)
    return clip


@pytest.fixture
def batch(owed: dict[str, Contributor], staff: User) -> PayoutBatch:
    """A draft."""
    proposed = payouts.propose(by=staff)
    assert proposed is not None
    return proposed


@pytest.fixture
def office(batch: PayoutBatch, staff: User, media_folder: Path) -> Iterator[Office]:
    with Office(media_folder, staff, batch) as running:
        yield running


def filled_in(content: bytes) -> bytes:
    """All of them paid."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, payouts.HEAD)
    writer.writeheader()
    for line in csv.DictReader(io.StringIO(content.decode())):
        writer.writerow(line | {"state": "paid", "transfer_id": f"tr_{line['amount']}"})
    return out.getvalue().encode()


def posted(kind: str) -> int:
    return Posting.objects.filter(kind=kind).count()


def test_nobody_is_paid_twice_wherever_the_server_is_killed(
    office: Office, batch: PayoutBatch, campaign: Campaign, staff: User, media_folder: Path
) -> None:
    # Approved, with the first amount posted: all of it is taken back.
    *_, last = batch.payouts.order_by("contributor_id")
    with held.row(last.contributor) as lock:
        office.killed_at(lock, office.press, "approve_this")
    assert (state(batch), posted("payout_begun")) == ("draft", 0)
    assert ledger.flaws() == []

    # Approved to the last statement: the database does it, and nobody is told.
    office.server.restart()
    with held.row(staff) as lock:
        office.killed_at(lock, office.press, "approve_this")
    assert (state(batch), posted("payout_begun")) == ("approved", 2)

    # The file stored and not written down.
    office.server.restart()
    assert "The batch is approved." in office.press("approve_this")
    file = media_folder / "payouts" / f"{batch.pk}.csv.encrypted"
    with held.row(batch) as lock:
        office.killed_at(lock, office.press, "make_file")
    content = decrypt_bytes(file.read_bytes())
    batch.refresh_from_db()
    assert batch.file_key == ""
    assert states() == ["pending", "pending"]

    # One payout settled, and the other one not.
    office.server.restart()
    assert "Payout file made." in office.press("make_file")
    batch.refresh_from_db()
    assert payouts.file_of(batch) == content
    assert states() == ["sent", "sent"]
    results = filled_in(content)
    *_, last = batch.payouts.order_by("pk")
    with held.row(last) as lock:
        office.killed_at(lock, office.enter, results)
    assert states() == ["paid", "sent"]
    assert (state(batch), posted("payout_paid")) == ("approved", 1)
    assert ledger.flaws() == []

    office.server.restart()
    assert "1 settled" in office.enter(results)
    assert "0 settled" in office.enter(results)
    office.press("make_file")
    assert payouts.file_of(batch) == content
    assert office.kills == 4
    assert (state(batch), states()) == ("done", ["paid", "paid"])
    assert (posted("payout_begun"), posted("payout_paid")) == (2, 2)
    assert told() == sorted(
        (str(campaign.pk), str(payout.pk), payout.cents) for payout in batch.payouts.all()
    )
    for payout in batch.payouts.all():
        balance = ledger.Balance(pending=0, payable=0, on_the_way=0, paid=payout.cents)
        assert ledger.balance(payout.contributor) == balance
    assert ledger.flaws() == []


def state(batch: PayoutBatch) -> str:
    batch.refresh_from_db()
    return batch.state


def states() -> list[str]:
    return sorted(Payout.objects.values_list("state", flat=True))


def told() -> list[tuple[str, str, int]]:
    """Of each event: the campaign, the payout and what of it was the campaign's."""
    bodies = [json.loads(event.body)["data"] for event in Event.objects.filter(type="payout.paid")]
    return sorted((body["campaign_id"], body["payout_id"], body["cents"]) for body in bodies)


def test_each_hold_ends_once_though_celery_is_killed(
    campaign: Campaign, dora: Contributor, media_folder: Path
) -> None:
    Campaign.objects.update(hold_days=0)
    campaign.refresh_from_db()
    clips = [
        earned(dora, campaign, 100 + number, prompt.number)
        for number, prompt in enumerate(campaign.prompts.all())
    ]
    with dying.Celery(media_folder, queues="celery") as celery:
        with held.row(clips[2]) as lock:
            lock.take()
            tasks.release_earnings.delay()
            celery.start()
            lock.until_reached()
            assert posted("released") == 2
            celery.kill_at(lock)
        assert posted("released") == 2
        assert ledger.flaws() == []

        celery.start()
        tasks.release_earnings.delay()
        until(lambda: posted("released") == len(clips), seconds=60)
    tasks.release_earnings()
    assert posted("released") == len(clips)
    assert ledger.balance(dora) == ledger.Balance(pending=0, payable=510, on_the_way=0, paid=0)
    assert ledger.flaws() == []
