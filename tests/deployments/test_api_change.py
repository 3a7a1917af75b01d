"""PATCH and DELETE of /api/deployments/<id>."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.deployments.models import Deployment
from apps.deployments.states import State
from tests.cast import acme, alice, globex, signed_in
from tests.deployments.managed import FIELDS, PATH, SECRET, one_in, path_of, remote
from tests.deployments.steps import at_once
from tests.keys.api_client import ApiClient, error_of

__all__ = ["acme", "alice", "globex"]


@pytest.fixture
def api(acme: Organization) -> ApiClient:
    return ApiClient(acme)


def events_of(made: Deployment) -> list[str]:
    return list(made.events.values_list("reason", flat=True))


def test_bounds_and_delays_hold_at_once(acme: Organization, api: ApiClient) -> None:
    made = remote(acme)
    changes = {
        "min_replicas": 2,
        "max_replicas": 5,
        "scale_up_delay_seconds": 1,
        "scale_down_delay_seconds": 10,
        "concurrent_per_replica": 6,
    }
    told = api.patch(path_of(made), changes)
    assert told.status_code == 200
    assert {name: told.json()[name] for name in changes} == changes
    assert (told.json()["replicas"]["desired"], told.json()["state"]) == (2, "ready")
    assert events_of(made) == ["Scales between 2 and 5 replicas."]
    assert api.get(path_of(made)).json() == told.json()
    assert api.patch(path_of(made), {"concurrent_per_replica": None}).json()["concurrent_per_replica"] is None


def test_variables_and_secrets_are_merged_by_name(acme: Organization, api: ApiClient) -> None:
    made = remote(acme)
    response = api.patch(
        path_of(made),
        {
            "environment": {"LEVEL": "debug", "REGION": None, "NEW": ""},
            "secrets": {"OTHER": None, "SECOND": "second-of-acme", "NEVER_WAS": None},
        },
    )
    told = response.json()
    assert told["environment"] == {"LEVEL": "debug", "NEW": ""}
    assert (told["secrets"], told["state"]) == (["HUB_TOKEN", "SECOND"], "updating")
    assert not any(hidden in response.content.decode() for hidden in (SECRET, "second-of-acme"))
    made.refresh_from_db()
    assert made.secret_values == {"HUB_TOKEN": SECRET, "SECOND": "second-of-acme"}
    assert (made.image, made.generation) == ("ghcr.io/acme/speech:1.0", 2)
    assert events_of(made) == ["Its workers are updated."]


def test_one_change_of_both_kinds(acme: Organization, api: ApiClient) -> None:
    made = remote(acme)
    told = api.patch(path_of(made), {"image": "ghcr.io/acme/speech:1.1", "max_replicas": 9}).json()
    assert (told["image"], told["max_replicas"], told["state"]) == ("ghcr.io/acme/speech:1.1", 9, "updating")
    assert events_of(made) == ["Scales between 0 and 9 replicas.", "Its workers are updated."]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"max_replicas": 9, "image": "ghcr.io/acme/speech:latest"}, "image"),
        ({"min_replicas": 4, "image": "ghcr.io/acme/speech:1.1"}, "min_replicas"),
        ({"min_replicas": None}, "min_replicas"),
        ({"max_replicas": 9, "secrets": {"LEVEL": "in both"}}, "secrets"),
        ({"max_replicas": 9, "secrets": {"WORKER_TOKEN": "x"}}, "secrets"),
        ({"max_replicas": 9, "environment": {"A": ["b"]}}, "environment.A"),
        ({"environment": None}, "environment"),
        ({"secrets": {"A": "b\x00"}}, "secrets.A"),
        ({"max_replicas": 9, "name": "other"}, "name"),
        ({"max_replicas": 9, "gpu": "h100-80gb"}, "gpu"),
        ({"max_replicas": 9, "state": "ready"}, "state"),
        ({"max_replicas": 9, "desired_replicas": 9}, "desired_replicas"),
        ({"max_replicas": True}, "max_replicas"),
    ],
)
def test_one_wrong_field_and_nothing_changes(
    acme: Organization, api: ApiClient, changes: dict[str, Any], param: str
) -> None:
    made = remote(acme)
    before = api.get(path_of(made)).json()
    assert error_of(api.patch(path_of(made), changes), 400)["param"] == param
    assert api.get(path_of(made)).json() == before
    assert events_of(made) == []


def test_what_is_so_already_is_no_change(acme: Organization, api: ApiClient) -> None:
    made = remote(acme)
    before = api.get(path_of(made)).json()
    same = {name: before[name] for name in ("image", "environment", "max_replicas")}
    for changes in ({}, same | {"secrets": {"HUB_TOKEN": SECRET}}):
        assert api.patch(path_of(made), changes).json() == before
    made.refresh_from_db()
    assert (made.generation, events_of(made)) == (1, [])


@pytest.mark.parametrize("state", [State.ASLEEP, State.STOPPED, State.PAUSED])
def test_one_that_rests_takes_it_up_when_it_starts(acme: Organization, api: ApiClient, state: State) -> None:
    made = remote(acme, state=state, desired_replicas=0)
    told = api.patch(path_of(made), {"image": "ghcr.io/acme/speech:1.1", "min_replicas": 1}).json()
    assert (told["state"], told["image"], told["min_replicas"]) == (state, "ghcr.io/acme/speech:1.1", 1)
    made.refresh_from_db()
    assert (made.generation, made.desired_replicas) == (2, 0)


def test_this_machines_workers_take_no_variables(acme: Organization, api: ApiClient) -> None:
    made = one_in(acme, State.READY)
    assert error_of(api.patch(path_of(made), {"secrets": {"A": SECRET}}), 400)["param"] == "secrets"
    assert api.patch(path_of(made), {"max_replicas": 2}).status_code == 200


def test_who_changed_it_is_told(acme: Organization, alice: User) -> None:
    made = remote(acme)
    body = b'{"image": "ghcr.io/acme/speech:1.1"}'
    client = signed_in(alice)
    assert client.patch(path_of(made), body, content_type="application/json").status_code == 200
    assert made.events.get().actor == alice


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_neither_is_lost(acme: Organization) -> None:
    made, api = remote(acme), ApiClient(acme)
    numbers = iter(range(4))
    answers = at_once(4, lambda: api.patch(path_of(made), {"secrets": {f"N{next(numbers)}": "x"}}))
    assert [answer.status_code for answer in answers] == [200] * 4  # type: ignore[attr-defined]
    made.refresh_from_db()
    assert set(made.secret_values) == {"HUB_TOKEN", "OTHER", "N0", "N1", "N2", "N3"}


def test_deleting_ends_it_and_frees_its_name(acme: Organization, api: ApiClient) -> None:
    made = remote(acme)
    assert api.delete(path_of(made)).status_code == 204
    going = api.get(path_of(made)).json()
    assert set(going) == FIELDS
    assert (going["state"], going["secrets"]) == ("draining", [])
    assert api.delete(path_of(made)).status_code == 204
    assert error_of(api.patch(path_of(made), {"secrets": {"A": SECRET}}), 409)["code"] == "deleted"
    assert api.post(PATH, {"name": made.name, "engine": "cpu"}).status_code == 201
    Deployment.objects.filter(pk=made.pk).update(state=State.STOPPED)
    for answer in (api.get(path_of(made)), api.delete(path_of(made)), api.post(path_of(made, "start"), {})):
        assert error_of(answer, 404)["code"] == "not_found"
    assert [row["name"] for row in api.get(PATH).json()["results"]] == [made.name]


@pytest.mark.parametrize("state", State.values)
def test_one_in_any_state_can_be_deleted(acme: Organization, api: ApiClient, state: str) -> None:
    made = one_in(acme, State(state))
    assert api.delete(path_of(made)).status_code == 204
    made.refresh_from_db()
    assert made.deleted_at is not None
    assert made.state in {State.DRAINING, State.STOPPING, State.STOPPED}


def test_one_that_is_deleted_does_not_start_again(acme: Organization, api: ApiClient) -> None:
    made = one_in(acme, State.ASLEEP)
    Deployment.objects.update(deleted_at=timezone.now())
    assert error_of(api.post(path_of(made, "start"), {}), 409)["code"] == "deleted"
    assert error_of(Client().delete(path_of(made)), 401)
