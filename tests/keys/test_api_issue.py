"""POST /api/keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Organization
from apps.keys.identity import authenticate
from apps.keys.models import ApiKey
from apps.keys.services import MAX_KEYS
from tests.keys.api_client import ApiClient, error_of
from tests.keys.test_services import fill


def test_a_new_key_is_shown_whole_this_once(acme: Organization) -> None:
    api = ApiClient(acme)
    response = api.post("/api/keys", {"name": "Server"})
    assert response.status_code == 201
    body = response.json()
    assert (body["name"], body["mode"], body["scopes"], body["state"]) == (
        "Server",
        "live",
        ["speech"],
        "active",
    )
    assert authenticate(body["key"]).organization_id == acme.pk
    assert "no-store" in response["Cache-Control"]
    again = api.get(f"/api/keys/{body['id']}")
    assert "key" not in again.json()
    assert body["key"][16:-4] not in again.content.decode() + api.get("/api/keys").content.decode()


def test_all_fields_are_taken(acme: Organization) -> None:
    ends = timezone.now() + timedelta(days=30)
    asked = {"name": "CI", "mode": "test", "scopes": ["manage", "speech"], "expires_at": ends.isoformat()}
    body = ApiClient(acme).post("/api/keys", asked).json()
    key = ApiKey.objects.get(pk=body["id"])
    assert (key.name, key.mode, key.scopes, key.expires_at) == ("CI", "test", ["speech", "manage"], ends)
    assert key.created_by is None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": None}, "name"),
        ({"name": ["a"]}, "name"),
        ({"name": "nul\x00"}, "name"),
        ({"name": "half \ud800"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "n", "mode": "prod"}, "mode"),
        ({"name": "n", "mode": 1}, "mode"),
        ({"name": "n", "scopes": []}, "scopes"),
        ({"name": "n", "scopes": "speech"}, "scopes"),
        ({"name": "n", "scopes": ["speech", "admin"]}, "scopes.1"),
        ({"name": "n", "scopes": ["speech", "manage", "speech"]}, "scopes"),
        ({"name": "n", "expires_at": "tomorrow"}, "expires_at"),
        ({"name": "n", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "n", "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        (["n"], None),
        ("n", None),
        (None, None),
    ],
)
def test_a_bad_field_is_named(acme: Organization, body: Any, param: str | None) -> None:
    error = error_of(ApiClient(acme).post("/api/keys", body), 400)
    assert error["param"] == param
    assert error["message"]
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"{'name': 'n'}", b'{"name": NaN}'])
def test_bad_json_is_said_to_be_that(acme: Organization, body: bytes) -> None:
    assert error_of(ApiClient(acme).post("/api/keys", body), 400)["code"] in {
        "invalid_json",
        "invalid_request",
    }
    assert ApiKey.objects.count() == 1


def test_json_only(acme: Organization) -> None:
    api = ApiClient(acme)
    response = api._client.post("/api/keys", {"name": "n"}, headers=api._headers)
    assert error_of(response, 415)["code"] == "unsupported_media_type"


def test_a_hundred_and_no_more(acme: Organization) -> None:
    api = ApiClient(acme)
    fill(acme, MAX_KEYS - 1)
    assert error_of(api.post("/api/keys", {"name": "n"}), 409)["code"] == "conflict"
