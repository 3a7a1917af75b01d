"""GET of a deployment's events and metrics, and /api/gpus."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.deployments.gpu_serializers import GpuOfferSerializer
from apps.deployments.gpus import GPUS
from apps.deployments.models import Demand, Deployment, DeploymentEvent, Worker
from apps.deployments.offers import Availability, GpuOffer
from apps.deployments.states import State
from apps.keys import identity
from tests.cast import acme, alice, bob
from tests.deployments.managed import SECRET, one_in, path_of, remote
from tests.deployments.tables import worker
from tests.keys.api_client import ApiClient, error_of

__all__ = ["acme", "alice", "bob"]


@pytest.fixture
def api(acme: Organization) -> ApiClient:
    return ApiClient(acme)


def event(made: Deployment, actor: User | None = None) -> DeploymentEvent:
    return DeploymentEvent.objects.create(
        deployment=made, from_state=State.READY, to_state=State.ASLEEP, reason="So.", actor=actor
    )


def test_the_timeline_begins_with_what_is_newest(api: ApiClient) -> None:
    made = Deployment(pk=api.post("/api/deployments", {"name": "one", "engine": "cpu"}).json()["id"])
    api.post(path_of(made, "stop"), {})
    stopped, created = api.get(path_of(made, "events")).json()["results"]
    assert set(stopped) == {"id", "from_state", "to_state", "reason", "actor", "key", "created_at"}
    assert (stopped["from_state"], stopped["to_state"], stopped["reason"]) == (
        "requested",
        "stopping",
        "Stopped.",
    )
    assert (created["from_state"], created["to_state"], created["actor"]) == (None, "requested", None)
    assert created["key"] == api.issued.key.prefix


def test_a_colleague_is_named_and_nobody_of_the_operators(
    acme: Organization, alice: User, bob: User, api: ApiClient
) -> None:
    made = one_in(acme, State.READY)
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    staff = User.objects.create_superuser("staff@operator.example", name="Sam Staff")
    former = User.objects.create_user("former@acme.example")
    for actor in (alice, bob, staff, former, None):
        event(made, actor)
    response = api.get(path_of(made, "events"))
    told = [row["actor"] for row in response.json()["results"]]
    assert told == [None, "former@acme.example", "Platform staff", "Bob", "Alice"]
    assert "Sam" not in response.content.decode()


def test_the_timeline_is_paged_in_as_many_queries(
    acme: Organization, alice: User, api: ApiClient, django_assert_num_queries: Any
) -> None:
    made = one_in(acme, State.READY)
    written = [event(made, alice) for _ in range(7)]
    event(one_in(acme, State.READY, "other"))
    api.get("/api/deployments")
    identity.cache.clear()
    with django_assert_num_queries(4):  # the key, the organization, the deployment, the page
        page = api.get(path_of(made, "events"), page_size=4).json()
    following = api.get(page["next"].partition("testserver")[2]).json()
    told = [row["id"] for row in page["results"] + following["results"]]
    assert told == [str(row.pk) for row in reversed(written)]
    assert error_of(api.get(path_of(made, "events"), cursor="nonsense"), 400)["param"] == "cursor"


def test_what_it_does_now(acme: Organization, api: ApiClient) -> None:
    used = timezone.now()
    made = remote(acme, desired_replicas=2, last_used_at=used)
    ready = worker(made, "w1", token="token-of-w1", in_flight=3)
    starting = worker(made, "w2", state=Worker.State.STARTING, message=f"It said {SECRET}.")
    worker(made, "w3", state=Worker.State.LOST)
    now = timezone.now()
    stale = now - timedelta(seconds=2 * Demand.STALE_SECONDS)
    for in_flight, waiting, told_at in ((3, 1, now), (2, 0, now), (50, 50, stale)):
        Demand.objects.create(
            deployment=made, process=uuid4(), in_flight=in_flight, waiting=waiting, told_at=told_at
        )
    response = api.get(path_of(made, "metrics"))
    told = response.json()
    assert set(told) == {"replicas", "requests", "last_used_at", "cost", "workers", "samples"}
    assert told["replicas"] == {"desired": 2, "ready": 1, "min": 0, "max": 3}
    assert told["requests"] == {"in_flight": 5, "waiting": 1}
    assert told["last_used_at"] == used.isoformat().replace("+00:00", "Z")
    assert [(row["id"], row["state"], row["in_flight"]) for row in told["workers"]] == [
        (str(ready.pk), "ready", 3),
        (str(starting.pk), "starting", 0),
    ]
    assert set(told["workers"][0]) == {"id", "state", "in_flight", "last_seen_at", "created_at"}
    for hidden in (SECRET, "token-of-w1", "127.0.0.1"):
        assert hidden not in response.content.decode()


def test_one_that_does_nothing_costs_as_many_queries(
    acme: Organization, api: ApiClient, django_assert_num_queries: Any
) -> None:
    idle, busy = one_in(acme, State.STOPPED), remote(acme, "busy")
    for number in range(5):
        worker(busy, f"w{number}")
    api.get("/api/deployments")
    for made, workers in ((idle, 0), (busy, 5)):
        identity.cache.clear()
        # Key, organization, deployment, demand, costs, workers, samples.
        with django_assert_num_queries(7):
            told = api.get(path_of(made, "metrics")).json()
        assert (len(told["workers"]), told["requests"]) == (workers, {"in_flight": 0, "waiting": 0})


@pytest.mark.parametrize(("is_demo", "mode", "provider"), [(True, "demo", "local"), (False, "live", "verda")])
def test_gpus_by_their_list_prices(
    api: ApiClient, settings: Any, is_demo: bool, mode: str, provider: str
) -> None:
    settings.DEMO_MODE = is_demo
    told = api.get("/api/gpus").json()
    assert (told["mode"], told["providers"]) == (mode, [provider])
    assert [row["name"] for row in told["gpus"]] == list(GPUS)
    assert told["gpus"][0] == {
        "name": "v100-16gb",
        "model": "Tesla V100",
        "memory_gb": 16,
        "best_for": GPUS["v100-16gb"].best_for,
        "list_price": "0.0760",
        "on_demand_price": None,
        "spot_price": None,
        "availability": None,
        "is_live": False,
    }


def test_an_offer_of_a_provider_is_live() -> None:
    gpu = GPUS["h100-80gb"]
    offer = GpuOffer(
        gpu.name,
        gpu.model,
        gpu.memory_gb,
        gpu.best_for,
        gpu.spot_list_price,
        spot_price=gpu.spot_list_price * 2,
        availability=(Availability("FIN-01", on_demand=False, spot=True),),
    )
    told = GpuOfferSerializer(offer).data
    assert (told["is_live"], told["spot_price"], told["on_demand_price"]) == (True, "1.7000", None)
    assert told["availability"] == [{"location": "FIN-01", "on_demand": False, "spot": True}]
