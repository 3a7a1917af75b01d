"""POST /api/normalize."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Organization, User
from apps.usage.models import UsageRecord
from tests.cast import acme, alice, bob, signed_in
from tests.keys.api_client import ApiClient, error_of

__all__ = ["acme", "alice", "bob"]

PATH = "/api/normalize"


@pytest.fixture
def api(acme: Organization) -> ApiClient:
    return ApiClient(acme, scopes=["speech"])


def test_it_answers_what_is_spoken_and_where_it_was_written(api: ApiClient) -> None:
    response = api.post(PATH, {"text": "It costs $5."})
    assert response.status_code == 200
    assert response.json() == {
        "spoken": "It costs five dollars.",
        "map": [[0, 9, 0, 9], [9, 21, 9, 11], [21, 22, 11, 12]],
    }


@pytest.mark.parametrize(
    ("body", "spoken"),
    [
        ({"text": " $5 ", "normalize": "off"}, " $5 "),
        ({"text": "$5", "normalize": "on", "language": "en-GB"}, "five dollars"),
        ({"text": "5 € bitte", "language": "de"}, "5 € bitte"),
        ({"text": "A [laugh] b [pause:1s] c."}, "A b c."),
        ({"text": "A [sneeze].", "unknown_tags": "drop"}, "A."),
        ({"text": "[laugh]"}, ""),
    ],
)
def test_options(api: ApiClient, body: dict[str, str], spoken: str) -> None:
    assert api.post(PATH, body).json()["spoken"] == spoken


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "text"),
        ({"text": "  "}, "text"),
        ({"text": 5}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "\ud800"}, "text"),
        ({"text": "A [sneeze].", "unknown_tags": "error"}, "text"),
        ({"text": "a", "normalize": "yes"}, "normalize"),
        ({"text": "a", "normalize": "on", "language": "de"}, "normalize"),
        ({"text": "a", "language": 5}, "language"),
        ({"text": "a", "unknown_tags": None}, "unknown_tags"),
        ([], None),
    ],
)
def test_what_is_wrong_is_named(api: ApiClient, body: Any, param: str | None) -> None:
    error = error_of(api.post(PATH, body), 400)
    assert error["param"] == param
    assert error["message"]


def test_bodies_that_are_not_taken(api: ApiClient) -> None:
    assert error_of(api.post(PATH, b"{"), 400)["code"] == "invalid_json"
    assert error_of(api.post(PATH, {"text": "x" * 3_000_000}), 413)
    assert error_of(api.get(PATH), 405)


def test_it_takes_a_key_that_may_speak(acme: Organization, bob: User) -> None:
    body = {"text": "a"}
    assert error_of(ApiClient(acme, scopes=["manage"]).post(PATH, body), 403)["code"] == "missing_scope"
    assert error_of(Client().post(PATH, body, content_type="application/json"), 401)
    assert error_of(signed_in(bob).post(PATH, body, content_type="application/json"), 401)
    assert ApiClient(acme, mode="test", scopes=["speech"]).post(PATH, body).status_code == 200


def test_nothing_is_charged(api: ApiClient) -> None:
    api.post(PATH, {"text": "It costs $5."})
    assert not UsageRecord.objects.exists()
