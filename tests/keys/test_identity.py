"""Who is calling: one refusal for all that is no key, a cache that forgets within a second, old peppers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from apps.accounts.models import Membership, Organization, User
from apps.accounts.services import set_history_days, set_suspended
from apps.core.errors import PermissionDenied, Unauthenticated
from apps.keys import identity as identities
from apps.keys import secrets
from apps.keys.identity import Identity, IdentityCache, authenticate, identity_of_person
from apps.keys.models import ApiKey
from apps.keys.services import IssuedKey, issue_key, revoke_key, rotate_key


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    identities.cache.clear()
    yield
    identities.cache.clear()


def issue(organization: Organization, **fields: Any) -> IssuedKey:
    asked = {"name": "Server", "mode": "live", "scopes": ["speech"], "created_by": None} | fields
    return issue_key(organization=organization, **asked)


def refusal(raw: str | None) -> tuple[str, str]:
    with pytest.raises(Unauthenticated) as refused:
        authenticate(raw)
    return refused.value.code, refused.value.message


def test_a_key_says_who_calls(acme: Organization) -> None:
    issued = issue(acme, mode="test", scopes=["manage", "speech"])
    identity = authenticate(issued.secret)
    assert (identity.organization_id, identity.key_id) == (acme.pk, issued.key.pk)
    assert (identity.mode, identity.scopes) == ("test", {"speech", "manage"})
    assert identity.key_prefix == issued.secret[:16]
    assert identity.policy_version == acme.policy_version
    assert identity.history_days == 0


def test_it_says_how_long_requests_are_kept(acme: Organization, bob: User) -> None:
    set_history_days(organization=acme, days=30)
    assert authenticate(issue(acme).secret).history_days == 30
    assert identity_of_person(user_id=bob.pk, organization_id=acme.pk).history_days == 30


@pytest.mark.parametrize("raw", [None, ""])
def test_no_key_is_told_which_header_to_send(raw: str | None) -> None:
    code, message = refusal(raw)
    assert code == "missing_api_key"
    assert "X-API-Key" in message


def test_what_cannot_be_a_key_is_refused_without_asking_the_database(
    django_assert_num_queries: Any, db: None
) -> None:
    with django_assert_num_queries(0):
        assert refusal("vf_live_" + "0" * 36)[0] == "invalid_api_key"


def test_unknown_wrong_revoked_and_expired_get_one_refusal(acme: Organization) -> None:
    known = issue(acme)
    body = known.secret[:16] + secrets.generate("live")[16:38]
    revoked = issue(acme)
    revoke_key(key=revoked.key, by=None)
    expired = issue(acme)
    ApiKey.objects.filter(pk=expired.key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    wrong = body + secrets.checksum(body)
    refusals = {
        refusal(raw) for raw in (secrets.generate("live"), wrong, revoked.secret, expired.secret, "nonsense")
    }
    assert len(refusals) == 1


def test_a_second_call_asks_nobody(acme: Organization, django_assert_num_queries: Any) -> None:
    secret = issue(acme).secret
    with django_assert_num_queries(1):
        first = authenticate(secret)
    with django_assert_num_queries(0):
        assert authenticate(secret) == first


def test_a_cached_identity_proves_nothing_for_another_secret(acme: Organization) -> None:
    secret = issue(acme).secret
    authenticate(secret)
    body = secret[:16] + secrets.generate("live")[16:38]
    assert refusal(body + secrets.checksum(body))[0] == "invalid_api_key"
    assert authenticate(secret)


def an_identity(acme: Organization) -> Identity:
    return identities.load(identities.parse_or_refuse(issue(acme).secret))


def test_an_identity_is_trusted_for_a_second_from_before_it_was_read(acme: Organization) -> None:
    cache, identity = IdentityCache(), an_identity(acme)
    now = identities.time.monotonic()
    cache.put("young", identity, read_at=now - 0.5)
    cache.put("old", identity, read_at=now - 1.01)
    assert cache.get("young") is identity
    assert cache.get("old") is None
    assert cache.get("unknown") is None


def test_the_cache_is_bounded_and_drops_the_oldest(acme: Organization) -> None:
    cache, identity = IdentityCache(), an_identity(acme)
    now = identities.time.monotonic()
    for number in range(identities.CACHE_ENTRIES + 1):
        cache.put(str(number), identity, read_at=now)
    assert cache.get("0") is None
    assert cache.get("1") is identity
    assert cache.get(str(identities.CACHE_ENTRIES)) is identity


def test_a_key_that_expires_while_it_is_cached_is_refused(acme: Organization) -> None:
    secret = issue(acme, expires_at=timezone.now() + timedelta(minutes=1)).secret
    authenticate(secret)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert refusal(secret)[0] == "invalid_api_key"


def test_both_keys_of_a_rotation_prove_themselves_during_the_overlap(acme: Organization) -> None:
    old = issue(acme)
    new = rotate_key(key=old.key, overlap_seconds=60, by=None)
    assert authenticate(old.secret).key_id == old.key.pk
    assert authenticate(new.secret).key_id == new.key.pk


def test_a_new_pepper_in_front_and_old_keys_go_on(acme: Organization, settings: Any) -> None:
    old_pepper = settings.KEY_PEPPERS
    old = issue(acme)
    settings.KEY_PEPPERS = {7: b"new" * 11, **old_pepper}
    new = issue(acme)
    assert (old.key.pepper_id, new.key.pepper_id) == (next(iter(old_pepper)), 7)
    assert authenticate(old.secret)
    assert authenticate(new.secret)
    settings.KEY_PEPPERS = {7: b"new" * 11}
    identities.cache.clear()
    assert authenticate(new.secret)
    assert refusal(old.secret)[0] == "invalid_api_key"


def test_a_suspended_organization_is_told_so(acme: Organization) -> None:
    secret = issue(acme).secret
    set_suspended(organization=acme, suspended=True)
    with pytest.raises(PermissionDenied) as refused:
        authenticate(secret)
    assert refused.value.code == "organization_suspended"
    set_suspended(organization=acme, suspended=False)
    assert authenticate(secret)


def test_a_scope_that_is_missing_is_named(acme: Organization) -> None:
    identity = authenticate(issue(acme, scopes=["manage"]).secret)
    identity.require("manage")
    with pytest.raises(PermissionDenied) as refused:
        identity.require("speech")
    assert refused.value.code == "missing_scope"
    assert "speech" in refused.value.message


def test_a_member_in_the_playground_may_speak_and_nothing_else(acme: Organization, bob: User) -> None:
    identity = identity_of_person(user_id=bob.pk, organization_id=acme.pk)
    assert (identity.key_id, identity.mode, identity.scopes) == (None, "live", {"speech"})


def test_who_left_or_was_never_there_is_no_member(acme: Organization, bob: User, charlie: User) -> None:
    for person in (bob, charlie):
        Membership.objects.filter(user=person).delete()
        with pytest.raises(Unauthenticated) as refused:
            identity_of_person(user_id=person.pk, organization_id=acme.pk)
        assert refused.value.code == "not_signed_in"


def test_a_member_who_was_made_inactive_may_not_speak(acme: Organization, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    with pytest.raises(Unauthenticated):
        identity_of_person(user_id=bob.pk, organization_id=acme.pk)


def test_a_suspended_organization_has_no_playground(acme: Organization, bob: User) -> None:
    set_suspended(organization=acme, suspended=True)
    with pytest.raises(PermissionDenied):
        identity_of_person(user_id=bob.pk, organization_id=acme.pk)
