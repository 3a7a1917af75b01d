"""Issue, rotate, revoke: what each refuses, what it leaves, and that cached identities hear of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.core.errors import Conflict, InvalidRequest
from apps.keys import secrets
from apps.keys.models import ApiKey
from apps.keys.services import MAX_KEYS, MAX_OVERLAP_SECONDS, IssuedKey, issue_key, revoke_key, rotate_key

DAY_SECONDS = 24 * 3600


def issue(organization: Organization, **fields: Any) -> IssuedKey:
    asked = {"name": "Server", "mode": "live", "scopes": ["speech"], "created_by": None} | fields
    return issue_key(organization=organization, **asked)


def fill(organization: Organization, count: int) -> None:
    """That many usable keys, without their secrets."""
    ApiKey.objects.bulk_create(
        ApiKey(
            organization=organization,
            name="filler",
            mode="live",
            prefix=f"vf_live_{number:08}",
            last4="0000",
            hash=b"",
            pepper_id=1,
            scopes=["speech"],
        )
        for number in range(count)
    )


def policy_version(organization: Organization) -> int:
    return Organization.objects.values_list("policy_version", flat=True).get(pk=organization.pk)


def test_an_issued_key_is_stored_without_its_secret(acme: Organization, alice: User) -> None:
    issued = issue(acme, name="  My   server ", scopes=["speech", "manage", "speech"], created_by=alice)
    key = ApiKey.objects.get(pk=issued.key.pk)
    assert (key.name, key.mode, key.scopes, key.created_by) == (
        "My server",
        "live",
        ["speech", "manage"],
        alice,
    )
    assert (key.prefix, key.last4) == (issued.secret[:16], issued.secret[-4:])
    assert key.state == ApiKey.State.ACTIVE
    assert issued.secret[16:-4] not in str(ApiKey.objects.filter(pk=key.pk).values())
    assert secrets.proves(
        issued.secret, stored=bytes(key.hash), pepper_id=key.pepper_id, peppers=settings.KEY_PEPPERS
    )


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"name": ""}, "name"),
        ({"name": " \t "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"mode": "staging"}, "mode"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["speech", "admin"]}, "scopes"),
    ],
)
def test_what_cannot_be_issued(acme: Organization, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        issue(acme, **fields)
    assert refused.value.param == param
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(seconds=1), timedelta(days=400)])
def test_an_expiry_lies_in_the_future(acme: Organization, ago: timedelta) -> None:
    with pytest.raises(InvalidRequest) as refused:
        issue(acme, expires_at=timezone.now() - ago)
    assert refused.value.param == "expires_at"


def test_a_key_expires_by_itself(acme: Organization) -> None:
    key = issue(acme, expires_at=timezone.now() + timedelta(hours=1)).key
    with time_machine.travel(timezone.now() + timedelta(minutes=59)):
        assert key.state == ApiKey.State.ACTIVE
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert key.state == ApiKey.State.EXPIRED
        assert not ApiKey.objects.usable().exists()


def test_an_organization_has_a_hundred_usable_keys_at_most(acme: Organization, globex: Organization) -> None:
    fill(acme, MAX_KEYS)
    with pytest.raises(Conflict, match="100 usable keys"):
        issue(acme)
    issue(globex)
    revoke_key(key=ApiKey.objects.for_organization(acme)[0], by=None)
    assert issue(acme).key.is_usable


def test_rotation_gives_a_new_key_and_the_old_one_works_on_for_the_overlap(acme: Organization) -> None:
    old = issue(acme, name="Server", mode="test", scopes=["speech", "manage"]).key
    new = rotate_key(key=old, overlap_seconds=DAY_SECONDS, by=None).key
    old.refresh_from_db()
    assert (new.name, new.mode, new.scopes, new.expires_at) == ("Server", "test", ["speech", "manage"], None)
    assert (old.state, new.state) == (ApiKey.State.ROTATING, ApiKey.State.ACTIVE)
    assert old.rotated_to == new
    assert old.expires_at is not None
    assert abs(old.expires_at - timezone.now() - timedelta(days=1)) < timedelta(minutes=1)
    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        assert (old.state, new.state) == (ApiKey.State.EXPIRED, ApiKey.State.ACTIVE)


def test_rotation_without_an_overlap_ends_the_old_key_now(acme: Organization) -> None:
    old = issue(acme).key
    rotate_key(key=old, overlap_seconds=0, by=None)
    old.refresh_from_db()
    assert old.state == ApiKey.State.EXPIRED


def test_rotation_never_lengthens_a_life(acme: Organization) -> None:
    ends = timezone.now() + timedelta(hours=1)
    old = issue(acme, expires_at=ends).key
    new = rotate_key(key=old, overlap_seconds=DAY_SECONDS, by=None).key
    old.refresh_from_db()
    assert old.expires_at == new.expires_at == ends


@pytest.mark.parametrize("overlap_seconds", [-1, MAX_OVERLAP_SECONDS + 1])
def test_overlaps_have_bounds(acme: Organization, overlap_seconds: int) -> None:
    with pytest.raises(InvalidRequest) as refused:
        rotate_key(key=issue(acme).key, overlap_seconds=overlap_seconds, by=None)
    assert refused.value.param == "overlap_seconds"


def test_only_an_active_key_is_rotated(acme: Organization) -> None:
    rotating = issue(acme).key
    rotate_key(key=rotating, overlap_seconds=60, by=None)
    revoked = issue(acme).key
    revoke_key(key=revoked, by=None)
    for key, state in ((rotating, "rotating"), (revoked, "revoked")):
        with pytest.raises(Conflict, match=state):
            rotate_key(key=key, overlap_seconds=60, by=None)


def test_overlaps_do_not_get_around_the_limit(acme: Organization) -> None:
    fill(acme, MAX_KEYS - 1)
    key = issue(acme).key
    with pytest.raises(Conflict, match="100 usable keys"):
        rotate_key(key=key, overlap_seconds=60, by=None)
    assert rotate_key(key=key, overlap_seconds=0, by=None).key.is_usable
    assert ApiKey.objects.for_organization(acme).usable().count() == MAX_KEYS


def test_revoking_ends_a_key_once(acme: Organization) -> None:
    key = issue(acme).key
    revoke_key(key=key, by=None)
    first = key.revoked_at
    assert (key.state, key.is_usable) == (ApiKey.State.REVOKED, False)
    version = policy_version(acme)
    revoke_key(key=key, by=None)
    key.refresh_from_db()
    assert key.revoked_at == first
    assert policy_version(acme) == version


def test_a_revoked_key_stays_revoked_when_it_expires(acme: Organization) -> None:
    key = issue(acme, expires_at=timezone.now() + timedelta(hours=1)).key
    revoke_key(key=key, by=None)
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert key.state == ApiKey.State.REVOKED


def test_cached_identities_become_stale_where_a_key_ends(acme: Organization, globex: Organization) -> None:
    before, elsewhere = policy_version(acme), policy_version(globex)
    first, second = issue(acme).key, issue(acme).key
    assert policy_version(acme) == before
    revoke_key(key=first, by=None)
    assert policy_version(acme) == before + 1
    rotate_key(key=second, overlap_seconds=60, by=None)
    assert policy_version(acme) == before + 2
    assert policy_version(globex) == elsewhere
