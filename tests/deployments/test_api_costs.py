"""What deployments cost by the API: `cost` of each, /api/spending and /api/budget."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.accounts.models import Organization, User
from apps.deployments import budgets
from apps.deployments.models import Budget, Deployment, Run
from apps.deployments.states import State
from apps.keys import identity
from tests.cast import acme, alice, bob, charlie, globex, signed_in
from tests.deployments.managed import PATH, one_in, path_of
from tests.keys.api_client import ApiClient, error_of

__all__ = ["acme", "alice", "bob", "charlie", "globex"]

BUDGET, SPENDING, RESUME = "/api/budget", "/api/spending", "/api/spending/resume"
# Ten hours into the day; the month has 500 hours left.
NOW = datetime(2026, 11, 10, 4, tzinfo=UTC)
NONE = {
    "month_to_date_usd": "0.0000",
    "per_hour_usd": "0.0000",
    "forecast_usd": "0.0000",
    "is_estimated": False,
}
TWO_AN_HOUR = {
    "month_to_date_usd": "20.0000",
    "per_hour_usd": "2.0000",
    "forecast_usd": "1020.0000",
    "is_estimated": True,
}


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def api(acme: Organization) -> ApiClient:
    return ApiClient(acme)


def runs(made: Deployment, replica: str = "r1", *, hours: float = 10, **fields: Any) -> Run:
    """Since so many hours, for a dollar each."""
    defaults = {"organization": made.organization, "price_per_hour": Decimal(1), "replica": replica}
    return Run.objects.create(deployment=made, started_at=NOW - timedelta(hours=hours), **defaults | fields)


def two_an_hour(made: Deployment) -> Deployment:
    runs(made, "r1", is_estimated=True)
    runs(made, "r2")
    return made


def test_each_tells_what_it_costs(acme: Organization, globex: Organization, api: ApiClient) -> None:
    busy, idle = two_an_hour(one_in(acme, State.READY)), one_in(acme, State.ASLEEP, "idle")
    runs(one_in(globex, State.READY))
    runs(idle, hours=24 * 30, ended_at=NOW - timedelta(days=20))
    assert api.get(path_of(busy)).json()["cost"] == TWO_AN_HOUR
    assert api.get(path_of(idle)).json()["cost"] == NONE
    assert [row["cost"] for row in api.get(PATH).json()["results"]] == [NONE, TWO_AN_HOUR]
    assert api.get(path_of(busy, "metrics")).json()["cost"] == TWO_AN_HOUR
    assert api.post(path_of(busy, "pause"), {}).json()["cost"] == TWO_AN_HOUR


def test_one_costs_as_many_queries_whatever_ran(
    acme: Organization, api: ApiClient, django_assert_num_queries: Any
) -> None:
    idle, busy = one_in(acme, State.READY), one_in(acme, State.READY, "busy")
    for number in range(5):
        runs(busy, f"r{number}")
    api.get(PATH)
    for made in (idle, busy):
        identity.cache.clear()
        with django_assert_num_queries(4):  # the key, the organization, the deployment, costs
            api.get(path_of(made))
    for path, queries in ((SPENDING, 6), (BUDGET, 3)):
        identity.cache.clear()
        with django_assert_num_queries(queries):
            api.get(path)


def test_the_month_of_an_organization(acme: Organization, globex: Organization, api: ApiClient) -> None:
    assert api.get(SPENDING).json() == NONE | {
        "since": "2026-11-01T00:00:00Z",
        "deployments": [],
        "stopped_by_budget": [],
    }
    small, gone = one_in(acme, State.READY, "small"), one_in(acme, State.STOPPED, "gone")
    runs(small, hours=1)
    two_an_hour(gone)
    Run.objects.filter(deployment=gone).update(ended_at=NOW)
    Deployment.objects.filter(pk=gone.pk).update(deleted_at=NOW)
    runs(one_in(globex, State.READY))
    runs(one_in(None, State.READY, "shared"))  # type: ignore[arg-type]
    told = api.get(SPENDING).json()
    assert (told["month_to_date_usd"], told["per_hour_usd"], told["forecast_usd"], told["is_estimated"]) == (
        "21.0000",
        "1.0000",
        "521.0000",
        True,
    )
    rows = [(row["id"], row["name"], row["cost"]["month_to_date_usd"]) for row in told["deployments"]]
    assert rows == [(str(gone.pk), "gone", "20.0000"), (str(small.pk), "small", "1.0000")]
    assert told["deployments"][0]["cost"]["per_hour_usd"] == "0.0000"


def test_a_budget_is_set_told_changed_and_removed(acme: Organization, api: ApiClient) -> None:
    two_an_hour(one_in(acme, State.READY))
    none = error_of(api.get(BUDGET), 404)
    assert (none["code"], none["message"]) == (
        "not_found",
        "No budget is set: your organization's deployments may cost any amount.",
    )
    told = api.put(BUDGET, {"monthly_usd": "100.50"})
    assert told.status_code == 200
    assert told.json() == TWO_AN_HOUR | {
        "monthly_usd": "100.50",
        "stops": False,
        "warned_at": None,
        "exhausted_at": None,
    }
    assert api.get(BUDGET).json() == told.json()
    assert api.put(BUDGET, {"monthly_usd": 200, "stops": True}).json()["stops"] is True
    # Put whole: what is left out is as if it were never said.
    assert api.put(BUDGET, {"monthly_usd": "200"}).json()["stops"] is False
    assert Budget.objects.get().organization == acme
    for _ in range(2):
        assert api.delete(BUDGET).status_code == 204
    assert error_of(api.get(BUDGET), 404)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "monthly_usd"),
        ({"monthly_usd": None}, "monthly_usd"),
        ({"monthly_usd": "0"}, "monthly_usd"),
        ({"monthly_usd": "-5"}, "monthly_usd"),
        ({"monthly_usd": "1000000.01"}, "monthly_usd"),
        ({"monthly_usd": "1e12"}, "monthly_usd"),
        ({"monthly_usd": "0.001"}, "monthly_usd"),
        ({"monthly_usd": "NaN"}, "monthly_usd"),
        ({"monthly_usd": "much"}, "monthly_usd"),
        ({"monthly_usd": "5", "stops": "perhaps"}, "stops"),
        ({"monthly_usd": "5", "stops": None}, "stops"),
        ({"monthly_usd": "5", "spent": "1"}, "spent"),
    ],
)
def test_what_is_no_budget_is_named(api: ApiClient, body: dict[str, Any], param: str) -> None:
    assert error_of(api.put(BUDGET, body), 400)["param"] == param
    assert not Budget.objects.exists()


def test_one_that_is_used_up_keeps_deployments_from_starting(acme: Organization, api: ApiClient) -> None:
    rests = {
        step: one_in(acme, state, step) for step, state in (("start", State.STOPPED), ("wake", State.ASLEEP))
    }
    two_an_hour(one_in(acme, State.READY))
    api.put(BUDGET, {"monthly_usd": "10", "stops": True})
    budgets.watch()
    told = api.get(BUDGET).json()
    assert told["warned_at"] == told["exhausted_at"] == "2026-11-10T04:00:00Z"
    answers = [api.post(path_of(made, step), {}) for step, made in rests.items()]
    answers.append(api.post(PATH, {"name": "another", "engine": "cpu"}))
    for answer in answers:
        assert error_of(answer, 402)["code"] == "budget_exhausted"
        assert answer["x-should-retry"] == "false"
    assert api.put(BUDGET, {"monthly_usd": "100", "stops": True}).json()["exhausted_at"] is None
    assert api.post(path_of(rests["start"], "start"), {}).status_code == 200


def test_what_it_stopped_is_started_again(acme: Organization, api: ApiClient) -> None:
    one, two = one_in(acme, State.READY, "one"), two_an_hour(one_in(acme, State.READY, "two"))
    one_in(acme, State.STOPPED, "stopped-before")
    one_in(acme, State.PAUSED, "paused")
    api.put(BUDGET, {"monthly_usd": "10", "stops": True})
    budgets.watch()
    with time_machine.travel(NOW + timedelta(minutes=2), tick=False):
        budgets.watch()
    Deployment.objects.filter(pk=one.pk).update(state=State.STOPPED)
    known = [{"id": str(made.pk), "name": made.name} for made in (one, two)]
    assert api.get(SPENDING).json()["stopped_by_budget"] == known
    assert error_of(api.post(RESUME, {}), 402)["code"] == "budget_exhausted"
    assert not Deployment.objects.filter(state=State.REQUESTED).exists()

    api.put(BUDGET, {"monthly_usd": "100", "stops": True})
    told = api.post(RESUME, {}).json()
    assert told["started"] == known[:1]
    [late] = told["not_started"]
    assert (late["id"], late["error"]["code"]) == (str(two.pk), "illegal_transition")
    assert "draining" in late["error"]["message"]
    event = one.events.last()
    assert event is not None
    assert (event.reason, event.key_prefix[:8]) == ("Started again: the budget has room.", "vf_live_")

    Deployment.objects.filter(pk=two.pk).update(state=State.STOPPED)
    assert api.post(RESUME, {}).json() == {"started": known[1:], "not_started": []}
    assert api.post(RESUME, {}).json() == {"started": [], "not_started": []}
    states = dict(Deployment.objects.values_list("name", "state"))
    assert (states["stopped-before"], states["paused"]) == ("stopped", "stopping")


def test_what_somebody_stopped_or_started_since_is_let_be(acme: Organization, api: ApiClient) -> None:
    names = ("started", "deleted", "stopped-again")
    made = {name: one_in(acme, State.STOPPED, name) for name in names}
    Deployment.objects.update(stopped_by_budget=True)
    assert len(api.get(SPENDING).json()["stopped_by_budget"]) == 3
    for step in ("start", "stop"):
        api.post(path_of(made["started"], step), {})
    Deployment.objects.filter(pk=made["stopped-again"].pk).update(state=State.DRAINING)
    assert api.post(path_of(made["stopped-again"], "stop"), {}).status_code == 200
    api.delete(path_of(made["deleted"]))
    assert api.get(SPENDING).json()["stopped_by_budget"] == []
    assert api.post(RESUME, {}).json() == {"started": [], "not_started": []}


def test_each_starts_its_own_again(acme: Organization, globex: Organization, api: ApiClient) -> None:
    one_in(globex, State.STOPPED)
    Deployment.objects.update(stopped_by_budget=True)
    assert api.get(SPENDING).json()["stopped_by_budget"] == []
    assert api.post(RESUME, {}).json() == {"started": [], "not_started": []}
    assert Deployment.objects.get().state == State.STOPPED
    assert len(ApiClient(globex).post(RESUME, {}).json()["started"]) == 1


def test_each_sees_and_sets_its_own(acme: Organization, globex: Organization, api: ApiClient) -> None:
    api.put(BUDGET, {"monthly_usd": "10"})
    theirs = ApiClient(globex)
    assert error_of(theirs.get(BUDGET), 404)
    theirs.delete(BUDGET)
    theirs.put(BUDGET, {"monthly_usd": "77"})
    assert api.get(BUDGET).json()["monthly_usd"] == "10.00"


def test_who_may_read_and_who_may_set(acme: Organization, alice: User, bob: User) -> None:
    speaker, budget = ApiClient(acme, scopes=["speech"]), {"monthly_usd": "5"}
    for answer in (
        speaker.get(SPENDING),
        speaker.get(BUDGET),
        speaker.put(BUDGET, budget),
        speaker.delete(BUDGET),
        speaker.post(RESUME, {}),
    ):
        assert error_of(answer, 403)["code"] == "missing_scope"
    for path in (SPENDING, BUDGET):
        assert error_of(Client().get(path), 401)["code"] == "missing_api_key"
    assert error_of(Client().post(RESUME), 401)["code"] == "missing_api_key"
    body = {"data": b'{"monthly_usd": "5"}', "content_type": "application/json"}
    owner = signed_in(alice)
    assert (owner.put(BUDGET, **body).status_code, owner.post(RESUME).status_code) == (200, 200)
    member = signed_in(bob)
    assert member.get(BUDGET).json()["monthly_usd"] == "5.00"
    assert member.get(SPENDING).status_code == 200
    for answer in (member.put(BUDGET, **body), member.delete(BUDGET), member.post(RESUME)):
        assert error_of(answer, 403)["code"] == "permission_denied"
