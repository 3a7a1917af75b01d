"""Keys in admin: seen, found, revoked; never shown, made or changed."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import Organization, User
from apps.keys.models import ApiKey
from apps.keys.services import IssuedKey, issue_key, rotate_key
from tests.admin.act import act

URL = "/admin/keys/apikey/"


@pytest.fixture
def issued(acme: Organization, alice: User) -> IssuedKey:
    return issue_key(organization=acme, name="Server", mode="live", scopes=["speech"], created_by=alice)


def test_no_page_shows_a_secret_or_a_hash(staff: Client, issued: IssuedKey) -> None:
    hashed = bytes(issued.key.hash).hex()
    for page in (URL, f"{URL}{issued.key.pk}/change/"):
        shown = staff.get(page).content.decode()
        assert issued.key.masked in shown
        assert issued.secret not in shown
        assert hashed not in shown


def test_a_key_is_neither_made_nor_changed(staff: Client, issued: IssuedKey) -> None:
    assert staff.get(f"{URL}add/").status_code == 403
    changed = staff.post(f"{URL}{issued.key.pk}/change/", {"name": "Mine", "scopes": "manage"})
    assert changed.status_code == 403


def test_revoking_from_the_list(staff: Client, acme: Organization, issued: IssuedKey) -> None:
    before = acme.policy_version
    assert "1 revoked" in act(staff, URL, "revoke", issued.key)
    issued.key.refresh_from_db()
    acme.refresh_from_db()
    assert issued.key.state == ApiKey.State.REVOKED
    assert acme.policy_version > before


def test_revoking_from_its_page_is_asked_first(staff: Client, issued: IssuedKey) -> None:
    page = f"{URL}{issued.key.pk}/revoke_this/"
    assert "This cannot be undone" in staff.get(page).content.decode()
    issued.key.refresh_from_db()
    assert issued.key.state == ApiKey.State.ACTIVE
    assert staff.post(page, {"_form_submitted": "True"}).status_code == 302
    issued.key.refresh_from_db()
    assert issued.key.state == ApiKey.State.REVOKED


def test_only_staff_with_the_right_revoke(clerk: Client, issued: IssuedKey) -> None:
    page = f"{URL}{issued.key.pk}/revoke_this/"
    assert clerk.post(page, {"_form_submitted": "True"}).status_code == 403
    issued.key.refresh_from_db()
    assert issued.key.revoked_at is None


def test_finding_by_prefix_state_and_scope(staff: Client, acme: Organization, issued: IssuedKey) -> None:
    newer = rotate_key(key=issued.key, overlap_seconds=3600, by=None).key
    other = issue_key(organization=acme, name="Laptop", mode="test", scopes=["manage"], created_by=None).key

    def found(**query: str) -> set[object]:
        return {key.pk for key in staff.get(URL, query).context["cl"].result_list}

    assert found(q=other.prefix) == {other.pk}
    assert found(q="Laptop") == {other.pk}
    assert found(state="rotating") == {issued.key.pk}
    assert found(state="active") == {newer.pk, other.pk}
    assert found(scope="manage") == {other.pk}
