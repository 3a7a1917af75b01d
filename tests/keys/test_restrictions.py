"""What a key is bound to: spelled once, checked, carried by rotation, in force at once."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Organization
from apps.core.errors import Conflict, InvalidRequest
from apps.keys.identity import authenticate
from apps.keys.models import ApiKey
from apps.keys.restrictions import MAX_ENTRIES, MAXIMA, UNRESTRICTED, Restrictions
from apps.keys.services import restrict_key, revoke_key, rotate_key
from tests.keys.api_client import issue
from tests.keys.test_services import policy_version

ALL: dict[str, Any] = {
    "requests_per_minute": 60,
    "concurrent_requests": 2,
    "characters_per_month": 100_000,
    "characters_per_request": 500,
    "allowed_voices": ["heart", "Ada's voice"],
    "allowed_ips": ["203.0.113.0/24", "2001:db8::1"],
    "allowed_origins": ["https://app.example.com"],
}


def test_a_key_without_restrictions_has_none(acme: Organization) -> None:
    issued = issue(acme)
    assert issued.key.restrictions == UNRESTRICTED
    assert not issued.key.restrictions
    assert authenticate(issued.secret).restrictions is UNRESTRICTED


def test_an_identity_carries_them(acme: Organization) -> None:
    issued = issue(acme, **ALL)
    carried = authenticate(issued.secret).restrictions
    assert carried == issued.key.restrictions == Restrictions.from_row(ALL.values())
    assert carried.allowed_ips == ("203.0.113.0/24", "2001:db8::1")
    assert [str(network) for network in carried.networks] == ["203.0.113.0/24", "2001:db8::1/128"]


def test_rotation_carries_them_over(acme: Organization) -> None:
    old = issue(acme, **ALL).key
    assert rotate_key(key=old, overlap_seconds=60, by=None).key.restrictions == old.restrictions


def test_lists_have_one_spelling_and_each_entry_once(acme: Organization) -> None:
    key = issue(
        acme,
        allowed_voices=[" heart ", "kore", "heart"],
        allowed_ips=["203.0.113.9/24", "203.0.113.0/24", "::ffff:198.51.100.1"],
        allowed_origins=["HTTPS://App.Example.com/", "https://app.example.com:443", "http://localhost:3000"],
    ).key
    assert key.allowed_voices == ["heart", "kore"]
    assert key.allowed_ips == ["203.0.113.0/24", "198.51.100.1"]
    assert key.allowed_origins == ["https://app.example.com", "http://localhost:3000"]


@pytest.mark.parametrize(
    ("origin", "clean"),
    [
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[2001:DB8::1]:80", "http://[2001:db8::1]"),
        ("http://example.com:443", "http://example.com:443"),
    ],
)
def test_an_origin_is_spelled_as_browsers_send_it(acme: Organization, origin: str, clean: str) -> None:
    assert issue(acme, allowed_origins=[origin]).key.allowed_origins == [clean]


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "null", "", "example.com", "//example.com", "ftp://example.com", "https://", "https://*"),
        *(
            "https://*.example.com",
            "https://example.com/path",
            "https://example.com?a",
            "https://a b.example",
        ),
        *("https://user@example.com", "https://example.com:99999", "https://example.com:x", "https://[::g]"),
        f"https://{'x' * 300}.example",
    ],
)
def test_what_is_no_origin(acme: Organization, origin: str) -> None:
    with pytest.raises(InvalidRequest, match="no origin") as refused:
        issue(acme, allowed_origins=[origin])
    assert refused.value.param == "allowed_origins"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0) for name in MAXIMA),
        *((name, -1) for name in MAXIMA),
        *((name, maximum + 1) for name, maximum in MAXIMA.items()),
        ("allowed_voices", [""]),
        ("allowed_voices", ["x" * 81]),
        ("allowed_voices", ["bell\a"]),
        ("allowed_voices", "heart"),
        ("allowed_voices", [f"v{n}" for n in range(MAX_ENTRIES + 1)]),
        ("allowed_ips", ["example.com"]),
        ("allowed_ips", ["203.0.113.7", "203.0.113.256"]),
    ],
)
def test_what_cannot_be_a_restriction_is_named(acme: Organization, name: str, value: Any) -> None:
    key = issue(acme).key
    for act in (
        lambda: issue(acme, **{name: value}),
        lambda: restrict_key(key=key, by=None, **{name: value}),
    ):
        with pytest.raises(InvalidRequest) as refused:
            act()
        assert refused.value.param == name
    assert ApiKey.objects.get().restrictions == UNRESTRICTED


def test_only_what_is_given_is_changed(acme: Organization) -> None:
    key = issue(acme, **ALL).key
    restrict_key(key=key, by=None, requests_per_minute=None, allowed_ips=[])
    key.refresh_from_db()
    assert key.restrictions == Restrictions.from_row(
        (ALL | {"requests_per_minute": None, "allowed_ips": []}).values()
    )
    assert key.name == "Server"


def test_a_change_makes_cached_identities_stale_and_no_change_does_not(acme: Organization) -> None:
    key, before = issue(acme, requests_per_minute=60).key, policy_version(acme)
    restrict_key(key=key, by=None, requests_per_minute=60)
    restrict_key(key=key, by=None, name="Another name")
    restrict_key(key=key, by=None)
    assert policy_version(acme) == before
    assert key.name == "Another name"
    restrict_key(key=key, by=None, requests_per_minute=61)
    assert policy_version(acme) == before + 1
    restrict_key(key=key, by=None, allowed_voices=["heart"])
    assert policy_version(acme) == before + 2


def test_a_key_that_has_ended_is_not_changed(acme: Organization) -> None:
    key = issue(acme).key
    revoke_key(key=key, by=None)
    with pytest.raises(Conflict, match="revoked"):
        restrict_key(key=key, by=None, name="Mine", requests_per_minute=1)
    key.refresh_from_db()
    assert (key.name, key.restrictions) == ("Server", UNRESTRICTED)


def test_a_summary_fits_a_line() -> None:
    assert Restrictions().summary == ""
    told = Restrictions.from_row(ALL.values()).summary.replace("\u202f", " ")
    assert told == (
        "60 a minute · 2 at once · 100 000 characters a month · 500 characters a request"
        " · 2 voices · 2 networks · 1 site"
    )
