"""Whose console it is: the chosen organization, else the oldest, else a page that makes one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from apps.accounts.models import Membership, Organization, User
from apps.accounts.services import create_organization
from apps.accounts.tenancy import SESSION_KEY, current_membership, current_organization, memberships_of
from tests.cast import signed_in


@pytest.fixture
def second(alice: User, acme: Organization) -> Organization:
    """Another of alice's organizations, younger than acme."""
    return create_organization(name="Second", owner=alice)


def request_of(rf: RequestFactory, user: Any, chosen: object = None) -> Any:
    request = rf.get("/")
    request.user = user
    request.session = SessionStore()
    if chosen:
        request.session[SESSION_KEY] = str(chosen)
    return request


def test_without_a_choice_it_is_the_oldest(rf: RequestFactory, alice: User, second: Organization) -> None:
    organization = current_organization(request_of(rf, alice))
    assert organization is not None
    assert organization.name == "Acme"


def test_a_choice_holds(rf: RequestFactory, alice: User, second: Organization) -> None:
    assert current_organization(request_of(rf, alice, chosen=second.pk)) == second


@pytest.mark.parametrize("chosen", ["not-an-id", str(uuid.UUID(int=7))])
def test_a_choice_that_means_nothing_is_as_if_there_were_none(
    rf: RequestFactory, alice: User, acme: Organization, chosen: str
) -> None:
    assert current_organization(request_of(rf, alice, chosen=chosen)) == acme


def test_another_organization_cannot_be_chosen(
    rf: RequestFactory, alice: User, acme: Organization, globex: Organization
) -> None:
    assert current_organization(request_of(rf, alice, chosen=globex.pk)) == acme


def test_nobody_has_none(rf: RequestFactory, db: None) -> None:
    assert current_membership(request_of(rf, AnonymousUser())) is None
    assert current_membership(request_of(rf, User.objects.create_user("n@example.com"))) is None


def test_a_request_asks_once(
    rf: RequestFactory, alice: User, second: Organization, django_assert_num_queries: Any
) -> None:
    request = request_of(rf, alice)
    with django_assert_num_queries(1):
        current_organization(request)
        assert [m.organization.name for m in memberships_of(request)] == ["Acme", "Second"]
        current_membership(request)


def test_switching_and_losing_what_was_switched_to(alice: User, second: Organization) -> None:
    client = signed_in(alice)
    assert client.post("/organizations/switch", {"organization": second.pk}).status_code == 302
    assert "Second" in client.get("/settings").content.decode()
    Membership.objects.filter(user=alice, organization=second).delete()
    page = client.get("/settings").content.decode()
    assert "Acme" in page
    assert "Second" not in page


def test_who_belongs_nowhere_is_led_to_make_one(db: None) -> None:
    client = signed_in(User.objects.create_user("n@example.com"))
    response = client.get("/keys")
    assert response["Location"] == "/organizations/new"
    assert client.post("/organizations/new", {"name": "Mine"}).status_code == 302
    assert client.get("/keys").status_code == 200


def test_a_member_does_not_manage(acme: Organization, bob: User) -> None:
    client = signed_in(bob)
    assert client.post("/settings/organization", {"name": "Bobs"}).status_code == 403
    acme.refresh_from_db()
    assert acme.name == "Acme"
