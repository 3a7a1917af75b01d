"""Organizations and people: made, renamed, suspended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import redis
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.db import IntegrityError, connection

from apps.accounts import policy
from apps.accounts.models import Membership, Organization, User
from apps.accounts.services import (
    bump_policy,
    create_organization,
    rename_organization,
    rename_user,
    replace_email_address,
    set_active,
    set_history_days,
    set_suspended,
)
from apps.core.errors import InvalidRequest
from tests.cast import signed_in


def published(organization: Organization) -> int | None:
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        found: Any = client.get(policy.redis_key(organization.pk))
    return None if found is None else int(found)


def test_who_makes_an_organization_owns_it(alice: User) -> None:
    organization = create_organization(name="  Acme   Voices ", owner=alice)
    assert (organization.name, organization.slug) == ("Acme Voices", "acme-voices")
    membership = Membership.objects.get(user=alice)
    assert (membership.organization, membership.role, membership.can_manage) == (organization, "owner", True)


def test_two_of_one_name_have_two_slugs(acme: Organization, charlie: User) -> None:
    second = create_organization(name="Acme", owner=charlie)
    assert second.pk != acme.pk
    assert second.name == "Acme"
    assert second.slug.startswith("acme-")


@pytest.mark.parametrize("name", ["会社", "!!!", "x" * 300])
def test_any_name_gets_a_slug(alice: User, name: str) -> None:
    organization = create_organization(name=name, owner=alice)
    assert organization.slug
    assert organization.name == name[:120]


@pytest.mark.parametrize("name", ["", "  \t "])
def test_a_name_is_needed(acme: Organization, alice: User, name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        create_organization(name=name, owner=alice)
    assert refused.value.param == "name"
    with pytest.raises(InvalidRequest):
        rename_organization(organization=acme, name=name)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_both_get_an_organization() -> None:
    barrier = Barrier(2)

    def make(number: int) -> str:
        try:
            owner = User.objects.create_user(f"{number}@example.com")
            barrier.wait()
            return create_organization(name="Acme", owner=owner).slug
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        slugs = set(threads.map(make, range(2)))
    assert len(slugs) == 2
    assert "acme" in slugs


def test_renaming_keeps_the_slug(acme: Organization, alice: User) -> None:
    rename_organization(organization=acme, name="Acme Ltd")
    rename_user(user=alice, name="  Alice   Liddell ")
    acme.refresh_from_db()
    alice.refresh_from_db()
    assert (acme.name, acme.slug, alice.name) == ("Acme Ltd", "acme", "Alice Liddell")


def test_an_email_is_one_person_whatever_its_case(alice: User) -> None:
    assert User.objects.create_user("Dora@Example.COM").email == "dora@example.com"
    with pytest.raises(IntegrityError):
        User.objects.create(email="ALICE@acme.example")


def test_who_is_not_active_is_signed_out(acme: Organization, alice: User) -> None:
    client = signed_in(alice)
    assert client.get("/settings").status_code == 200
    set_active(user=alice, active=False)
    response = client.get("/settings")
    assert response.status_code == 302
    assert "/accounts/login/" in response["Location"]


def test_a_new_address_is_the_only_one_and_not_verified(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    alice.email = "alice@new.example"
    alice.save()
    replace_email_address(user=alice)
    (address,) = EmailAddress.objects.filter(user=alice)
    assert (address.email, address.primary, address.verified) == ("alice@new.example", True, False)


@pytest.mark.django_db(transaction=True)
def test_a_new_policy_is_published_when_it_is_committed() -> None:
    organization = create_organization(name="Acme", owner=User.objects.create_user("a@example.com"))
    set_suspended(organization=organization, suspended=True)
    organization.refresh_from_db()
    assert organization.is_suspended
    assert organization.policy_version == published(organization) == 2


@pytest.mark.django_db(transaction=True)
def test_days_of_history_are_published_with_the_policy() -> None:
    organization = create_organization(name="Acme", owner=User.objects.create_user("a@example.com"))
    assert organization.history_days == 0
    set_history_days(organization=organization, days=30)
    organization.refresh_from_db()
    assert organization.history_days == 30
    assert organization.policy_version == published(organization) == 2


def test_what_is_rolled_back_is_not_published(acme: Organization) -> None:
    bump_policy(organization_id=acme.pk)  # the test's transaction never commits
    assert published(acme) is None


def test_a_policy_only_ever_rises(acme: Organization) -> None:
    for version in (5, 3, 6, 4):
        policy.publish(acme.pk, version)
    assert published(acme) == 6


def test_publishing_survives_redis_being_away(acme: Organization, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    policy.publish(acme.pk, 9)
    settings.REDIS_URL = django_settings.REDIS_URL
    assert acme.policy_version == 1
