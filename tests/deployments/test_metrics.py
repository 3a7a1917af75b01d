"""What Prometheus is told of the whole platform, from the database."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from prometheus_client import REGISTRY, Gauge, generate_latest

from apps.accounts.models import Organization
from apps.core import metrics
from apps.deployments.models import Run
from apps.deployments.states import State
from apps.keys.models import ApiKey
from tests.deployments.tables import deployment
from tests.keys.api_client import issue

pytestmark = pytest.mark.django_db


def told(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"voiceflow_{name}")


def test_deployments_that_are_meant_to_be_there() -> None:
    why = {"error_code": "no", "error_message": "No."}
    deployment("failed", state=State.FAILED, **why)
    for state in (State.READY, State.ASLEEP, State.STOPPED):
        deployment(state.value, state=state)
    assert told("deployments_active") == 2


def test_what_runs_now_costs_an_hour(acme: Organization) -> None:
    assert told("cost_per_hour_usd") == 0
    now = timezone.now()
    for name, owner, ended in (("own", acme, None), ("shared", None, None), ("over", acme, now)):
        made = deployment(name, organization=owner)
        Run.objects.create(
            deployment=made,
            organization=owner,
            replica="r1",
            price_per_hour=Decimal("0.25"),
            started_at=now - timedelta(hours=1),
            ended_at=ended,
        )
    assert told("cost_per_hour_usd") == 0.5


def test_keys_that_open(acme: Organization) -> None:
    for name in ("live", "revoked", "expired"):
        issue(acme, name=name)
    now = timezone.now()
    ApiKey.objects.filter(name="revoked").update(revoked_at=now)
    ApiKey.objects.filter(name="expired").update(expires_at=now)
    assert told("api_keys_active") == 1


def test_each_asks_once(django_assert_num_queries: Any) -> None:
    names = ("deployments_active", "cost_per_hour_usd", "api_keys_active")
    with django_assert_num_queries(len((*names, "webhook_oldest_undelivered_seconds"))):
        shown = generate_latest().decode()
    for name in names:
        assert f"# TYPE voiceflow_{name} gauge" in shown


def test_without_the_database_the_others_are_told() -> None:
    def away() -> int:
        raise OperationalError("The database is away.")

    gauge = Gauge("of_this_test", "A gauge.", registry=None)
    metrics.tell_from_database(gauge, away)
    [sample] = next(iter(gauge.collect())).samples
    assert math.isnan(sample.value)
