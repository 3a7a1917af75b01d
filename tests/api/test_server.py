"""/api through the running server: the answers of in-process tests, and a revoked key that stops at once."""

from __future__ import annotations

import time

from tests.platform import Tenant, until


def test_a_key_lives_and_dies_over_http(acme: Tenant) -> None:
    made = acme.api("POST", "/api/keys", json={"name": "Server", "scopes": ["manage"]})
    assert made.status_code == 201
    key, path = made.json()["key"], f"/api/keys/{made.json()['id']}"
    assert acme.api("GET", path, key=key).json()["state"] == "active"
    assert acme.api("DELETE", path).status_code == 204
    revoked_at = time.monotonic()
    until(lambda: acme.api("GET", path, key=key).status_code == 401, seconds=2, what="the refusal")
    assert time.monotonic() - revoked_at < 1.5
    assert acme.api("GET", path).json()["state"] == "revoked"


def test_both_keys_of_a_rotation_work(acme: Tenant) -> None:
    made = acme.api("POST", "/api/keys", json={"name": "Server", "scopes": ["manage"]}).json()
    rotated = acme.api("POST", f"/api/keys/{made['id']}/rotate", json={"overlap_seconds": 60})
    assert rotated.status_code == 201
    for key in (made["key"], rotated.json()["key"]):
        assert acme.api("GET", "/api/keys", key=key).status_code == 200


def test_another_tenants_key_is_not_found(acme: Tenant, rival: Tenant) -> None:
    theirs = rival.api("GET", "/api/keys").json()["results"][0]["id"]
    for method in ("GET", "DELETE"):
        response = acme.api(method, f"/api/keys/{theirs}")
        assert response.status_code == 404
        assert response.headers["X-Request-Id"] == response.json()["error"]["request_id"]


def test_paths_have_no_trailing_slash_and_are_not_redirected(acme: Tenant) -> None:
    for path in ("/api/keys/", "/api/usage/", "/api/stats/"):
        assert acme.api("GET", path).status_code == 404


def test_an_oversized_body_is_refused_in_our_shape(acme: Tenant) -> None:
    response = acme.api("POST", "/api/keys", json={"name": "x" * 1_100_000})
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "payload_too_large"
