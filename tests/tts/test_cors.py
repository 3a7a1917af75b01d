"""Pages of other sites: nothing is allowed but what a key lists."""

from __future__ import annotations

import pytest

from apps.deployments.models import Worker
from apps.keys.models import ApiKey
from apps.keys.services import issue_key, revoke_key
from tests.platform import Tenant, until

SITE = "https://app.example.com"
ASKED = {
    "Origin": SITE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type, x-api-key",
}


@pytest.fixture
def browser_key(acme: Tenant) -> str:
    return issue_key(
        organization=acme.organization,
        name="site",
        mode="live",
        scopes=["speech"],
        created_by=None,
        allowed_origins=[SITE],
    ).secret


def allowed_origin(acme: Tenant, key: str, origin: str) -> str | None:
    response = acme.post({"text": "Hi."}, key=key, Origin=origin)
    assert response.status_code == 200
    return response.headers.get("Access-Control-Allow-Origin")


def test_it_is_off_where_no_key_lists_an_origin(acme: Tenant, cpu: Worker) -> None:
    response = acme.client.options("/generate", headers=ASKED | {"Origin": "https://off.example.com"})
    assert response.status_code == 405
    assert not [name for name in response.headers if name.lower().startswith("access-control")]
    assert allowed_origin(acme, acme.live, "https://off.example.com") is None


def test_a_listed_site_may_ask_and_read(acme: Tenant, cpu: Worker, browser_key: str) -> None:
    preflight = acme.client.options("/generate", headers=ASKED)
    assert (preflight.status_code, preflight.content) == (200, b"")
    assert preflight.headers["Access-Control-Allow-Origin"] == SITE
    assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
    assert preflight.headers["Access-Control-Allow-Headers"] == "content-type, x-api-key"
    assert int(preflight.headers["Access-Control-Max-Age"]) > 0
    assert "Origin" in preflight.headers["Vary"]
    response = acme.post({"text": "Hi."}, key=browser_key, Origin=SITE)
    assert response.headers["Access-Control-Allow-Origin"] == SITE
    assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_what_one_key_lists_is_nothing_to_another(acme: Tenant, cpu: Worker, browser_key: str) -> None:
    assert allowed_origin(acme, acme.live, SITE) is None
    assert allowed_origin(acme, browser_key, "https://evil.example.com") is None
    assert allowed_origin(acme, browser_key, "https://app.example.com.evil.example") is None
    assert allowed_origin(acme, browser_key, "null") is None


def test_a_page_may_read_why_it_was_refused(acme: Tenant, cpu: Worker, browser_key: str) -> None:
    bad_body = acme.post({"text": ""}, key=browser_key, Origin=SITE)
    assert (bad_body.status_code, bad_body.headers["Access-Control-Allow-Origin"]) == (400, SITE)
    bad_key = acme.post({"text": "Hi."}, key="nonsense", Origin=SITE)
    assert (bad_key.status_code, bad_key.headers["Access-Control-Allow-Origin"]) == (401, SITE)


@pytest.mark.parametrize("asked", ["x\r\ny: z", "*", "a" * 80, "", "x,,y"])
def test_odd_header_lists_are_not_echoed(acme: Tenant, browser_key: str, asked: str) -> None:
    headers = ASKED | {"Access-Control-Request-Headers": asked.replace("\r\n", " ")}
    preflight = acme.client.options("/generate", headers=headers)
    assert preflight.status_code == 200
    assert "Access-Control-Allow-Headers" not in preflight.headers


def test_a_revoked_keys_site_is_soon_a_stranger(acme: Tenant, browser_key: str) -> None:
    assert acme.client.options("/generate", headers=ASKED).status_code == 200
    revoke_key(key=ApiKey.objects.get(name="site"), by=None)
    until(
        lambda: acme.client.options("/generate", headers=ASKED).status_code == 405,
        seconds=7,
        what="the origin to be forgotten",
    )
