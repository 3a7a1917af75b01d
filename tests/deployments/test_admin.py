"""Admin: staff see everything but tokens, and act through services."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.deployments.models import Deployment, Worker
from apps.deployments.states import State

pytestmark = pytest.mark.django_db
URL = "/admin/deployments/deployment/"


NEW = {"name": "new", "engine": "cpu", "provider": "local", "kind": "serverless"}


@pytest.fixture
def staff(settings: Any) -> Client:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where it is missing
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com"))
    return client


@pytest.fixture
def deployment() -> Deployment:
    deployment = Deployment.objects.create(name="shared-cpu", engine="cpu", state=State.READY)
    Worker.objects.create(
        deployment=deployment,
        provider_id="replica-one",
        state=Worker.State.READY,
        url="http://127.0.0.1:1",
        token="worker-token",
        last_seen_at=timezone.now(),
    )
    return deployment


def act(staff: Client, action: str, *deployments: Deployment) -> str:
    chosen = [str(deployment.pk) for deployment in deployments]
    response = staff.post(URL, {"action": action, "_selected_action": chosen}, follow=True)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("model", ["deployment", "worker", "deploymentevent"])
def test_lists_and_pages_show_no_token(staff: Client, deployment: Deployment, model: str) -> None:
    pages = [f"/admin/deployments/{model}/", f"/admin/deployments/{model}/?q=shared"]
    if model == "deployment":
        pages.append(f"{URL}{deployment.pk}/change/")
    if model == "worker":
        pages.append(f"/admin/deployments/worker/{deployment.workers.get().pk}/change/")
    for page in pages:
        response = staff.get(page)
        assert response.status_code == 200
        assert b"worker-token" not in response.content


def test_the_page_of_a_deployment_has_workers_and_timeline(staff: Client, deployment: Deployment) -> None:
    act(staff, "stop", deployment)
    page = staff.get(f"{URL}{deployment.pk}/change/").content.decode()
    assert "replica-one" in page
    assert "Timeline" in page
    assert "Stopped." in page


def test_stop_goes_through_the_service_and_names_who_did_it(staff: Client, deployment: Deployment) -> None:
    act(staff, "stop", deployment)
    deployment.refresh_from_db()
    assert deployment.state == State.DRAINING
    assert deployment.events.get().actor == User.objects.get()


def test_start_and_restart(staff: Client, deployment: Deployment) -> None:
    stopped = Deployment.objects.create(name="stopped", engine="cpu", state=State.STOPPED)
    act(staff, "start", stopped)
    act(staff, "restart", deployment)
    stopped.refresh_from_db()
    deployment.refresh_from_db()
    assert (stopped.state, deployment.state, deployment.generation) == (State.REQUESTED, State.UPDATING, 2)


def test_sleep_and_start_again(staff: Client, deployment: Deployment) -> None:
    assert "Putting to sleep shared-cpu." in act(staff, "sleep", deployment)
    deployment.refresh_from_db()
    assert (deployment.state, deployment.desired_replicas) == (State.ASLEEP, 0)
    assert deployment.events.get().actor is not None
    assert "is asleep cannot become asleep" in act(staff, "sleep", deployment)
    act(staff, "start", deployment)
    deployment.refresh_from_db()
    assert (deployment.state, deployment.desired_replicas) == (State.STARTING, 1)


def test_pause_and_delete(staff: Client, deployment: Deployment) -> None:
    act(staff, "pause", deployment)
    deployment.refresh_from_db()
    assert (deployment.state, deployment.desired_replicas) == (State.PAUSED, 0)
    act(staff, "remove", deployment)
    deployment.refresh_from_db()
    assert deployment.state == State.STOPPING
    assert deployment.deleted_at is not None
    assert "was deleted" in act(staff, "start", deployment)


def test_what_is_not_allowed_is_said_and_holds_no_other_back(staff: Client, deployment: Deployment) -> None:
    stopped = Deployment.objects.create(name="stopped", engine="cpu", state=State.STOPPED)
    page = act(staff, "stop", deployment, stopped)
    assert "is stopped cannot become stopping" in page
    deployment.refresh_from_db()
    assert deployment.state == State.DRAINING


def test_staff_make_a_deployment(staff: Client) -> None:
    form = NEW | {"min_replicas": "2", "max_replicas": "3", "gpu": "a100-40gb", "is_spot": "on"}
    response = staff.post(f"{URL}add/", form, follow=True)
    assert response.status_code == 200
    made = Deployment.objects.get(name="new")
    assert (made.state, made.desired_replicas, made.max_replicas) == (State.REQUESTED, 2, 3)
    assert (made.price_per_hour, made.events.count()) == (Decimal("0.238"), 1)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Not A Name"},
        {"name": "shared-cpu"},
        {"min_replicas": "0", "kind": "dedicated"},
        {"max_replicas": "65"},
        {"min_replicas": "4"},
        {"image": "ghcr.io/acme/speech:1.0"},
        {"gpu": "abacus"},
        {"gpu_count": "9"},
        {"concurrent_per_replica": "0"},
    ],
)
def test_a_form_with_nonsense_comes_back(
    staff: Client, deployment: Deployment, change: dict[str, str]
) -> None:
    response = staff.post(f"{URL}add/", NEW | change)
    assert response.status_code == 200
    assert Deployment.objects.count() == 1


def test_nothing_can_be_deleted_or_edited(staff: Client, deployment: Deployment) -> None:
    assert staff.post(f"{URL}{deployment.pk}/delete/", {"post": "yes"}).status_code == 403
    worker = deployment.workers.get()
    staff.post(f"{URL}{deployment.pk}/change/", {"name": "changed", "state": "stopped"})
    assert staff.post(f"/admin/deployments/worker/{worker.pk}/change/", {"url": "x"}).status_code == 403
    deployment.refresh_from_db()
    assert (deployment.name, deployment.state) == ("shared-cpu", State.READY)
