"""When a key was last used: written at most once a minute."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.utils import timezone

from apps.accounts.models import Organization
from apps.keys.models import ApiKey
from apps.keys.services import issue_key, touch_keys


def key_of(organization: Organization) -> ApiKey:
    return issue_key(organization=organization, name="n", mode="live", scopes=["speech"], created_by=None).key


def test_it_is_written_once_a_minute_whatever_the_traffic(acme: Organization) -> None:
    key = key_of(acme)
    start = timezone.now()
    for seconds, written_at in ((0, 0), (1, 0), (59, 0), (61, 61), (120, 61), (122, 122)):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            touch_keys([key.pk])
        key.refresh_from_db()
        assert key.last_used_at == start + timedelta(seconds=written_at)


def test_each_key_has_a_minute_of_its_own(acme: Organization) -> None:
    first, second, unused = key_of(acme), key_of(acme), key_of(acme)
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        touch_keys([first.pk])
    with time_machine.travel(start + timedelta(seconds=30), tick=False):
        touch_keys([first.pk, second.pk])
    used = dict(ApiKey.objects.values_list("pk", "last_used_at"))
    assert used == {first.pk: start, second.pk: start + timedelta(seconds=30), unused.pk: None}
