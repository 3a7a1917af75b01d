"""Signing in on the way to the campaigns: no organization is made, and everybody comes back there."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import Membership, User
from tests.accounts.conftest import Mails, mails
from tests.accounts.test_signup import code_in
from tests.cast import PASSWORD

__all__ = ["mails"]

pytestmark = pytest.mark.django_db
FORM = {"email": "dora@example.com", "password1": PASSWORD, "name": "Dora"}


def test_who_signs_up_for_a_campaign_needs_no_organization(client: Client, mails: Mails) -> None:
    page = client.get("/accounts/login/?next=/contribute").content.decode()
    assert "/accounts/signup/?next=%2Fcontribute" in page
    page = client.get("/accounts/signup/?next=/contribute").content.decode()
    assert 'name="organization"' not in page
    client.post("/accounts/signup/?next=/contribute", {**FORM, "next": "/contribute"})
    response = client.post("/accounts/confirm-email/", {"code": code_in(mails()[-1]), "next": "/contribute"})
    assert response["Location"] == "/contribute"
    assert client.get("/contribute").status_code == 200
    assert not Membership.objects.exists()
    # The console offers to make one.
    assert client.get("/")["Location"] == "/organizations/new"


def test_who_names_an_organization_gets_it(client: Client, mails: Mails) -> None:
    client.post("/accounts/signup/", {**FORM, "next": "/contribute", "organization": "Dora Voices"})
    assert Membership.objects.get().organization.name == "Dora Voices"


@pytest.mark.parametrize("destination", ["", "/", "/contributed", "//evil.example/contribute", "/keys"])
def test_any_other_way_makes_one(client: Client, mails: Mails, destination: str) -> None:
    client.post("/accounts/signup/", {**FORM, "next": destination})
    assert Membership.objects.filter(user=User.objects.get()).count() == 1
