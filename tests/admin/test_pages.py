"""Every page of admin: whom it lets in, and that lists, searches and forms of all models work."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import models
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Organization, User
from apps.contributions import deciding, ledger, payouts, people, withdrawing
from apps.keys.services import issue_key
from apps.usage.models import OrganizationLimits
from apps.voices import statements
from apps.voices.consents import accept_terms
from tests.cast import signed_in
from tests.contributions import collecting
from tests.usage.rows import process, record
from tests.voices.recordings import actor, clone

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
NAMES = [model._meta.label_lower for model in MODELS]
OTHER_PAGES = ["admin:index", "admin:mails"]


@pytest.fixture
def one_of_each(acme: Organization, alice: User, sam: User) -> None:
    issue_key(organization=acme, name="Server", mode="live", scopes=["speech"], created_by=alice)
    OrganizationLimits.objects.create(organization=acme, requests_per_minute=5)
    record(acme, state="failed", error_code="worker_failed")
    process()
    accept_terms(organization=acme, version=statements.current_terms().version, by=actor(alice))
    clone(acme, alice)
    collected(acme, sam)
    LogEntry.objects.log_actions(sam.pk, [acme], CHANGE, "Renamed.", single_object=True)


def collected(acme: Organization, sam: User) -> None:
    """A campaign with a clip that was earned, released, and is about to be paid, and a withdrawn consent."""
    campaign = collecting.campaign(acme, hold_days=0)
    speaker = collecting.speaker()
    collecting.agree(speaker, campaign, optional=True)
    people.set_payout_account(speaker, "somewhere")
    clip = collecting.clip(speaker, campaign.prompts.all()[0], speech_ms=1_500_000)
    deciding.decide(clip, to=clip.State.ACCEPTED, source="staff", by=sam)
    ledger.release_due()
    payouts.propose(by=sam)
    withdrawing.withdraw(speaker.consents.get(purpose="voice_cloning"))


def page_of(model: type[models.Model], kind: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=args)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_lists_searches_and_pages_open(staff: Client, one_of_each: None, model: type[models.Model]) -> None:
    assert staff.get(page_of(model, "changelist")).status_code == 200
    assert staff.get(page_of(model, "changelist"), {"q": "acme"}).status_code == 200
    for row in model._default_manager.all()[:1]:
        assert staff.get(page_of(model, "change", row.pk)).status_code == 200
        assert staff.get(page_of(model, "history", row.pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_a_row_that_is_not_there_is_no_fault(staff: Client, model: type[models.Model]) -> None:
    for nothing in (uuid4(), "nonsense", "0"):
        for kind in ("change", "history", "delete"):
            assert staff.get(page_of(model, kind, nothing)).status_code in (302, 403, 404), (nothing, kind)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_a_row_can_be_found_in_the_list(staff: Client, model: type[models.Model]) -> None:
    model_admin = admin.site._registry[model]
    request = staff.get(page_of(model, "changelist")).wsgi_request
    assert model_admin.get_search_fields(request)
    assert model_admin.list_display != ("__str__",)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_outsiders_see_nothing(
    acme: Organization, alice: User, clerk: Client, model: type[models.Model]
) -> None:
    page = page_of(model, "changelist")
    assert Client().get(page).url.startswith("/admin/login/")  # type: ignore[attr-defined]
    assert signed_in(alice).get(page).status_code == 302
    assert clerk.get(page).status_code == 403


@pytest.mark.parametrize("name", OTHER_PAGES)
def test_other_pages_are_for_staff(alice: User, staff: Client, name: str) -> None:
    assert Client().get(reverse(name)).status_code == 302
    assert signed_in(alice).get(reverse(name)).status_code == 302
    assert staff.get(reverse(name)).status_code == 200


def test_sign_in_is_the_one_of_the_platform(alice: User) -> None:
    response = Client().get("/admin/login/", {"next": "/admin/"})
    assert response.headers["Location"].startswith("/accounts/login/")
    assert signed_in(alice).get("/admin/login/", {"next": "/admin/"}).status_code == 403


@pytest.mark.parametrize(
    "label",
    [
        *("usage.usagerecord", "keys.apikey", "accounts.user", "accounts.organization"),
        *("voices.voice", "voices.voiceconsent", "voices.cloningterms"),
        *("contributions.campaign", "contributions.clip", "contributions.contributor"),
        *("contributions.consenttext", "contributions.consentrecord", "contributions.consentwithdrawal"),
        *("contributions.posting", "contributions.payout", "contributions.payoutbatch"),
    ],
)
def test_what_holds_the_truth_is_never_deleted(staff: Client, one_of_each: None, label: str) -> None:
    model = next(model for model in MODELS if model._meta.label_lower == label)
    row = model._default_manager.all()[0]
    assert staff.post(page_of(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
    staff.post(page_of(model, "changelist"), chosen)
    assert model._default_manager.filter(pk=row.pk).exists()


def test_the_side_bar_shows_what_one_may_see(staff: Client, clerk: Client) -> None:
    assert page_of(Organization, "changelist") in staff.get("/admin/").content.decode()
    assert page_of(Organization, "changelist") not in clerk.get("/admin/").content.decode()
