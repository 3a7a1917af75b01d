"""Error pages: plain words, a way out and the request id."""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory

from apps.accounts.models import User
from apps.console import errors
from tests.cast import signed_in


def asked(path: str, **headers: str) -> HttpRequest:
    request = RequestFactory().get(path, headers=headers)
    request.request_id = "req_for_this_test"  # type: ignore[attr-defined]
    return request


@pytest.mark.django_db
def test_not_found_is_a_page_with_the_request_id() -> None:
    response = Client().get("/nothing-of-the-kind")
    html = response.content.decode()
    assert response.status_code == 404
    assert "There is nothing here" in html
    assert response["X-Request-Id"] in html


def test_what_a_role_may_not_do_is_a_page_with_the_request_id(bob: User) -> None:
    response = signed_in(bob).get("/keys/new")
    html = response.content.decode()
    assert response.status_code == 403
    assert "You may not do this" in html
    assert response["X-Request-Id"] in html


def test_a_form_without_its_token_says_what_to_do(bob: User) -> None:
    response = signed_in(bob, enforce_csrf_checks=True).post("/settings/profile", {"name": "Bob"})
    assert response.status_code == 403
    assert "The form is too old" in response.content.decode()


def test_a_fault_of_ours_needs_neither_database_nor_session(
    django_assert_num_queries: object, db: None
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        response = errors.server_error(asked("/keys"))
    html = response.content.decode()
    assert response.status_code == 500
    assert "Something broke on our side" in html
    assert "req_for_this_test" in html


@pytest.mark.parametrize(("path", "accept"), [("/api/keys", "*/*"), ("/keys", "application/json")])
def test_who_asked_for_json_gets_json(path: str, accept: str) -> None:
    response = errors.server_error(asked(path, Accept=accept))
    assert response["Content-Type"] == "application/json"
    assert b'"request_id": "req_for_this_test"' in response.content


def test_a_malformed_request() -> None:
    response = errors.bad_request(asked("/keys"), ValueError("bad host"))
    assert response.status_code == 400
    assert b"was not understood" in response.content
