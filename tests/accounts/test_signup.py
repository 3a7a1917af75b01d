"""Sign-up, verification, sign-in and a lost password, with mails as files."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from apps.accounts.models import Membership, User
from tests.accounts.conftest import Mails
from tests.cast import PASSWORD

DORA = {
    "email": "dora@example.com",
    "password1": PASSWORD,
    "name": "Dora Explorer",
    "organization": "Dora Voices",
}

pytestmark = pytest.mark.django_db


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_content())


def code_in(mail: EmailMessage) -> str:
    found = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", text_of(mail), re.MULTILINE)
    assert found, text_of(mail)
    return found[1]


def sign_up(client: Client, **fields: str) -> Any:
    return client.post("/accounts/signup/", DORA | fields)


def log_in(client: Client, password: str = PASSWORD, email: str = "dora@example.com") -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password})


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/settings").status_code == 200)


def minutes_later() -> None:
    """One address gets a mail every few minutes at most; the cache counts."""
    cache.clear()


def verify(client: Client, code: str) -> Any:
    return client.post("/accounts/confirm-email/", {"code": code})


def signed_up_and_verified(mails: Mails) -> Client:
    client = Client()
    sign_up(client)
    verify(client, code_in(mails()[-1]))
    return client


def test_signing_up_makes_a_person_an_organization_and_a_mail_with_a_code(
    client: Client, mails: Mails
) -> None:
    response = sign_up(client)
    assert response.status_code == 302
    user = User.objects.get()
    membership = Membership.objects.get(user=user)
    assert (user.email, user.name) == ("dora@example.com", "Dora Explorer")
    assert (membership.organization.name, membership.role) == ("Dora Voices", "owner")
    (mail,) = mails()
    assert mail["To"] == "dora@example.com"
    assert code_in(mail)


def test_nobody_is_signed_in_before_the_code_is_given(client: Client, mails: Mails) -> None:
    sign_up(client)
    assert not is_signed_in(client)
    assert verify(client, "WRONG1").status_code == 200
    assert not is_signed_in(client)
    assert verify(client, code_in(mails()[0])).status_code == 302
    assert is_signed_in(client)


def test_signing_in_is_refused_until_the_address_is_verified(client: Client, mails: Mails) -> None:
    sign_up(client)
    minutes_later()
    elsewhere = Client()
    response = log_in(elsewhere)
    assert response.status_code == 302
    assert "confirm-email" in response["Location"]
    assert not is_signed_in(elsewhere)


def test_the_organization_is_named_after_the_person_where_nothing_is_said(
    client: Client, mails: Mails
) -> None:
    sign_up(client, organization="  ", name="")
    assert Membership.objects.get().organization.name == "Dora's organization"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("email", ""),
        ("password1", "short"),
        ("password1", "password123"),
        ("password1", "dora@example.com"),
        ("organization", "x" * 121),
        ("name", "x" * 121),
        ("name", "nul\x00"),
    ],
)
def test_a_sign_up_that_makes_no_sense(client: Client, mails: Mails, field: str, value: str) -> None:
    assert sign_up(client, **{field: value}).status_code == 200
    assert not User.objects.exists()
    assert mails() == []


def test_nobody_learns_who_has_an_account(mails: Mails) -> None:
    signed_up_and_verified(mails)
    minutes_later()
    again = sign_up(Client(), password1="another battery horse", organization="Other")
    other = sign_up(Client(), email="new@example.com")
    assert (again.status_code, again["Location"]) == (other.status_code, other["Location"])
    assert User.objects.get(email="dora@example.com").check_password(PASSWORD)
    assert not Membership.objects.filter(organization__name="Other").exists()
    assert "already" in text_of(mails()[-2])


def test_a_wrong_password_and_an_unknown_address_look_the_same(mails: Mails) -> None:
    signed_up_and_verified(mails)
    pages = [
        log_in(Client(), password="wrong horse battery"),
        log_in(Client(), email="nobody@example.com"),
    ]
    messages = [
        re.findall(r"[^>]*(?:not correct|incorrect|wrong)[^<]*", page.content.decode()) for page in pages
    ]
    assert messages[0] == messages[1] != []
    assert {page.status_code for page in pages} == {200}


def test_signing_in_and_out(mails: Mails) -> None:
    signed_up_and_verified(mails)
    client = Client()
    assert log_in(client, email="DORA@example.com")["Location"] == "/"
    assert is_signed_in(client)
    client.post("/accounts/logout/")
    assert not is_signed_in(client)


def test_a_lost_password_is_replaced_by_mail(mails: Mails) -> None:
    signed_up_and_verified(mails)
    client = Client()
    client.post("/accounts/password/reset/", {"email": "dora@example.com"})
    link = re.search(
        re.escape(settings.BASE_URL) + r"(/accounts/password/reset/key/\S+)", text_of(mails()[-1])
    )
    assert link
    form = client.get(link[1])["Location"]
    new = "staple battery horse"
    assert client.post(form, {"password1": new, "password2": new}).status_code == 302
    assert log_in(Client()).status_code == 200
    assert log_in(Client(), password=new).status_code == 302
    assert b"password1" not in Client().get(link[1], follow=True).content


def test_a_reset_for_an_unknown_address_looks_the_same(mails: Mails) -> None:
    signed_up_and_verified(mails)
    answers = [
        Client().post("/accounts/password/reset/", {"email": email})
        for email in ("dora@example.com", "nobody@example.com")
    ]
    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1


def test_too_many_wrong_passwords_are_slowed_down(mails: Mails) -> None:
    signed_up_and_verified(mails)
    for _ in range(5):
        log_in(Client(), password="wrong horse battery")
    client = Client()
    log_in(client)
    assert not is_signed_in(client)
