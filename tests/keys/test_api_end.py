"""DELETE /api/keys/<id> and POST /api/keys/<id>/rotate."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Organization
from apps.keys import identity
from apps.keys.models import ApiKey
from tests.keys.api_client import ApiClient, error_of, issue


def test_a_revoked_key_is_refused(acme: Organization) -> None:
    api = ApiClient(acme)
    other = ApiClient(acme)
    assert other.get("/api/keys").status_code == 200
    response = api.delete(f"/api/keys/{other.issued.key.pk}")
    assert (response.status_code, response.content) == (204, b"")
    identity.cache.clear()
    assert error_of(other.get("/api/keys"), 401)["code"] == "invalid_api_key"


def test_revoking_twice_is_no_error(acme: Organization) -> None:
    api, key = ApiClient(acme), issue(acme).key
    for _ in range(2):
        assert api.delete(f"/api/keys/{key.pk}").status_code == 204


def test_a_key_may_revoke_itself(acme: Organization) -> None:
    api = ApiClient(acme)
    assert api.delete(f"/api/keys/{api.issued.key.pk}").status_code == 204
    assert ApiKey.objects.get().state == "revoked"


def test_rotation_shows_the_new_key_once_and_keeps_the_old_one_for_a_day(acme: Organization) -> None:
    api, old = ApiClient(acme), issue(acme, name="Server", scopes=["speech"])
    response = api.post(f"/api/keys/{old.key.pk}/rotate", {})
    assert response.status_code == 201
    assert "no-store" in response["Cache-Control"]
    body = response.json()
    assert (body["name"], body["scopes"], body["state"]) == ("Server", ["speech"], "active")
    assert identity.authenticate(body["key"]).organization_id == acme.pk
    old.key.refresh_from_db()
    assert old.key.state == "rotating"
    assert api.get(f"/api/keys/{old.key.pk}").json()["state"] == "rotating"


@pytest.mark.parametrize("overlap", [-1, 30 * 24 * 3600 + 1, "soon", 1.5, None, [], 10**30])
def test_an_overlap_that_makes_no_sense(acme: Organization, overlap: Any) -> None:
    api, key = ApiClient(acme), issue(acme).key
    response = api.post(f"/api/keys/{key.pk}/rotate", {"overlap_seconds": overlap})
    assert error_of(response, 400)["param"] == "overlap_seconds"
    assert ApiKey.objects.get(pk=key.pk).rotated_to is None


def test_a_revoked_key_cannot_be_rotated(acme: Organization) -> None:
    api, key = ApiClient(acme), issue(acme).key
    api.delete(f"/api/keys/{key.pk}")
    assert "revoked" in error_of(api.post(f"/api/keys/{key.pk}/rotate", {}), 409)["message"]
