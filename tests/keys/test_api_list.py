"""GET /api/keys and /api/keys/<id>."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Organization
from apps.accounts.services import set_suspended
from apps.keys import identity
from apps.keys.services import revoke_key
from tests.keys.api_client import ApiClient, error_of, issue

FIELDS = {
    "id", "name", "mode", "prefix", "last4", "scopes", "state",
    "expires_at", "revoked_at", "last_used_at", "created_at",
    "requests_per_minute", "concurrent_requests", "characters_per_month", "characters_per_request",
    "allowed_voices", "allowed_ips", "allowed_origins",
}  # fmt: skip


def test_keys_are_listed_newest_first_without_secrets(acme: Organization) -> None:
    api = ApiClient(acme, name="first")
    second = issue(acme, name="second", mode="test", scopes=["speech"])
    response = api.get("/api/keys")
    assert response.status_code == 200
    rows = response.json()["results"]
    assert [row["name"] for row in rows] == ["second", "first"]
    assert all(set(row) == FIELDS for row in rows)
    assert (rows[0]["mode"], rows[0]["scopes"], rows[0]["state"]) == ("test", ["speech"], "active")
    assert rows[0]["prefix"] == second.secret[:16]
    for secret in (second.secret, api.issued.secret):
        assert secret[16:-4] not in response.content.decode()


def test_revoked_keys_stay_in_the_list(acme: Organization) -> None:
    api = ApiClient(acme)
    revoke_key(key=issue(acme).key, by=None)
    assert [row["state"] for row in api.get("/api/keys").json()["results"]] == ["revoked", "active"]


def test_the_number_of_queries_does_not_grow_with_keys(
    acme: Organization, django_assert_num_queries: Any
) -> None:
    api = ApiClient(acme)
    api.get("/api/keys")
    for _ in range(10):
        issue(acme)
    identity.cache.clear()
    with django_assert_num_queries(3):
        assert len(api.get("/api/keys").json()["results"]) == 11


def test_another_organizations_keys_do_not_exist(acme: Organization, globex: Organization) -> None:
    theirs = issue(globex).key
    api = ApiClient(acme)
    assert str(theirs.pk) not in api.get("/api/keys").content.decode()
    path = f"/api/keys/{theirs.pk}"
    unknown = error_of(api.get(f"/api/keys/{uuid.uuid4()}"), 404)
    for response in (api.get(path), api.delete(path), api.post(f"{path}/rotate", {})):
        assert error_of(response, 404)["message"] == unknown["message"]
    theirs.refresh_from_db()
    assert theirs.state == "active"


def test_one_key(acme: Organization) -> None:
    api = ApiClient(acme)
    row = api.get(f"/api/keys/{api.issued.key.pk}").json()
    assert set(row) == FIELDS
    assert row["id"] == str(api.issued.key.pk)


def test_paths_have_no_trailing_slash(acme: Organization) -> None:
    api = ApiClient(acme)
    for path in ("/api/keys/", f"/api/keys/{api.issued.key.pk}/"):
        assert error_of(api.get(path), 404)["code"] == "not_found"


def test_a_key_that_only_speaks_may_not_manage(acme: Organization) -> None:
    speaker = ApiClient(acme, scopes=["speech"])
    for response in (
        speaker.get("/api/keys"),
        speaker.post("/api/keys", {"name": "n"}),
        speaker.delete(f"/api/keys/{speaker.issued.key.pk}"),
    ):
        error = error_of(response, 403)
        assert error["code"] == "missing_scope"
        assert response["X-Required-Scope"] == "manage"


def test_a_suspended_organization_is_refused(acme: Organization) -> None:
    set_suspended(organization=acme, suspended=True)
    assert error_of(ApiClient(acme).get("/api/keys"), 403)["code"] == "organization_suspended"


@pytest.mark.parametrize("key", ["nonsense", "vf_live_" + "0" * 36, "Bearer x"])
def test_without_a_valid_key_nothing_is_told(db: None, key: str) -> None:
    response = Client().get("/api/keys", headers={"X-API-Key": key})
    assert error_of(response, 401)["code"] == "invalid_api_key"
    assert response["WWW-Authenticate"] == "ApiKey"


def test_without_any_key_the_header_is_named(db: None) -> None:
    assert error_of(Client().get("/api/keys"), 401)["code"] == "missing_api_key"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_methods_that_do_not_exist(acme: Organization, method: str) -> None:
    issued = issue(acme)
    response = getattr(Client(), method)("/api/keys", headers={"X-API-Key": issued.secret})
    assert error_of(response, 405)["code"] == "method_not_allowed"
