"""Restrictions in the console: folded away on the form of a new key, changed on a page of their own."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Organization, User
from apps.keys.models import ApiKey
from apps.keys.services import issue_key, revoke_key
from tests.cast import signed_in
from tests.keys.test_pages import NEW_KEY
from tests.keys.test_restrictions import ALL

TYPED = {
    **{name: str(value) for name, value in ALL.items() if not isinstance(value, list)},
    "allowed_voices": "heart\r\nAda's voice",
    "allowed_ips": "203.0.113.9/24, 2001:DB8::1",
    "allowed_origins": "https://App.example.com/\n",
}


@pytest.fixture
def key(acme: Organization, alice: User) -> ApiKey:
    return issue_key(
        organization=acme, name="Server", mode="live", scopes=["speech"], created_by=alice, **ALL
    ).key


def test_a_new_key_can_be_restricted(alice: User, acme: Organization) -> None:
    client = signed_in(alice)
    form = client.get("/keys/new").content.decode()
    assert '<details class="form-more">' in form
    assert client.post("/keys/new", {**NEW_KEY, **TYPED}).status_code == 200
    made = ApiKey.objects.get().restrictions
    assert {name: getattr(made, name) for name in ALL} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in ALL.items()
    }


def test_a_new_key_without_restrictions_has_none(alice: User, acme: Organization) -> None:
    assert signed_in(alice).post("/keys/new", NEW_KEY).status_code == 200
    assert not ApiKey.objects.get().restrictions


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"requests_per_minute": "0"}, "greater than or equal to 1"),
        ({"characters_per_month": "many"}, "Enter a whole number."),
        ({"allowed_ips": "nowhere"}, "nowhere is no address"),
        ({"allowed_origins": "*"}, "* is no origin"),
    ],
)
def test_a_mistake_is_shown_where_it_was_made(
    alice: User, acme: Organization, change: dict[str, str], said: str
) -> None:
    response = signed_in(alice).post("/keys/new", {**NEW_KEY, **change})
    html = response.content.decode()
    assert response.status_code == 400
    assert said in html
    assert '<details class="form-more" open>' in html
    assert not ApiKey.objects.exists()


def test_the_page_shows_what_holds_and_saves_what_is_changed(alice: User, key: ApiKey) -> None:
    client = signed_in(alice)
    html = client.get(f"/keys/{key.pk}/").content.decode()
    assert 'value="Server"' in html
    assert 'value="100000"' in html
    assert "203.0.113.0/24\n2001:db8::1" in html
    changed: dict[str, Any] = {**TYPED, "name": "Shop", "requests_per_minute": "", "allowed_voices": ""}
    response = client.post(f"/keys/{key.pk}/", changed, follow=True)
    assert "Shop is changed." in response.content.decode()
    key.refresh_from_db()
    assert (key.name, key.requests_per_minute, key.allowed_voices) == ("Shop", None, [])
    assert (key.concurrent_requests, key.allowed_ips) == (2, ALL["allowed_ips"])


def test_a_mistake_changes_nothing_and_keeps_what_was_typed(alice: User, key: ApiKey) -> None:
    response = signed_in(alice).post(f"/keys/{key.pk}/", {**TYPED, "name": "Shop", "allowed_ips": "nowhere"})
    assert response.status_code == 400
    assert "nowhere is no address" in response.content.decode()
    assert 'value="Shop"' in response.content.decode()
    key.refresh_from_db()
    assert key.name == "Server"


def test_a_key_that_has_ended_is_shown_and_not_changed(alice: User, key: ApiKey) -> None:
    revoke_key(key=key, by=alice)
    client = signed_in(alice)
    html = client.get(f"/keys/{key.pk}/").content.decode()
    assert "It can no longer be changed." in html
    assert "2 voices" in html
    assert "Save changes" not in html
    assert client.post(f"/keys/{key.pk}/", {**TYPED, "name": "Shop"}).status_code == 400
    key.refresh_from_db()
    assert key.name == "Server"


def test_members_and_others_may_not(bob: User, charlie: User, globex: Organization, key: ApiKey) -> None:
    assert signed_in(bob).get(f"/keys/{key.pk}/").status_code == 403
    assert signed_in(bob).post(f"/keys/{key.pk}/", {**TYPED, "name": "Mine"}).status_code == 403
    assert signed_in(charlie).get(f"/keys/{key.pk}/").status_code == 404
    assert signed_in(charlie).post(f"/keys/{key.pk}/", {**TYPED, "name": "Mine"}).status_code == 404
    key.refresh_from_db()
    assert key.name == "Server"


def test_the_list_sums_them_up(alice: User, bob: User, key: ApiKey) -> None:
    for person in (alice, bob):
        html = signed_in(person).get("/keys").content.decode()
        assert key.restrictions.summary in html
        assert (f'href="/keys/{key.pk}/"' in html) == (person == alice)
