"""PATCH /api/keys/<id>, and restrictions in POST and GET."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Organization, User
from apps.keys.models import ApiKey
from apps.keys.services import restrict_key, revoke_key
from apps.usage.services import set_limits
from tests.cast import signed_in
from tests.keys.api_client import ApiClient, error_of, issue
from tests.keys.test_restrictions import ALL


def test_a_key_is_issued_restricted_and_says_so(acme: Organization) -> None:
    api = ApiClient(acme)
    made = api.post("/api/keys", {"name": "Shop", **ALL})
    assert made.status_code == 201
    for told in (made.json(), api.get(f"/api/keys/{made.json()['id']}").json()):
        assert {name: told[name] for name in ALL} == ALL


def test_only_what_is_sent_is_changed(acme: Organization) -> None:
    api, key = ApiClient(acme), issue(acme, **ALL).key
    answer = api.patch(
        f"/api/keys/{key.pk}", {"requests_per_minute": None, "allowed_ips": [], "name": "Shop"}
    )
    assert answer.status_code == 200
    changed = ALL | {"requests_per_minute": None, "allowed_ips": []}
    assert {name: answer.json()[name] for name in ALL} == changed
    assert answer.json()["name"] == "Shop"
    assert api.patch(f"/api/keys/{key.pk}", {}).json() == api.get(f"/api/keys/{key.pk}").json()


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"concurrent_requests": "many"}, "concurrent_requests"),
        ({"characters_per_month": 10**13}, "characters_per_month"),
        ({"characters_per_request": 1.5}, "characters_per_request"),
        ({"allowed_voices": "heart"}, "allowed_voices"),
        ({"allowed_voices": None}, "allowed_voices"),
        ({"allowed_voices": [""]}, "allowed_voices.0"),
        ({"allowed_ips": ["nowhere"]}, "allowed_ips"),
        ({"allowed_ips": ["1.1.1.1"] * 101}, "allowed_ips"),
        ({"allowed_origins": ["*"]}, "allowed_origins"),
        (["name"], None),
    ],
)
def test_a_bad_field_is_named_and_nothing_changes(acme: Organization, body: Any, param: str | None) -> None:
    api, key = ApiClient(acme), issue(acme, **ALL).key
    assert error_of(api.patch(f"/api/keys/{key.pk}", body), 400)["param"] == param
    key.refresh_from_db()
    assert (key.name, key.requests_per_minute) == ("Server", 60)


def test_a_key_that_has_ended_is_not_changed(acme: Organization) -> None:
    api, key = ApiClient(acme), issue(acme).key
    revoke_key(key=key, by=None)
    assert error_of(api.patch(f"/api/keys/{key.pk}", {"name": "Mine"}), 409)["code"] == "conflict"


def test_another_organizations_key_is_not_there(acme: Organization, globex: Organization) -> None:
    key = issue(globex).key
    assert (
        error_of(ApiClient(acme).patch(f"/api/keys/{key.pk}", {"name": "Mine"}), 404)["code"] == "not_found"
    )
    assert ApiKey.objects.get(pk=key.pk).name == "Server"


def test_a_key_that_only_speaks_and_a_member_may_not(acme: Organization, bob: User) -> None:
    key = issue(acme).key
    speaker = ApiClient(acme, scopes=["speech"])
    assert error_of(speaker.patch(f"/api/keys/{key.pk}", {"name": "Mine"}), 403)["code"] == "missing_scope"
    answer = signed_in(bob).patch(f"/api/keys/{key.pk}", b"{}", content_type="application/json")
    assert error_of(answer, 403)["code"] == "permission_denied"


HERE, THERE = "203.0.113.7", "198.51.100.1"


def asked_from(secret: str, address: str, **headers: str) -> Any:
    return Client().get("/api/keys", headers={"X-API-Key": secret, **headers}, REMOTE_ADDR=address)


@pytest.mark.parametrize("whose", ["key", "organization"])
def test_a_key_manages_from_its_addresses_alone(acme: Organization, whose: str) -> None:
    issued = issue(acme)
    if whose == "key":
        restrict_key(key=issued.key, by=None, allowed_ips=["203.0.113.0/24"])
    else:
        limits: Any = dict.fromkeys(["requests_per_minute", "concurrent_requests", "characters_per_request"])
        set_limits(organization=acme, **limits, allowed_ips=["203.0.113.0/24"])
    assert asked_from(issued.secret, HERE).status_code == 200
    assert error_of(asked_from(issued.secret, THERE), 403)["code"] == "address_not_allowed"
    spoofed = asked_from(issued.secret, THERE, **{"X-Forwarded-For": HERE})
    assert error_of(spoofed, 403)["code"] == "address_not_allowed"


def test_behind_a_proxy_the_address_is_what_it_saw(acme: Organization, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    issued = issue(acme, allowed_ips=[HERE])
    proxy = "10.0.0.1"
    assert asked_from(issued.secret, proxy, **{"X-Forwarded-For": f"{THERE}, {HERE}"}).status_code == 200
    for forwarded in (f"{HERE}, {THERE}", "nonsense"):
        answer = asked_from(issued.secret, proxy, **{"X-Forwarded-For": forwarded})
        assert error_of(answer, 403)["code"] == "address_not_allowed"


def test_who_signed_in_is_not_bound_to_the_addresses_of_keys(acme: Organization, alice: User) -> None:
    limits: Any = dict.fromkeys(["requests_per_minute", "concurrent_requests", "characters_per_request"])
    set_limits(organization=acme, **limits, allowed_ips=[HERE])
    assert signed_in(alice).get("/api/keys", REMOTE_ADDR=THERE).status_code == 200
