"""Request ids: the caller's where fit to be logged, ours otherwise, on every response whatever came of it."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.core.middleware import request_id_from


@pytest.mark.parametrize("given", ["order-4711", "a" * 128, "0123.4567:89_AB-cd"])
def test_a_fit_id_of_the_caller_is_kept(given: str) -> None:
    assert request_id_from(given) == given


@pytest.mark.parametrize(
    "given", [None, "", "short", "a" * 129, "with space", "new\nline-x", "ünïcödé-id", "<script>"]
)
def test_an_unfit_one_is_replaced(given: str | None) -> None:
    made = request_id_from(given)
    assert made.startswith("req_")
    assert made != request_id_from(given)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health", "/ready", "/api/keys", "/generate", "/nowhere", "/", "/admin/"])
def test_every_response_carries_it(client: Client, path: str) -> None:
    response = client.get(path, headers={"X-Request-Id": "order-4711"})
    assert response["X-Request-Id"] == "order-4711"
    assert client.get(path)["X-Request-Id"].startswith("req_")


@pytest.mark.django_db
def test_an_error_names_the_request_it_is_about(client: Client) -> None:
    response = client.get("/api/keys", headers={"X-Request-Id": "order-4711"})
    assert response.json()["error"]["request_id"] == "order-4711"


@pytest.mark.django_db
def test_speech_goes_past_the_middlewares_of_pages(client: Client) -> None:
    response = client.get("/generate")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert int(response["Content-Length"]) == len(response.content)
    assert "Content-Security-Policy" not in response
    assert "Content-Security-Policy" in client.get("/accounts/login/")
