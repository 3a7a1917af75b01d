"""GET /api/usage and /api/stats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.deployments.models import Deployment
from apps.keys import identity
from apps.usage.histogram import RELATIVE_ERROR
from apps.usage.models import UsageRecord
from apps.usage.rollups import roll_up
from tests.cast import signed_in
from tests.keys.api_client import ApiClient, error_of, issue
from tests.usage.rows import record

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
THAT_DAY = {"start": "2026-11-20", "end": "2026-11-20"}
PATHS = pytest.mark.parametrize("path", ["/api/usage", "/api/stats"])


def test_a_request_is_listed_with_all_its_figures(acme: Organization) -> None:
    api = ApiClient(acme)
    row = record(acme, at=NOON, key=api.issued.key, ttfb_ms=12.5, total_ms=80.25, engine_ms=30)
    (listed,) = api.get("/api/usage", **THAT_DAY).json()["results"]
    assert listed == {
        "id": str(row.pk),
        "request_id": row.request_id,
        "state": "ok",
        "mode": "live",
        "surface": "generate",
        "model": "hibari",
        "voice": "heart",
        "key_id": str(api.issued.key.pk),
        "deployment_id": None,
        "characters": 10,
        "characters_charged": 10,
        "characters_credited": 0,
        "credited_to": None,
        "audio_ms": 600,
        "engine_ms": 30,
        "ttfb_ms": 12.5,
        "total_ms": 80.25,
        "error_code": "",
        "started_at": "2026-11-20T12:00:00Z",
        "closed_at": row.closed_at.isoformat().replace("+00:00", "Z"),
    }


def test_a_list_is_paged_newest_first(acme: Organization) -> None:
    api = ApiClient(acme)
    rows = [str(record(acme, at=NOON + timedelta(seconds=n)).pk) for n in range(5)]
    first = api.get("/api/usage", page_size=3, **THAT_DAY).json()
    assert [row["id"] for row in first["results"]] == rows[:1:-1]
    second = api.get(first["next"].split("testserver")[1]).json()
    assert [row["id"] for row in second["results"]] == rows[1::-1]
    assert second["next"] is None


def test_a_credit_names_the_retry_that_used_it(acme: Organization) -> None:
    api = ApiClient(acme)
    retry = record(acme, at=NOON, characters=30, characters_charged=18, characters_credited=12)
    record(acme, at=NOON - timedelta(seconds=9), state="cut", characters=30, credited_to=retry.pk)
    first, second = api.get("/api/usage", **THAT_DAY).json()["results"]
    assert (first["characters_charged"], first["characters_credited"], first["credited_to"]) == (18, 12, None)
    assert (second["characters_credited"], second["credited_to"]) == (0, str(retry.pk))
    assert not {"body_hash", "owner_id"} & set(first)


def test_the_sums_are_those_of_the_rows(acme: Organization) -> None:
    api = ApiClient(acme, name="server")
    deployment = Deployment.objects.create(name="shared-cpu", engine="cpu")
    spoken = {"key": api.issued.key, "deployment": deployment, "ttfb_ms": 10.0}
    record(acme, at=NOON, characters=30, characters_charged=20, characters_credited=10, **spoken)
    record(acme, at=NOON, state="failed", voice="kore", characters=12, characters_charged=0, audio_ms=0)
    stats = api.get("/api/stats", **THAT_DAY).json()
    sums = ("requests", "ok", "characters", "characters_charged", "characters_credited", "audio_ms")
    latency = ("ttfb_p50_ms", "ttfb_p95_ms")
    ten = pytest.approx(10, rel=RELATIVE_ERROR)
    first = dict(zip((*sums, *latency), (1, 1, 30, 20, 10, 600, ten, ten), strict=True))
    second = dict(zip((*sums, *latency), (1, 0, 12, 0, 0, 0, None, None), strict=True))
    both = dict(zip(sums, (2, 1, 42, 20, 10, 600), strict=True))
    groups = {name: stats.pop(name) for name in ("days", "keys", "voices", "models", "deployments")}
    assert stats == {
        "start": "2026-11-20",
        "end": "2026-11-20",
        "failed": 1,
        "cut": 0,
        "cancelled": 0,
        "engine_ms": 0,
        **both,
        **dict.fromkeys(latency, ten),
    }
    no_cost = {"cost_usd": None, "cost_per_audio_minute_usd": None}
    assert groups == {
        "days": [{"day": "2026-11-20", **both}],
        "keys": [
            {"key_id": str(api.issued.key.pk), "name": "server", **first},
            {"key_id": None, "name": None, **second},
        ],
        "voices": [
            {"voice": "heart", "name": "heart", **first},
            {"voice": "kore", "name": "kore", **second},
        ],
        "models": [{"model": "hibari", **both, **dict.fromkeys(latency, ten)}],
        "deployments": [
            {"deployment_id": str(deployment.pk), "name": "shared-cpu", **first, **no_cost},
            {"deployment_id": None, "name": None, **second, **no_cost},
        ],
    }


def test_the_sums_stay_when_they_are_read_from_days(acme: Organization) -> None:
    api = ApiClient(acme)
    record(acme, at=NOON, key=api.issued.key, ttfb_ms=10.0)
    before = api.get("/api/stats", **THAT_DAY).json()
    roll_up(now=NOON + timedelta(days=3))
    UsageRecord.objects.all().delete()
    assert api.get("/api/stats", **THAT_DAY).json() == before


def test_thirty_days_are_meant_where_nothing_is_said(acme: Organization) -> None:
    api = ApiClient(acme)
    record(acme)
    record(acme, at=timezone.now() - timedelta(days=31))
    assert len(api.get("/api/usage").json()["results"]) == 1
    assert len(api.get("/api/stats").json()["days"]) == 30
    assert len(api.get("/api/usage", days=40).json()["results"]) == 2


def test_filters_narrow(acme: Organization) -> None:
    api, other = ApiClient(acme), issue(acme).key
    record(acme, key=other)
    record(acme, mode="test")
    assert api.get("/api/stats", key_id=other.pk).json()["requests"] == 1
    assert api.get("/api/stats", mode="test").json()["requests"] == 1
    assert api.get("/api/stats", mode="test", key_id=other.pk).json()["requests"] == 0


@PATHS
@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"days": "0"}, "days"),
        ({"days": "367"}, "days"),
        ({"days": "many"}, "days"),
        ({"start": "2026-11-20"}, None),
        ({"end": "2026-11-20"}, None),
        ({"start": "2026-11-20", "end": "2026-11-19"}, None),
        ({"start": "2025-01-01", "end": "2026-11-19"}, None),
        ({"start": "yesterday", "end": "2026-11-19"}, "start"),
        ({"start": "0001-01-01", "end": "0001-01-02"}, "start"),
        ({"start": "9999-12-31", "end": "9999-12-31"}, "start"),
        ({"key_id": "mine"}, "key_id"),
        ({"mode": "both"}, "mode"),
    ],
)
def test_parameters_that_make_no_sense(
    acme: Organization, path: str, query: dict[str, str], param: str | None
) -> None:
    assert error_of(ApiClient(acme).get(path, **query), 400)["param"] == param


@PATHS
def test_another_organizations_use_is_not_there(acme: Organization, globex: Organization, path: str) -> None:
    theirs = record(globex, key=issue(globex, name="Globex server").key)
    for query in ({}, {"key_id": str(theirs.key_id)}):
        body = ApiClient(acme).get(path, **query).content.decode()
        assert "Globex" not in body
        assert str(theirs.pk) not in body
        assert theirs.request_id not in body


@PATHS
def test_who_may_read(acme: Organization, bob: User, path: str) -> None:
    assert signed_in(bob).get(path).status_code == 200
    assert error_of(ApiClient(acme, scopes=["speech"]).get(path), 403)["code"] == "missing_scope"
    assert error_of(ApiClient(acme).post(path, {}), 405)


def test_the_number_of_queries_does_not_grow_with_rows(
    acme: Organization, django_assert_num_queries: Any
) -> None:
    api = ApiClient(acme)
    api.get("/api/usage")
    for _ in range(20):
        record(acme, key=issue(acme).key)
    api.get("/api/usage")
    identity.cache.clear()
    with django_assert_num_queries(3):
        assert len(api.get("/api/usage").json()["results"]) == 20
    identity.cache.clear()
    with django_assert_num_queries(10):
        api.get("/api/stats")
