"""Contributors in admin: without names in lists, suspended, erased; consents that are only read."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import Organization, User
from apps.contributions import withdrawing
from apps.contributions.models import Campaign, Clip, ConsentRecord, ConsentWithdrawal, Contributor
from tests.admin.act import act
from tests.cast import signed_in
from tests.contributions import collecting

PEOPLE = "/admin/contributions/contributor/"
CONSENTS = "/admin/contributions/consentrecord/"
WITHDRAWALS = "/admin/contributions/consentwithdrawal/"
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def campaign(acme: Organization) -> Campaign:
    return collecting.campaign(acme, name="Winter")


@pytest.fixture
def dora(campaign: Campaign) -> Contributor:
    contributor = collecting.speaker("dora")
    collecting.agree(contributor, campaign)
    collecting.clip(contributor, campaign.prompts.all()[0])
    return contributor


def press(client: Client, person: Contributor, name: str) -> str:
    response = client.post(f"{PEOPLE}{person.pk}/{name}/", SUBMITTED, follow=True)
    assert response.status_code == 200
    person.refresh_from_db()
    return str(response.content.decode())


def test_lists_know_speakers_and_no_names(staff: Client, dora: Contributor) -> None:
    for page in (PEOPLE, f"{PEOPLE}{dora.pk}/change/", CONSENTS):
        html = staff.get(page).content.decode()
        assert str(dora) in html
        assert "dora@speaker.example" not in html
    for term in (str(dora.pk), "dora@speaker.example"):
        assert [row.pk for row in staff.get(PEOPLE, {"q": term}).context["cl"].result_list] == [dora.pk]
    assert not staff.get(PEOPLE, {"q": "dora"}).context["cl"].result_list


def test_suspending_and_lifting(staff: Client, dora: Contributor) -> None:
    assert "1: Suspended." in act(staff, PEOPLE, "suspend", dora)
    dora.refresh_from_db()
    assert dora.is_suspended
    assert [row.pk for row in staff.get(PEOPLE, {"state": "suspended"}).context["cl"].result_list] == [
        dora.pk
    ]
    assert "1: Suspension lifted." in act(staff, PEOPLE, "lift", dora)
    press(staff, dora, "suspend_this")
    assert dora.is_suspended
    press(staff, dora, "lift_this")
    assert not dora.is_suspended
    assert LogEntry.objects.filter(object_id=dora.pk).count() == 4


def test_erasing_asks_first_and_leaves_the_account(staff: Client, dora: Contributor) -> None:
    user = dora.user
    assert "Erase this person?" in staff.get(f"{PEOPLE}{dora.pk}/erase_this/").content.decode()
    dora.refresh_from_db()
    assert dora.erased_at is None
    assert "Erased on request." in press(staff, dora, "erase_this")
    assert dora.erased_at is not None
    assert dora.user is None
    assert user is not None
    assert User.objects.filter(pk=user.pk).exists()
    assert Clip.objects.get().state == "withdrawn"
    assert "None: the person was erased" in staff.get(f"{PEOPLE}{dora.pk}/change/").content.decode()
    assert "The person was erased." in act(staff, PEOPLE, "suspend", dora)


def test_consents_and_withdrawals_are_only_read(staff: Client, dora: Contributor) -> None:
    record = ConsentRecord.objects.all()[0]
    withdrawal = withdrawing.withdraw(record, reason="<script>alert(1)</script>")
    for at, row in ((CONSENTS, record), (WITHDRAWALS, withdrawal)):
        html = staff.get(f"{at}{row.pk}/change/").content.decode()
        assert "<script>alert" not in html
        assert staff.get(at).status_code == 200
        assert staff.get(f"{at}add/").status_code == 403
        assert staff.post(f"{at}{row.pk}/change/", {"locale": "de"}).status_code == 403
        assert staff.post(f"{at}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert record.text.text in staff.get(f"{CONSENTS}{record.pk}/change/").content.decode()
    assert ConsentWithdrawal.objects.count() == 1


def test_erasing_is_a_right_of_its_own(dora: Contributor) -> None:
    clerk = User.objects.create_user("carer@staff.example", is_staff=True)
    codes = ["view_contributor", "change_contributor"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client = signed_in(clerk)
    assert client.post(f"{PEOPLE}{dora.pk}/erase_this/", SUBMITTED).status_code == 403
    assert client.post(f"{PEOPLE}{dora.pk}/suspend_this/", SUBMITTED).status_code == 302
    dora.refresh_from_db()
    assert (dora.is_suspended, dora.erased_at) == (True, None)


def test_who_may_only_look_does_nothing(dora: Contributor) -> None:
    viewer = User.objects.create_user("viewer@staff.example", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_contributor"))
    client = signed_in(viewer)
    act(client, PEOPLE, "suspend", dora)
    for name in ("suspend_this", "lift_this", "erase_this"):
        assert client.post(f"{PEOPLE}{dora.pk}/{name}/", SUBMITTED).status_code == 403
    dora.refresh_from_db()
    assert not dora.is_suspended
