"""Services: who may have what, and what happens when several want it at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.core import health
from apps.core.errors import Conflict, InvalidRequest
from apps.deployments import claims, services, shared
from apps.deployments.models import Deployment, DeploymentEvent, Worker
from apps.deployments.specification import Scaling
from apps.deployments.states import State
from tests.deployments.steps import at_once


def a_deployment(name: str = "one", **fields: Any) -> Deployment:
    return Deployment.objects.create(**{"name": name, "engine": "tone"} | fields)


def a_worker(deployment: Deployment, state: Worker.State = Worker.State.READY, **fields: Any) -> Worker:
    defaults = {"provider_id": "w1", "url": "http://127.0.0.1:1", "last_seen_at": timezone.now()}
    return Worker.objects.create(deployment=deployment, state=state, **defaults | fields)


@pytest.mark.django_db(transaction=True)
def test_of_many_transitions_at_once_one_wins() -> None:
    deployment = a_deployment(state=State.READY)

    def drain() -> None:
        copy = Deployment(pk=deployment.pk, name="one", state=State.READY)
        services.transition(copy, to=State.DRAINING, reason="Race.")

    results = at_once(6, drain)
    assert results.count(None) == 1
    assert sum(isinstance(result, services.StateChanged) for result in results) == 5
    assert deployment.events.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_one_wins() -> None:
    deployment = a_deployment()
    results = at_once(6, lambda: claims.claim(deployment.pk, seconds=30))
    [claimed] = [result for result in results if result is not None]
    assert isinstance(claimed, Deployment)
    claims.release(claimed)
    assert claims.claim(deployment.pk, seconds=30) is not None


@pytest.mark.django_db
def test_a_claim_that_ran_out_is_free_and_not_given_back_by_its_old_holder() -> None:
    deployment = a_deployment()
    old = claims.claim(deployment.pk, seconds=-1)
    assert old is not None
    new = claims.claim(deployment.pk, seconds=30)
    assert new is not None
    claims.release(old)
    assert claims.claim(deployment.pk, seconds=30) is None


@pytest.mark.django_db(transaction=True)
def test_many_first_starts_make_one_shared_deployment() -> None:
    results = at_once(5, shared.ensure_shared_deployment)
    assert {result.pk for result in results if isinstance(result, Deployment)} == {
        Deployment.objects.shared().get().pk
    }
    assert len(results) == 5
    assert DeploymentEvent.objects.count() == 1


@pytest.mark.django_db
def test_the_shared_deployment_is_tried_again_after_a_failure() -> None:
    deployment = shared.ensure_shared_deployment()
    services.transition(
        deployment, to=State.FAILED, reason="No.", error_code="no", error_message="The provider says no."
    )
    again = shared.ensure_shared_deployment()
    assert (again.pk, again.state, again.error_message) == (deployment.pk, State.REQUESTED, "")


@pytest.mark.django_db
def test_a_shared_deployment_that_staff_stopped_stays_stopped() -> None:
    a_deployment(shared.SHARED_NAME, state=State.STOPPED)
    assert shared.ensure_shared_deployment().state == State.STOPPED


@pytest.mark.django_db
def test_creating_writes_the_first_event(acme: Organization) -> None:
    alice = User.objects.create_user("alice@example.com")
    deployment = services.create_deployment(
        organization=acme, name="mine", engine="cpu", scaling=Scaling.fixed(2), by=alice
    )
    [event] = deployment.events.all()
    assert (event.from_state, event.to_state, event.actor) == ("", State.REQUESTED, alice)
    assert (deployment.min_replicas, deployment.desired_replicas, deployment.max_replicas) == (2, 2, 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"name": ""}, "name"),
        ({"name": "Capital"}, "name"),
        ({"name": "-edge"}, "name"),
        ({"name": "two\n"}, None),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 64}, "name"),
        ({"engine": "flute"}, "engine"),
        ({"provider": "moon"}, "provider"),
        ({"kind": "odd"}, "kind"),
        ({"scaling": Scaling.fixed(0)}, "max_replicas"),
        ({"scaling": Scaling.fixed(65)}, "max_replicas"),
    ],
)
def test_creating_refuses_nonsense(acme: Organization, changes: dict[str, Any], param: str | None) -> None:
    arguments: dict[str, Any] = {"organization": acme, "name": "mine", "engine": "cpu"} | changes
    if param is None:
        assert services.create_deployment(**arguments).name == "two"
        return
    with pytest.raises(InvalidRequest) as refused:
        services.create_deployment(**arguments)
    assert refused.value.param == param


@pytest.mark.django_db
def test_a_name_is_taken_once_in_an_organization(acme: Organization, globex: Organization) -> None:
    for owner in (acme, globex, None):
        services.create_deployment(organization=owner, name="tts", engine="cpu")
    for owner in (acme, None):
        with pytest.raises(Conflict, match="already a deployment named tts"):
            services.create_deployment(organization=owner, name="tts", engine="cpu")


@pytest.mark.django_db
def test_an_organization_owns_its_own_and_speaks_by_the_shared_too(
    acme: Organization, globex: Organization
) -> None:
    own, shared = a_deployment("own", organization=acme), a_deployment("shared")
    a_deployment("other", organization=globex)
    assert list(Deployment.objects.for_organization(acme)) == [own]
    assert set(Deployment.objects.all().speakable_by(acme)) == {own, shared}


@pytest.mark.django_db
def test_stopping_takes_workers_out_of_service_at_once() -> None:
    deployment = a_deployment(state=State.READY)
    worker = a_worker(deployment)
    services.stop_deployment(deployment)
    worker.refresh_from_db()
    assert (deployment.state, worker.state) == (State.DRAINING, Worker.State.DRAINING)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.REQUESTED, State.PROVISIONING, State.PAUSED])
def test_without_workers_there_is_nothing_to_drain(state: State) -> None:
    deployment = a_deployment(state=state)
    services.stop_deployment(deployment)
    assert deployment.state == State.STOPPING


@pytest.mark.django_db
def test_restarting_asks_for_a_new_generation() -> None:
    deployment = a_deployment(state=State.READY)
    services.restart_deployment(deployment)
    assert (deployment.state, deployment.generation) == (State.UPDATING, 2)


@pytest.mark.django_db
def test_what_is_not_stopped_cannot_be_started() -> None:
    with pytest.raises(Conflict, match="is ready cannot become requested"):
        services.start_deployment(a_deployment(state=State.READY))


@pytest.mark.django_db
def test_workers_of_a_provider_that_starts_anew_are_lost() -> None:
    deployment = a_deployment(state=State.READY)
    old = a_worker(deployment)
    born = timezone.now()
    new = a_worker(deployment, provider_id="w2", last_seen_at=born + timedelta(seconds=1))
    assert shared.forget_workers(provider="local", seen_before=born) == 1
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.state) == (Worker.State.LOST, Worker.State.READY)


@pytest.mark.django_db
def test_speech_is_ready_asleep_or_none() -> None:
    assert health.speech_status is not None
    assert health.speech_status() == "none"
    a_deployment("asleep", state=State.ASLEEP)
    assert health.speech_status() == "asleep"
    draining = a_deployment("draining", state=State.DRAINING)
    a_worker(draining)
    assert health.speech_status() == "asleep"
    a_worker(a_deployment("ready", state=State.READY), provider_id="w2")
    assert health.speech_status() == "ready"


BROKEN_DEPLOYMENTS: list[dict[str, Any]] = [
    {"state": "odd"},
    {"provider": "moon"},
    {"kind": "odd"},
    {"name": "Not A Name"},
    {"min_replicas": 2},
    {"desired_replicas": 2},
    {"max_replicas": 0, "min_replicas": 0, "desired_replicas": 0},
    {"state": "failed"},
]


@pytest.mark.django_db
@pytest.mark.parametrize("fields", BROKEN_DEPLOYMENTS)
def test_the_database_refuses_broken_deployments(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        a_deployment(**fields)


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [{"url": ""}, {"last_seen_at": None}, {"state": "odd"}])
def test_the_database_refuses_broken_workers(fields: dict[str, Any]) -> None:
    deployment = a_deployment()
    with pytest.raises(IntegrityError), transaction.atomic():
        a_worker(deployment, **fields)


@pytest.mark.django_db
def test_what_opens_a_worker_is_encrypted_at_rest() -> None:
    opens = {"token": "secret-token", "url": "http://10.0.0.7:8000"}
    worker = a_worker(a_deployment(), **opens)
    with connection.cursor() as cursor:
        cursor.execute("SELECT deployments_worker::text FROM deployments_worker WHERE id = %s", [worker.pk])
        [stored] = cursor.fetchone()
    assert worker.provider_id in stored
    assert not [value for value in opens.values() if value in stored]
    assert Worker.objects.values("token", "url").get(pk=worker.pk) == opens
