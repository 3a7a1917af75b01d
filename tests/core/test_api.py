"""One error shape and one page shape for all of /api."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework import exceptions

from apps.accounts.models import Organization, User
from apps.core import errors
from apps.core.api import as_app_error, wants_json
from apps.keys.services import issue_key
from tests.cast import acme, alice, signed_in

__all__ = ["acme", "alice"]


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (errors.Conflict("No."), 409, "conflict"),
        (OperationalError("server closed the connection"), 503, "unavailable"),
        (InterfaceError("connection is closed"), 503, "unavailable"),
        (RedisConnectionError("refused"), 503, "unavailable"),
        (Http404("No ApiKey matches the given query."), 404, "not_found"),
        (DjangoPermissionDenied(), 403, "permission_denied"),
        (exceptions.ParseError("JSON parse error - Expecting value"), 400, "invalid_json"),
        (exceptions.UnsupportedMediaType("text/xml"), 415, "unsupported_media_type"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotAuthenticated(), 401, "invalid_api_key"),
        (exceptions.NotFound("Invalid cursor"), 404, "not_found"),
        (exceptions.Throttled(), 429, "throttled"),
    ],
)
def test_what_others_raise_becomes_ours(raised: Exception, status: int, code: str) -> None:
    error = as_app_error(raised)
    assert error is not None
    assert (error.status, error.code) == (status, code)
    assert error.message


def test_what_is_a_fault_of_ours_stays_one() -> None:
    assert as_app_error(KeyError("oops")) is None


def test_the_words_of_the_database_are_not_for_callers() -> None:
    error = as_app_error(OperationalError("could not connect to server: /run/pg/.s.PGSQL.5432"))
    assert error is not None
    assert "PGSQL" not in error.message


@pytest.mark.parametrize(
    ("detail", "param"),
    [
        ({"name": ["Too long."]}, "name"),
        ({"scopes": {1: ["Unknown."]}}, "scopes.1"),
        ({"a": [{"b": ["No."]}]}, "a.b"),
        ({"non_field_errors": ["Both or neither."]}, None),
        (["No."], None),
    ],
)
def test_a_validation_error_names_its_field(detail: Any, param: str | None) -> None:
    error = as_app_error(exceptions.ValidationError(detail))
    assert error is not None
    assert (error.status, error.param) == (400, param)


@pytest.mark.parametrize(
    ("path", "accept", "expected"),
    [
        ("/api/keys", "text/html", True),
        ("/generate", "*/*", True),
        ("/usage", "text/html,application/json", False),
        ("/usage", "application/json", True),
        ("/usage", "", False),
    ],
)
def test_who_gets_json(rf: RequestFactory, path: str, accept: str, expected: bool) -> None:
    assert wants_json(rf.get(path, headers={"Accept": accept})) is expected


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/nothing", "/api/keys/", "/api/keys/not-a-uuid", "/api/"])
def test_an_unknown_path_of_the_api_answers_json(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


def pages_of_keys(client: Client, query: str) -> dict[str, Any]:
    response = client.get(f"/api/keys{query}")
    assert response.status_code == 200, response.content
    page: dict[str, Any] = response.json()
    return page


@pytest.fixture
def five_keys(acme: Organization) -> list[str]:
    """Ids, newest first."""
    made = [
        issue_key(organization=acme, name=f"key {n}", mode="live", scopes=["speech"], created_by=None)
        for n in range(5)
    ]
    return [str(issued.key.pk) for issued in reversed(made)]


def test_pages_follow_each_other_both_ways(alice: User, five_keys: list[str]) -> None:
    client = signed_in(alice)
    page = pages_of_keys(client, "?page_size=2")
    assert set(page) == {"next", "previous", "results"}
    assert page["previous"] is None
    seen = [row["id"] for row in page["results"]]
    while page["next"]:
        page = pages_of_keys(client, "?" + page["next"].split("?")[1])
        seen += [row["id"] for row in page["results"]]
    assert seen == five_keys
    back = pages_of_keys(client, "?" + page["previous"].split("?")[1])
    assert [row["id"] for row in back["results"]] == five_keys[2:4]


@pytest.mark.parametrize("size", ["0", "-3", "many", "100000"])
def test_a_page_size_that_makes_no_sense_is_as_if_absent_or_capped(
    alice: User, five_keys: list[str], size: str
) -> None:
    assert len(pages_of_keys(signed_in(alice), f"?page_size={size}")["results"]) == 5


@pytest.mark.parametrize(
    "cursor",
    [
        "garbage",
        "é",
        base64.b64encode(b"p=not-a-uuid").decode(),
        base64.b64encode(b"p=nul\x00").decode(),
        base64.b64encode(b"o=99999999999&p=").decode(),
        base64.b64encode(b"r=1&o=-1").decode(),
    ],
)
def test_a_cursor_we_never_gave_is_no_fault_of_ours(alice: User, five_keys: list[str], cursor: str) -> None:
    response = signed_in(alice).get("/api/keys", {"cursor": cursor})
    assert response.status_code in {200, 400}
    if response.status_code == 400:
        assert response.json()["error"]["param"] == "cursor"
