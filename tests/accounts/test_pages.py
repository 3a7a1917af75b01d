"""Sign-up, sign-in, settings and organizations, as people meet them."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.accounts.services import create_organization
from tests.cast import PASSWORD, signed_in

SIGN_UP = {
    "name": "Dora",
    "email": "dora@new.example",
    "password1": "a long new password",
    "organization": "Initech",
}


@pytest.fixture(autouse=True)
def _no_rate_limits_from_before() -> None:
    cache.clear()


@pytest.fixture
def verified_alice(alice: User) -> User:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    return alice


@pytest.mark.django_db
def test_signing_up_makes_an_organization_once_the_code_is_typed() -> None:
    client = Client()
    response = client.post("/accounts/signup/", SIGN_UP, follow=True)
    assert "Confirm your email" in response.content.decode()
    assert client.get("/keys").status_code == 302
    code = re.search(r"^ +(\S{4,})$", str(mail.outbox[0].body), re.MULTILINE)
    assert code, mail.outbox[0].body
    response = client.post("/accounts/confirm-email/", {"code": code[1]}, follow=True)
    assert response.redirect_chain[-1][0] == "/"
    assert "Initech" in response.content.decode()
    membership = Membership.objects.get(user__email="dora@new.example")
    assert (membership.organization.name, membership.role) == ("Initech", "owner")
    assert membership.user.name == "Dora"


@pytest.mark.django_db
def test_a_wrong_code_says_so() -> None:
    client = Client()
    client.post("/accounts/signup/", SIGN_UP)
    html = client.post("/accounts/confirm-email/", {"code": "WRONG1"}).content.decode()
    assert "Incorrect code" in html
    assert "Confirm your email" in html


@pytest.mark.django_db
def test_signing_up_again_does_not_tell_that_the_address_is_known(verified_alice: User) -> None:
    again = Client().post("/accounts/signup/", {**SIGN_UP, "email": verified_alice.email}, follow=True)
    assert "Confirm your email" in again.content.decode()
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "value"), [("password1", "short"), ("email", "not an address")])
def test_what_is_wrong_is_said_at_its_field_and_above(field: str, value: str) -> None:
    html = Client().post("/accounts/signup/", {**SIGN_UP, field: value}).content.decode()
    assert "One field needs another look." in html
    assert f'id="id_{field}_error"' in html
    assert 'value="Initech"' in html


def test_signing_in_and_out(verified_alice: User, acme: Organization) -> None:
    client = Client()
    response = client.post(
        "/accounts/login/?next=/keys", {"login": verified_alice.email, "password": PASSWORD}
    )
    assert response.url == "/keys"
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/keys").status_code == 302


def test_a_wrong_password_says_so(verified_alice: User) -> None:
    response = Client().post("/accounts/login/", {"login": verified_alice.email, "password": "wrong"})
    html = response.content.decode()
    assert "not correct" in html
    assert 'role="alert"' in html


def test_a_forgotten_password_is_replaced_by_a_link(verified_alice: User) -> None:
    client = Client()
    response = client.post("/accounts/password/reset/", {"email": verified_alice.email}, follow=True)
    assert "Look into your mail" in response.content.decode()
    link = re.search(r"http://localhost:8080(\S+)", str(mail.outbox[0].body))
    assert link
    form_url = client.get(link[1]).url
    assert "Choose a new password" in client.get(form_url).content.decode()
    new = {"password1": "another long password", "password2": "another long password"}
    assert "Your password is changed" in client.post(form_url, new, follow=True).content.decode()
    assert User.objects.get().check_password("another long password")
    assert "This link no longer works" in Client().get(link[1]).content.decode()


@pytest.mark.django_db
def test_other_ways_to_sign_in_are_shown_only_where_configured() -> None:
    assert "Continue with" not in Client().get("/accounts/login/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/accounts/login/", 1),  # are there social apps?
        ("/accounts/signup/", 1),
        ("/accounts/password/reset/", 0),
        ("/accounts/inactive/", 0),
    ],
)
def test_pages_before_sign_in_are_cheap(path: str, queries: int, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(queries):  # type: ignore[operator]
        response = Client().get(path)
    assert b"VoiceFlow" in response.content


def test_a_person_without_an_organization_is_asked_to_name_one(alice: User) -> None:
    client = signed_in(alice)
    assert client.get("/keys").url == "/organizations/new"
    response = client.post("/organizations/new", {"name": "  Acme   Audio "}, follow=True)
    assert "Acme Audio" in response.content.decode()
    assert Membership.objects.get(user=alice).role == "owner"


def test_an_organization_needs_a_name(alice: User) -> None:
    response = signed_in(alice).post("/organizations/new", {"name": " "})
    assert response.status_code == 400
    assert not Organization.objects.exists()


def test_switching_between_ones_own_organizations(alice: User, acme: Organization) -> None:
    side = create_organization(name="Side project", owner=alice)
    client = signed_in(alice)
    assert client.post("/organizations/switch", {"organization": str(side.pk)}).url == "/"
    assert "Organization: Side project" in client.get("/keys").content.decode()


@pytest.mark.parametrize("wanted", ["globex", "", "not-an-id"])
def test_switching_elsewhere_is_not_found(
    alice: User, acme: Organization, globex: Organization, wanted: str
) -> None:
    chosen = str(globex.pk) if wanted == "globex" else wanted
    client = signed_in(alice)
    assert client.post("/organizations/switch", {"organization": chosen}).status_code == 404
    assert "Organization: Acme" in client.get("/keys").content.decode()


def test_settings_show_the_person_and_the_members(alice: User, acme: Organization, bob: User) -> None:
    html = signed_in(alice).get("/settings").content.decode()
    assert "alice@acme.example" in html
    assert "bob@acme.example" in html
    assert "Save organization" in html


def test_a_member_reads_the_organization_and_renames_only_themselves(bob: User, acme: Organization) -> None:
    client = signed_in(bob)
    assert "Save organization" not in client.get("/settings").content.decode()
    assert client.post("/settings/organization", {"name": "Bob's"}).status_code == 403
    response = client.post("/settings/profile", {"name": " Robert  B. "}, follow=True)
    assert "Your profile is saved." in response.content.decode()
    bob.refresh_from_db()
    acme.refresh_from_db()
    assert (bob.name, acme.name) == ("Robert B.", "Acme")


def test_an_owner_renames_the_organization(alice: User, acme: Organization) -> None:
    client = signed_in(alice)
    assert client.post("/settings/organization", {"name": ""}).status_code == 400
    assert (
        "Acme Audio"
        in client.post("/settings/organization", {"name": "Acme Audio"}, follow=True).content.decode()
    )


def test_queries_do_not_grow_with_members(
    alice: User, acme: Organization, django_assert_num_queries: object
) -> None:
    for number in range(5):
        user = User.objects.create_user(f"member{number}@acme.example", PASSWORD)
        Membership.objects.create(organization=acme, user=user)
    client = signed_in(alice)
    with django_assert_num_queries(4):  # type: ignore[operator]
        client.get("/settings")
