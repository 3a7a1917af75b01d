"""/api/keys with the console's session: CSRF is checked, members read, owners and admins write."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.keys.models import ApiKey
from tests.cast import signed_in
from tests.keys.api_client import error_of, issue


def post(client: Client, path: str, **headers: str) -> Any:
    return client.post(path, b'{"name": "n"}', content_type="application/json", headers=headers)


def csrf_token(client: Client) -> str:
    client.get("/settings")
    return client.cookies["csrftoken"].value


def test_a_member_may_read_but_not_write(acme: Organization, bob: User) -> None:
    key = issue(acme).key
    client = signed_in(bob)
    assert client.get("/api/keys").json()["results"][0]["id"] == str(key.pk)
    for response in (
        post(client, "/api/keys"),
        client.delete(f"/api/keys/{key.pk}"),
        post(client, f"/api/keys/{key.pk}/rotate"),
    ):
        assert error_of(response, 403)["code"] == "permission_denied"
    assert ApiKey.objects.get().state == "active"


@pytest.mark.parametrize("role", [Membership.Role.OWNER, Membership.Role.ADMIN])
def test_owners_and_admins_write_in_their_own_name(acme: Organization, bob: User, role: str) -> None:
    Membership.objects.filter(user=bob).update(role=role)
    response = post(signed_in(bob), "/api/keys")
    assert response.status_code == 201
    assert ApiKey.objects.get().created_by == bob


def test_writing_needs_the_csrf_token(acme: Organization, alice: User) -> None:
    client = signed_in(alice, enforce_csrf_checks=True)
    refused = error_of(post(client, "/api/keys"), 403)
    assert "CSRF" in refused["message"]
    assert not ApiKey.objects.exists()
    assert post(client, "/api/keys", **{"X-CSRFToken": csrf_token(client)}).status_code == 201


def test_a_key_needs_no_csrf_token(acme: Organization, alice: User) -> None:
    client = signed_in(alice, enforce_csrf_checks=True)
    assert post(client, "/api/keys", **{"X-API-Key": issue(acme).secret}).status_code == 201


def test_a_key_counts_before_the_session(acme: Organization, globex: Organization, charlie: User) -> None:
    key = issue(acme)
    response = signed_in(charlie).get("/api/keys", headers={"X-API-Key": key.secret})
    assert [row["id"] for row in response.json()["results"]] == [str(key.key.pk)]


def test_a_wrong_key_is_not_made_good_by_a_session(acme: Organization, alice: User) -> None:
    response = signed_in(alice).get("/api/keys", headers={"X-API-Key": "nonsense"})
    assert error_of(response, 401)["code"] == "invalid_api_key"


def test_a_person_without_an_organization_sees_nothing(db: None) -> None:
    nobody = User.objects.create_user("nobody@example.com")
    assert error_of(signed_in(nobody).get("/api/keys"), 401)


def test_who_was_made_inactive_is_signed_out(acme: Organization, alice: User) -> None:
    client = signed_in(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert error_of(client.get("/api/keys"), 401)
