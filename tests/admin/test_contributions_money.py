"""Money in admin: the ledger and its check, batches from proposal to settlement, and who may see accounts."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Organization, User
from apps.contributions import deciding, ledger, payouts, people
from apps.contributions.models import Campaign, Clip, Contributor, Payout, PayoutBatch, Posting
from tests.cast import signed_in
from tests.contributions import collecting
from tests.voices.conftest import media_folder

__all__ = ["media_folder"]

BATCHES = "/admin/contributions/payoutbatch/"
PAYOUTS = "/admin/contributions/payout/"
POSTINGS = "/admin/contributions/posting/"
ACCOUNT = "AT61 1904 3002 3457 3201"
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def campaign(acme: Organization) -> Campaign:
    return collecting.campaign(acme, name="Winter", hold_days=0)


@pytest.fixture
def dora(campaign: Campaign) -> Contributor:
    """Is owed 15 dollars, payable."""
    contributor = collecting.speaker("dora")
    people.set_payout_account(contributor, ACCOUNT)
    made = collecting.clip(contributor, campaign.prompts.all()[0], speech_ms=1_500_000)
    deciding.decide(made, to=Clip.State.ACCEPTED, source="staff")
    ledger.release_due()
    return contributor


@pytest.fixture
def batch(dora: Contributor, sam: User) -> PayoutBatch:
    """A draft."""
    made = payouts.propose(by=sam)
    assert made is not None
    return made


def press(client: Client, batch: PayoutBatch, name: str) -> str:
    """A button of its page, confirmed; answers the page that follows."""
    response = client.post(f"{BATCHES}{batch.pk}/{name}/", SUBMITTED, follow=True)
    assert response.status_code == 200
    batch.refresh_from_db()
    return str(response.content.decode())


def file_of(client: Client, batch: PayoutBatch) -> bytes:
    response = client.get(f"{BATCHES}{batch.pk}/file.csv")
    assert response.status_code == 200
    return bytes(response.content)


def upload(client: Client, batch: PayoutBatch, content: bytes, name: str = "back.csv") -> str:
    response = client.post(f"{BATCHES}{batch.pk}/settle/", {"file": SimpleUploadedFile(name, content)})
    assert response.status_code == 200
    return str(response.content.decode())


def filled_in(content: bytes, **values: str) -> bytes:
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, payouts.HEAD)
    writer.writeheader()
    writer.writerows(line | values for line in lines)
    return out.getvalue().encode()


def test_the_way_of_a_batch(staff: Client, sam: User, dora: Contributor) -> None:
    response = staff.post(f"{BATCHES}propose/", SUBMITTED, follow=True)
    batch = PayoutBatch.objects.get()
    assert response.request["PATH_INFO"] == f"{BATCHES}{batch.pk}/change/"
    assert batch.created_by == sam
    assert "Not made yet" in response.content.decode()
    tom = User.objects.create_superuser("tom@staff.example", name="Tom")
    assert "Approved." in press(signed_in(tom), batch, "approve_this")
    assert (batch.state, batch.approved_by) == ("approved", tom)
    shown = press(staff, batch, "make_file")
    assert f"{BATCHES}{batch.pk}/file.csv" in shown
    content = file_of(staff, batch)
    assert ACCOUNT.encode() in content
    assert "1 settled" in upload(staff, batch, filled_in(content, state="paid", transfer_id="tr_9"))
    assert "0 settled" in upload(staff, batch, filled_in(content, state="paid", transfer_id="tr_9"))
    batch.refresh_from_db()
    assert batch.state == "done"
    assert ledger.balance(dora).paid == 1500
    assert ledger.flaws() == []
    said = set(LogEntry.objects.filter(object_id=batch.pk).values_list("change_message", flat=True))
    assert {"Proposed.", "Approved.", "Payout file made.", "Payout file downloaded."} <= said


def test_a_file_that_was_made_stays_the_one(staff: Client, batch: PayoutBatch, dora: Contributor) -> None:
    press(staff, batch, "approve_this")
    press(staff, batch, "make_file")
    before, sha256 = file_of(staff, batch), batch.file_sha256
    people.set_payout_account(dora, "somewhere else")
    press(staff, batch, "make_file")
    assert (file_of(staff, batch), batch.file_sha256) == (before, sha256)


def offered(client: Client, batch: PayoutBatch) -> set[str]:
    page = client.get(f"{BATCHES}{batch.pk}/change/").content.decode()
    buttons = ("approve_this", "make_file", "settle_this", "cancel_this")
    return {name for name in buttons if f"/{batch.pk}/{name}" in page}


def test_a_batch_offers_what_there_is_to_do(staff: Client, batch: PayoutBatch) -> None:
    assert offered(staff, batch) == {"approve_this", "cancel_this"}
    press(staff, batch, "approve_this")
    assert offered(staff, batch) == {"make_file", "settle_this"}
    press(staff, batch, "make_file")
    assert offered(staff, batch) == {"settle_this"}
    PayoutBatch.objects.update(state="cancelled")
    assert offered(staff, batch) == set()


def test_nothing_to_propose(staff: Client) -> None:
    shown = staff.post(f"{BATCHES}propose/", SUBMITTED, follow=True).content.decode()
    assert "Nobody is to be paid at the moment." in shown
    assert not PayoutBatch.objects.exists()


def test_a_draft_is_cancelled_and_nothing_else(staff: Client, batch: PayoutBatch, dora: Contributor) -> None:
    assert "The batch is not approved." in press(staff, batch, "make_file")
    assert "Cancelled." in press(staff, batch, "cancel_this")
    assert "Only a draft can be cancelled." in press(staff, batch, "cancel_this")
    assert "The batch is cancelled." in press(staff, batch, "approve_this")
    assert ledger.balance(dora).payable == 1500
    assert staff.get(f"{BATCHES}{batch.pk}/file.csv").status_code == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "no CSV in UTF-8"),
        (b"payout_id,state\nnonsense,failed\n", "Line 2: this is no payout_id."),
        (b"payout_id,state\n,paid\n", "Line 2: the state is paid"),
        (b"payout_id,state\n0197b3a2-c518-7b93-8a0d-e4f71c2d6b85,failed\n", "no payout of this batch"),
        (b"", "empty"),
    ],
)
def test_a_wrong_file_settles_nothing(staff: Client, batch: PayoutBatch, content: bytes, said: str) -> None:
    press(staff, batch, "approve_this")
    press(staff, batch, "make_file")
    shown = upload(staff, batch, content, name='"><script>alert(1)</script>.csv')
    assert said in shown
    assert "<script>alert" not in shown
    assert Payout.objects.get().state == "sent"
    assert "This field is required." in staff.post(f"{BATCHES}{batch.pk}/settle/").content.decode()


def test_what_failed_says_why_as_text(staff: Client, batch: PayoutBatch) -> None:
    press(staff, batch, "approve_this")
    press(staff, batch, "make_file")
    hostile = "<script>alert(1)</script>"
    shown = upload(staff, batch, filled_in(file_of(staff, batch), state="failed", problem=hostile))
    for page in (shown, staff.get(PAYOUTS).content.decode(), press(staff, batch, "make_file")):
        assert "<script>alert" not in page
    assert "&lt;script&gt;" in shown
    assert Payout.objects.get().problem == hostile


def test_no_page_shows_an_account(staff: Client, batch: PayoutBatch, dora: Contributor) -> None:
    press(staff, batch, "approve_this")
    press(staff, batch, "make_file")
    payout = batch.payouts.get()
    pages = [
        *(BATCHES, f"{BATCHES}{batch.pk}/change/", f"{BATCHES}{batch.pk}/settle/"),
        *(PAYOUTS, f"{PAYOUTS}{payout.pk}/change/", POSTINGS, f"{POSTINGS}ledger/"),
        *("/admin/contributions/contributor/", f"/admin/contributions/contributor/{dora.pk}/change/"),
    ]
    for page in pages:
        response = staff.get(page)
        assert response.status_code == 200
        html = response.content.decode()
        assert ACCOUNT not in html
        assert "dora@" not in html


# ---- the ledger --------------------------------------------------------------------------------------
def test_the_ledger_is_read_and_found(staff: Client, batch: PayoutBatch, dora: Contributor) -> None:
    press(staff, batch, "approve_this")
    clip, payout = Clip.objects.get(), batch.payouts.get()

    def kinds(term: str) -> list[str]:
        return [row.kind for row in staff.get(POSTINGS, {"q": term}).context["cl"].result_list]

    everything = ["payout_begun", "released", "earned"]
    assert kinds("") == kinds(str(dora.pk)) == everything
    assert kinds(str(clip.pk)) == kinds("winter") == everything[1:]
    assert kinds(str(payout.pk)) == everything[:1]
    assert kinds("nothing like it") == []
    earned = Posting.objects.get(kind="earned")
    shown = staff.get(f"{POSTINGS}{earned.pk}/change/").content.decode()
    assert "Collection expense" in shown
    assert shown.count("$15.00") == 2


def test_the_check_says_that_it_holds(staff: Client, batch: PayoutBatch) -> None:
    response = staff.get(f"{POSTINGS}ledger/")
    html = response.content.decode()
    assert "It holds" in html
    assert ("Collection expense", "$15.00", "$0.00") in response.context["rows"]
    assert response.context["total"] == "$0.00"


def test_the_check_says_what_is_wrong(staff: Client, dora: Contributor) -> None:
    Clip.objects.update(speech_ms=9_000)
    html = staff.get(f"{POSTINGS}ledger/").content.decode()
    assert "It does not hold" in html
    assert "is paid 1500 of 9 cents" in html


def test_queries_do_not_grow(staff: Client, campaign: Campaign, dora: Contributor) -> None:
    def count(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(url).status_code == 200
        return len(queries)

    urls = [POSTINGS, "/admin/contributions/contributor/"]
    before = [count(url) for url in urls] and [count(url) for url in urls]
    for _ in range(5):
        other = collecting.speaker()
        made = collecting.clip(other, campaign.prompts.all()[1])
        deciding.decide(made, to=Clip.State.ACCEPTED, source="staff")
    assert [count(url) for url in urls] == before


# ---- who may what ------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", ["posting", "payout", "payoutbatch"])
def test_nothing_is_made_changed_or_deleted_by_hand(staff: Client, batch: PayoutBatch, model: str) -> None:
    at = f"/admin/contributions/{model}/"
    row: Any = {"posting": Posting, "payout": Payout, "payoutbatch": PayoutBatch}[model].objects.all()[0]
    assert staff.get(f"{at}add/").status_code == 403
    assert staff.post(f"{at}{row.pk}/change/", {"state": "paid", "cents": "1"}).status_code == 403
    assert staff.post(f"{at}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    staff.post(at, {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"})
    assert type(row).objects.filter(pk=row.pk).exists()


def test_who_may_only_look_moves_no_money_and_gets_no_file(
    staff: Client, batch: PayoutBatch, dora: Contributor
) -> None:
    viewer = User.objects.create_user("viewer@staff.example", is_staff=True)
    viewer.user_permissions.set(
        Permission.objects.filter(codename__in=["view_payoutbatch", "view_payout", "view_posting"])
    )
    client = signed_in(viewer)
    assert client.get(f"{POSTINGS}ledger/").status_code == 200
    for name in ("approve_this", "make_file", "cancel_this", "settle_this"):
        assert client.post(f"{BATCHES}{batch.pk}/{name}/", SUBMITTED).status_code == 403
    assert client.post(f"{BATCHES}propose/", SUBMITTED).status_code == 403
    press(staff, batch, "approve_this")
    press(staff, batch, "make_file")
    assert client.get(f"{BATCHES}{batch.pk}/file.csv").status_code == 403
    assert client.get(f"{BATCHES}{batch.pk}/settle/").status_code == 403


def test_others_see_nothing(clerk: Client, alice: User, batch: PayoutBatch) -> None:
    for url in (f"{POSTINGS}ledger/", f"{BATCHES}{batch.pk}/file.csv", f"{BATCHES}{batch.pk}/settle/"):
        assert clerk.get(url).status_code == 403
        assert signed_in(alice).get(url).status_code == 302
