"""Pages of keys: alice owns acme, bob is a member there, charlie is an outsider."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.keys.identity import authenticate
from apps.keys.models import ApiKey
from apps.keys.services import issue_key, revoke_key
from tests.cast import signed_in

NEW_KEY = {"name": "Production server", "mode": "live", "scopes": ["speech"], "expiry": "never"}


@pytest.fixture
def key(acme: Organization, alice: User) -> ApiKey:
    return issue_key(
        organization=acme, name="Production server", mode="live", scopes=["speech"], created_by=alice
    ).key


def secret_in(html: str) -> str:
    found = re.search(r"vf_(?:live|test)_[0-9A-Za-z]{36}", html)
    assert found, "no whole key on this page"
    return found[0]


def test_without_keys_the_list_teaches_the_first_one(alice: User, acme: Organization) -> None:
    html = signed_in(alice).get("/keys").content.decode()
    assert "No keys yet" in html
    assert "Create key" in html


def test_a_member_sees_keys_and_cannot_touch_them(bob: User, key: ApiKey) -> None:
    client = signed_in(bob)
    html = client.get("/keys").content.decode()
    assert key.masked in html
    assert "/keys/new" not in html
    assert "/revoke" not in html
    assert client.post("/keys/new", NEW_KEY).status_code == 403
    assert client.post(f"/keys/{key.id}/rotate", {"overlap_seconds": 0}).status_code == 403
    assert client.post(f"/keys/{key.id}/revoke", {"name": key.name}).status_code == 403
    assert ApiKey.objects.get() == key
    assert key.is_usable


def test_another_organizations_key_is_not_there(charlie: User, globex: Organization, key: ApiKey) -> None:
    client = signed_in(charlie)
    assert key.masked not in client.get("/keys").content.decode()
    for action in ("rotate", "revoke"):
        assert client.get(f"/keys/{key.id}/{action}").status_code == 404
    assert client.post(f"/keys/{key.id}/revoke", {"name": key.name}).status_code == 404


def test_a_new_key_is_shown_once(alice: User, acme: Organization) -> None:
    client = signed_in(alice)
    response = client.post("/keys/new", {**NEW_KEY, "scopes": ["speech", "manage"], "expiry": "30"})
    secret = secret_in(response.content.decode())
    key = ApiKey.objects.get()
    assert authenticate(secret).key_prefix == key.prefix
    assert "no-store" in response["Cache-Control"]
    assert key.scopes == ["speech", "manage"]
    assert key.expires_at is not None
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)
    assert secret not in client.get("/keys").content.decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": " "}, "This field is required."),
        ({"scopes": []}, "Choose at least one scope."),
        ({"mode": "gold"}, "Select a valid choice."),
        ({"name": "x" * 81}, "at most 80 characters"),
    ],
)
def test_a_key_that_cannot_be_made_says_why_and_keeps_the_rest(
    alice: User, acme: Organization, change: dict[str, object], said: str
) -> None:
    response = signed_in(alice).post("/keys/new", {**NEW_KEY, **change})
    html = response.content.decode()
    assert response.status_code == 400
    assert said in html
    assert 'role="alert"' in html
    assert not ApiKey.objects.exists()
    assert "name" in change or 'value="Production server"' in html


def test_the_hundredth_and_first_key_is_refused_on_the_form(alice: User, acme: Organization) -> None:
    for number in range(100):
        ApiKey.objects.create(
            organization=acme,
            name="One of many",
            mode="live",
            prefix=f"vf_live_{number:08}",
            last4="0000",
            hash=b"0" * 32,
            pepper_id=1,
            scopes=["speech"],
        )
    response = signed_in(alice).post("/keys/new", NEW_KEY)
    assert response.status_code == 400
    assert "Revoke one first." in response.content.decode()


def test_rotation_shows_the_new_key_and_when_the_old_one_stops(alice: User, key: ApiKey) -> None:
    html = signed_in(alice).post(f"/keys/{key.id}/rotate", {"overlap_seconds": 3600}).content.decode()
    key.refresh_from_db()
    assert authenticate(secret_in(html)).key_prefix == ApiKey.objects.exclude(pk=key.pk).get().prefix
    assert key.masked in html
    assert "in 1 hour" in html
    assert key.state == ApiKey.State.ROTATING


def test_a_revoked_key_cannot_be_rotated(alice: User, key: ApiKey) -> None:
    revoke_key(key=key, by=alice)
    client = signed_in(alice)
    assert "This key is revoked." in client.get(f"/keys/{key.id}/rotate").content.decode()
    assert client.post(f"/keys/{key.id}/rotate", {"overlap_seconds": 0}).status_code == 400
    assert ApiKey.objects.count() == 1


def test_revoking_asks_for_the_name(alice: User, key: ApiKey) -> None:
    client = signed_in(alice)
    page = client.get(f"/keys/{key.id}/revoke").content.decode()
    assert "This cannot be undone." in page
    assert client.post(f"/keys/{key.id}/revoke", {"name": "production server"}).status_code == 400
    key.refresh_from_db()
    assert key.is_usable
    response = client.post(f"/keys/{key.id}/revoke", {"name": key.name}, follow=True)
    key.refresh_from_db()
    assert key.state == ApiKey.State.REVOKED
    assert "Production server is revoked." in response.content.decode()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Newer", "Ended", "Older"]),
        ("sort=name", ["Ended", "Newer", "Older"]),
        ("sort=-used", ["Older", "Newer", "Ended"]),
        ("sort=nonsense", ["Newer", "Ended", "Older"]),
        ("mode=test", ["Newer"]),
        ("state=usable", ["Newer", "Older"]),
        ("state=ended", ["Ended"]),
        ("q=older", ["Older"]),
        ("q=nothing-like-it", []),
        ("state=nonsense", ["Newer", "Ended", "Older"]),
    ],
)
def test_the_url_filters_and_sorts(alice: User, acme: Organization, query: str, names: list[str]) -> None:
    for name, mode in (("Older", "live"), ("Ended", "live"), ("Newer", "test")):
        issue_key(organization=acme, name=name, mode=mode, scopes=["speech"], created_by=alice)
    revoke_key(key=ApiKey.objects.get(name="Ended"), by=alice)
    ApiKey.objects.filter(name="Older").update(last_used_at=timezone.now())
    html = signed_in(alice).get(f"/keys?{query}").content.decode()
    assert re.findall(r'<th scope="row"><span class="strong">(\w+)</span>', html) == names


def test_a_key_is_found_by_what_one_sees_of_it(alice: User, key: ApiKey) -> None:
    client = signed_in(alice)
    for text in (key.prefix, key.last4):
        assert key.masked in client.get("/keys", {"q": text}).content.decode()


def test_queries_do_not_grow_with_keys(
    alice: User, acme: Organization, django_assert_num_queries: object
) -> None:
    client = signed_in(alice)
    for number in range(30):
        issue_key(organization=acme, name=f"Key {number}", mode="live", scopes=["speech"], created_by=alice)
    with django_assert_num_queries(5):  # type: ignore[operator]
        html = client.get("/keys").content.decode()
    assert html.count('<th scope="row">') == 25
    assert "1–25 of 30 keys" in html
    assert client.get("/keys?page=2").content.decode().count('<th scope="row">') == 5
