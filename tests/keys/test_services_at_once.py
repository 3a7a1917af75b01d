"""Two at once: rows are committed, each thread has its own connection."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import Organization, User
from apps.accounts.services import create_organization
from apps.core.errors import Conflict
from apps.keys.models import ApiKey
from apps.keys.services import MAX_KEYS, issue_key, revoke_key, rotate_key
from tests.keys.test_services import fill


@pytest.fixture
def acme(transactional_db: None) -> Organization:
    owner = User.objects.create_user("alice@acme.example")
    return create_organization(name="Acme", owner=owner)


def at_once(count: int, act: Callable[[], Any]) -> list[Any]:
    """What each of `count` threads got: the answer, or the conflict it was refused with."""
    barrier = Barrier(count)

    def run(_: int) -> Any:
        barrier.wait()
        try:
            return act()
        except Conflict as conflict:
            return conflict
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def test_the_last_free_place_is_given_once(acme: Organization) -> None:
    fill(acme, MAX_KEYS - 1)
    answers = at_once(
        2,
        lambda: issue_key(organization=acme, name="n", mode="live", scopes=["speech"], created_by=None),
    )
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    assert ApiKey.objects.for_organization(acme).usable().count() == MAX_KEYS


def test_a_key_is_rotated_once(acme: Organization) -> None:
    key = issue_key(organization=acme, name="n", mode="live", scopes=["speech"], created_by=None).key
    answers = at_once(2, lambda: rotate_key(key=key, overlap_seconds=60, by=None))
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    assert ApiKey.objects.count() == 2


def test_revoking_at_once_tells_the_caches_once(acme: Organization) -> None:
    key = issue_key(organization=acme, name="n", mode="live", scopes=["speech"], created_by=None).key
    version = Organization.objects.get().policy_version
    at_once(3, lambda: revoke_key(key=ApiKey.objects.get(pk=key.pk), by=None))
    assert Organization.objects.get().policy_version == version + 1
