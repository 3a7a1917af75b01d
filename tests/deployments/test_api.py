"""GET of /api/deployments and of one; who may ask for what, and of whose."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.deployments.models import Deployment, Worker
from apps.deployments.states import State
from apps.keys import identity
from tests.cast import acme, alice, bob, charlie, globex, signed_in
from tests.deployments.managed import FIELDS, PATH, SECRET, STEPS, one_in, path_of, remote
from tests.deployments.tables import deployment, worker
from tests.keys.api_client import ApiClient, error_of

__all__ = ["acme", "alice", "bob", "charlie", "globex"]

NEW = {"name": "speech", "engine": "cpu"}


@pytest.fixture
def api(acme: Organization) -> ApiClient:
    return ApiClient(acme)


def names(api: ApiClient, **query: Any) -> list[str]:
    return [row["name"] for row in api.get(PATH, **query).json()["results"]]


def test_ones_own_are_listed_newest_first(acme: Organization, globex: Organization, api: ApiClient) -> None:
    for name, owner in (("first", acme), ("second", acme), ("theirs", globex), ("shared", None)):
        deployment(name, organization=owner)
    deployment("gone", organization=acme, state=State.STOPPED, deleted_at=timezone.now())
    deployment("going", organization=acme, state=State.DRAINING, deleted_at=timezone.now())
    rows = api.get(PATH).json()["results"]
    assert [row["name"] for row in rows] == ["going", "second", "first"]
    assert all(set(row) == FIELDS for row in rows)


def test_the_list_is_filtered_and_paged(acme: Organization, api: ApiClient) -> None:
    deployment("one", organization=acme, state=State.READY)
    deployment("two", organization=acme, state=State.ASLEEP)
    deployment("three", organization=acme, state=State.ASLEEP, engine="chatterbox")
    assert names(api, state="asleep") == ["three", "two"]
    assert names(api, engine="cpu") == ["two", "one"]
    assert names(api, state="asleep", engine="cpu") == ["two"]
    page = api.get(PATH, page_size=2).json()
    assert [row["name"] for row in page["results"]] == ["three", "two"]
    following = api.get(page["next"].partition("testserver")[2]).json()
    assert [row["name"] for row in following["results"]] == ["one"]
    for wrong in ({"state": "gone"}, {"engine": "flute"}, {"cursor": "nonsense"}):
        assert error_of(api.get(PATH, **wrong), 400)["param"] == next(iter(wrong))


def test_one_is_shown_without_a_secret(acme: Organization, api: ApiClient) -> None:
    used = timezone.now() - timedelta(minutes=5)
    made = remote(acme, price_per_hour=Decimal("0.238"), last_used_at=used, desired_replicas=2)
    worker(made, "w1", token="token-of-w1")
    worker(made, "w2", state=Worker.State.STARTING)
    response = api.get(path_of(made))
    told = response.json()
    assert set(told) == FIELDS
    assert (told["id"], told["engine"], told["kind"], told["provider"]) == (
        str(made.pk),
        "chatterbox",
        "serverless",
        "verda",
    )
    assert told["replicas"] == {"desired": 2, "ready": 1}
    assert (told["environment"], told["secrets"]) == (
        {"LEVEL": "info", "REGION": "north"},
        ["HUB_TOKEN", "OTHER"],
    )
    assert (told["models"], told["voices"], told["languages"]) == (["hibari"], ["heart"], ["en"])
    assert (told["price_per_hour"], told["error"], told["state"]) == ("0.2380", None, "ready")
    for hidden in (SECRET, "token-of-w1", "127.0.0.1"):
        assert hidden not in response.content.decode()


def test_before_it_spoke_and_after_it_failed(acme: Organization, api: ApiClient) -> None:
    made = one_in(acme, State.FAILED)
    Deployment.objects.update(capabilities={})
    told = api.get(path_of(made)).json()
    assert told["error"] == {"code": "no", "message": "The provider says no."}
    assert (told["models"], told["voices"], told["languages"]) == ([], [], [])
    assert (told["price_per_hour"], told["last_used_at"], told["secrets"]) == (None, None, [])


def test_queries_do_not_grow_with_deployments(
    acme: Organization, api: ApiClient, django_assert_num_queries: Any
) -> None:
    for number in range(6):
        made = remote(acme, f"number-{number}")
        worker(made, "w1")
        worker(made, "w2")
    api.get(PATH)
    identity.cache.clear()
    with django_assert_num_queries(4):  # the key, the organization, the page, costs
        rows = api.get(PATH).json()["results"]
    assert [row["replicas"]["ready"] for row in rows] == [2] * 6


def test_another_organizations_shared_and_deleted_ones_are_not_there(
    acme: Organization, globex: Organization, api: ApiClient
) -> None:
    hidden = [
        deployment("theirs", organization=globex),
        deployment("shared"),
        deployment("gone", organization=acme, state=State.STOPPED, deleted_at=timezone.now()),
    ]
    unknown = error_of(api.get(f"{PATH}/{uuid4()}"), 404)
    for made in hidden:
        answers = [api.get(path_of(made, what)) for what in ("", "events", "metrics")]
        answers += [api.post(path_of(made, step), {}) for step in STEPS]
        answers += [api.patch(path_of(made), {"max_replicas": 2}), api.delete(path_of(made))]
        assert {error_of(answer, 404)["message"] for answer in answers} == {unknown["message"]}
    assert Deployment.objects.filter(state=State.READY, max_replicas=1, deleted_at=None).count() == 2
    assert error_of(api.get(f"{PATH}/one"), 404)["code"] == "not_found"


def test_without_a_key_and_without_the_scope(acme: Organization) -> None:
    made = one_in(acme, State.READY)
    reads = [PATH, path_of(made), path_of(made, "events"), path_of(made, "metrics"), "/api/gpus"]
    speaker = ApiClient(acme, scopes=["speech"])
    answers = [speaker.get(path) for path in reads]
    answers += [speaker.post(path_of(made, step), {}) for step in STEPS]
    answers += [speaker.post(PATH, NEW), speaker.patch(path_of(made), {}), speaker.delete(path_of(made))]
    for answer in answers:
        assert error_of(answer, 403)["code"] == "missing_scope"
        assert answer["X-Required-Scope"] == "manage"
    for path in reads:
        assert error_of(Client().get(path), 401)["code"] == "missing_api_key"
    for step in STEPS:
        assert error_of(Client().post(path_of(made, step)), 401)
    made.refresh_from_db()
    assert made.state == State.READY


def test_people_read_and_managers_act_in_their_own_name(acme: Organization, alice: User, bob: User) -> None:
    made = one_in(acme, State.READY)
    member = signed_in(bob)
    assert member.get(PATH).json()["results"][0]["id"] == str(made.pk)
    body = {"data": b"{}", "content_type": "application/json"}
    for answer in (
        member.post(PATH, **body),
        member.post(path_of(made, "stop"), **body),
        member.patch(path_of(made), **body),
        member.delete(path_of(made)),
    ):
        assert error_of(answer, 403)["code"] == "permission_denied"
    unsure = signed_in(alice, enforce_csrf_checks=True)
    assert "CSRF" in error_of(unsure.post(path_of(made, "stop"), **body), 403)["message"]
    assert signed_in(alice).post(path_of(made, "stop"), **body).status_code == 200
    assert made.events.get().actor == alice
