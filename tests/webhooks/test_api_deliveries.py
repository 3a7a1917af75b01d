"""The log, sending again, trying out, and the catalogue, by /api/webhooks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Organization
from apps.webhooks import catalogue
from apps.webhooks.models import Delivery, Endpoint, Event
from tests.keys.api_client import ApiClient, error_of
from tests.webhooks.rows import attempt, cause, delivery, endpoint, path_of, path_of_delivery, sending

FIELDS = {
    "id", "endpoint_id", "event_id", "type", "test", "state", "attempts", "last_status", "last_problem",
    "next_attempt_at", "created_at",
}  # fmt: skip
LONG_AGO = "2026-01-01T00:00:00Z"


@pytest.fixture
def one(acme: Organization) -> Endpoint:
    return endpoint(acme).endpoint


@pytest.fixture
def api(acme: Organization) -> ApiClient:
    return ApiClient(acme)


@pytest.fixture
def log(one: Endpoint) -> str:
    return path_of(one.pk, "deliveries")


# ---- the log -----------------------------------------------------------------------------------------


def test_the_log_is_newest_first_and_of_one_endpoint(
    api: ApiClient, acme: Organization, one: Endpoint, log: str
) -> None:
    delivery(endpoint(acme).endpoint)
    made = [delivery(one), delivery(one), delivery(one, state="delivered", last_status=204, attempts=2)]
    rows = api.get(log).json()["results"]
    assert [row["id"] for row in rows] == [str(row.pk) for row in reversed(made)]
    assert all(set(row) == FIELDS and row["endpoint_id"] == str(one.pk) for row in rows)
    assert (rows[0]["state"], rows[0]["last_status"], rows[0]["attempts"]) == ("delivered", 204, 2)
    assert (rows[0]["next_attempt_at"], rows[1]["last_status"]) == (None, None)
    assert rows[1]["next_attempt_at"] is not None
    assert rows[1]["event_id"] == made[1].event.message_id
    page = api.get(log, page_size=2).json()
    following = api.get(page["next"].partition("testserver")[2]).json()
    assert [row["id"] for row in following["results"]] == [str(made[0].pk)]


def test_it_is_filtered(api: ApiClient, one: Endpoint, log: str) -> None:
    for name, state in (
        ("key.created", "failed"),
        ("deployment.ready", "failed"),
        ("deployment.failed", "delivered"),
    ):
        delivery(one, name, state=state)

    def kinds(**query: Any) -> list[str]:
        return [row["type"] for row in api.get(log, **query).json()["results"]]

    assert kinds(state="failed") == ["deployment.ready", "key.created"]
    assert kinds(type="deployment.*") == ["deployment.failed", "deployment.ready"]
    assert kinds(type="deployment.ready", state="delivered") == []
    assert kinds(type="key.created") == ["key.created"]
    soon, lately = (timezone.now() + timedelta(minutes=n) for n in (1, -1))
    assert len(kinds(since=lately.isoformat(), until=soon.isoformat())) == 3
    assert kinds(since=soon.isoformat()) == kinds(until=lately.isoformat()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("state", value) for value in ("gone", "\x00")),
        *(("type", value) for value in ("nothing", "nothing.*", "*", "deployment.%", "\x00", "x" * 65)),
        *(("since", value) for value in ("soon", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "10" * 20)),
        *(("until", value) for value in ("9999-12-31T23:59:59-12:00", "2026-02-30T00:00:00Z", "\x00")),
        *(("cursor", value) for value in ("nonsense", "cD1ub25zZW5zZQ==")),
    ],
)
def test_a_wrong_filter_is_named(api: ApiClient, log: str, name: str, value: str) -> None:
    assert error_of(api.get(log, **{name: value}), 400)["param"] == name


def test_queries_do_not_grow_with_deliveries(
    api: ApiClient, one: Endpoint, log: str, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        delivery(one)
    api.get(log)
    with django_assert_num_queries(3):  # the organization, the endpoint, the page with its events
        assert len(api.get(log).json()["results"]) == 5


def test_one_is_shown_with_what_is_sent_and_every_attempt(api: ApiClient, one: Endpoint) -> None:
    made = delivery(one)
    attempt(made, 1, request_headers={"authorization": "•••"}, response_body="sorry", is_cut=True)
    attempt(made, 2, outcome="delivered", status=204, problem="", response_headers={"server": "x"})
    told = api.get(path_of_delivery(made.pk)).json()
    assert set(told) == FIELDS | {"body", "log"}
    assert told["body"] == made.event.body
    assert json.loads(told["body"])["id"] == told["event_id"]
    first, second = told["log"]
    assert (first["number"], first["outcome"], first["status"], first["problem"]) == (
        1,
        "failed",
        500,
        "status",
    )
    assert (first["request_headers"], first["response_body"]) == ({"authorization": "•••"}, "sorry")
    assert (first["response_is_cut"], first["duration_ms"]) == (True, 12)
    assert (second["outcome"], second["response_headers"]) == ("delivered", {"server": "x"})
    assert first["began_at"] <= second["began_at"]


# ---- sending again -----------------------------------------------------------------------------------


def test_it_is_sent_again_whatever_came_of_it(api: ApiClient, one: Endpoint) -> None:
    for state in ("delivered", "failed", "cancelled", "pending"):
        made = delivery(one, state=state, tries=7, due_at=timezone.now() + timedelta(days=1))
        told = api.post(path_of_delivery(made.pk, "resend"), {}).json()
        assert (told["id"], told["state"]) == (str(made.pk), "pending")
        made.refresh_from_db()
        assert made.tries == 0
        assert made.due_at <= timezone.now()


def test_what_is_on_its_way_or_has_nowhere_to_go_is_not_sent_again(api: ApiClient, one: Endpoint) -> None:
    under_way = sending(one)
    assert error_of(api.post(path_of_delivery(under_way.pk, "resend"), {}), 409)["code"] == "being_sent"
    api.post(path_of(one.pk, "disable"), {})
    failed = delivery(one, state="failed")
    error = error_of(api.post(path_of_delivery(failed.pk, "resend"), {}), 409)
    assert error["code"] == "endpoint_disabled"


def test_what_waits_is_cancelled(api: ApiClient, one: Endpoint) -> None:
    for waiting in (delivery(one), sending(one)):
        told = api.post(path_of_delivery(waiting.pk, "cancel"), {}).json()
        assert (told["state"], told["next_attempt_at"]) == ("cancelled", None)
        assert error_of(api.post(path_of_delivery(waiting.pk, "cancel"), {}), 409)["code"] == "not_waiting"


def test_all_that_failed_is_recovered(api: ApiClient, acme: Organization, one: Endpoint) -> None:
    made = [delivery(one, state=state) for state in ("failed", "failed", "delivered", "cancelled")]
    others = delivery(endpoint(acme).endpoint, state="failed")
    path = path_of(one.pk, "recover")
    future = (timezone.now() + timedelta(hours=1)).isoformat()
    assert api.post(path, {"since": future}).json() == {"count": 0}
    response = api.post(path, {"since": LONG_AGO})
    assert (response.status_code, response.json()) == (202, {"count": 2})
    assert [Delivery.objects.get(pk=row.pk).state for row in (*made, others)] == [
        *("pending", "pending", "delivered", "cancelled", "failed")
    ]


def test_what_was_never_queued_is_recovered_where_that_is_asked(
    api: ApiClient, acme: Organization, globex: Organization, django_assert_max_num_queries: Any
) -> None:
    for _ in range(2):
        cause(acme)  # beside that of the key that asks
    cause(acme, "key.revoked")
    cause(globex)
    late = endpoint(acme, events=["key.created"]).endpoint
    path = path_of(late.pk, "recover")
    assert api.post(path, {"since": LONG_AGO}).json() == {"count": 0}
    with django_assert_max_num_queries(15):
        assert api.post(path, {"since": LONG_AGO, "include_missing": True}).json() == {"count": 3}
    assert api.post(path, {"since": LONG_AGO, "include_missing": True}).json() == {"count": 0}
    assert set(Delivery.objects.filter(endpoint=late).values_list("event_type", "organization")) == {
        ("key.created", acme.pk)
    }


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "since"),
        ({"since": None}, "since"),
        ({"since": 5}, "since"),
        ({"since": "soon"}, "since"),
        ({"since": "1969-12-31T23:59:59Z"}, "since"),
        ({"since": "9999-12-31T23:59:59-12:00"}, "since"),
        ({"since": LONG_AGO, "include_missing": "yes"}, "include_missing"),
        ({"since": LONG_AGO, "include_missing": None}, "include_missing"),
        ({"since": LONG_AGO, "until": LONG_AGO}, "until"),
    ],
)
def test_a_wrong_recovery_is_named(api: ApiClient, one: Endpoint, body: Any, param: str) -> None:
    assert error_of(api.post(path_of(one.pk, "recover"), body), 400)["param"] == param


# ---- trying out --------------------------------------------------------------------------------------


def test_a_test_event_of_any_kind_goes_to_this_endpoint_alone(api: ApiClient, acme: Organization) -> None:
    endpoint(acme)
    tried = endpoint(acme, events=["key.created"]).endpoint
    response = api.post(path_of(tried.pk, "test"), {"type": "job.completed"})
    assert response.status_code == 202
    told = response.json()
    assert set(told) == FIELDS
    assert (told["endpoint_id"], told["type"], told["test"], told["state"]) == (
        str(tried.pk),
        "job.completed",
        True,
        "pending",
    )
    assert told["next_attempt_at"] is not None
    body = json.loads(Event.objects.get(is_test=True).body)
    assert (body["test"], body["data"]) == (True, dict(catalogue.find("job.completed").example))
    assert Delivery.objects.count() == 1
    assert api.get(path_of(tried.pk, "deliveries")).json()["results"] == [told]


@pytest.mark.parametrize("kind", ["nothing", "job.*", "", None, 5, [], "nul\x00", "x" * 65, "\ud800"])
def test_a_test_of_what_there_is_not(api: ApiClient, one: Endpoint, kind: Any) -> None:
    assert error_of(api.post(path_of(one.pk, "test"), {"type": kind}), 400)["param"] == "type"
    assert not Event.objects.filter(is_test=True).exists()


# ---- the catalogue -----------------------------------------------------------------------------------


def test_every_kind_is_listed_with_its_schema_and_an_example(api: ApiClient) -> None:
    rows = api.get("/api/webhooks/events").json()["results"]
    assert [row["name"] for row in rows] == [kind.name for kind in catalogue.every_type()]
    assert all(set(row) == {"name", "meaning", "version", "schema", "example"} for row in rows)
    created = next(row for row in rows if row["name"] == "key.created")
    assert created["example"]["type"] == "key.created"
    assert created["schema"]["properties"]["type"] == {"const": "key.created"}
