"""What happens in the rooms is told: once, as the catalogue says, with the change itself or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import Organization, User
from apps.deployments import services as deploying
from apps.deployments.models import Budget, Deployment, DeploymentEvent
from apps.deployments.states import State
from apps.keys.models import ApiKey
from apps.tts.jobs.models import SpeechJob
from apps.usage.models import UsageNotice
from apps.voices import services as voicing
from apps.voices.models import Voice, VoiceConsent
from apps.webhooks import catalogue
from apps.webhooks.models import Delivery, Endpoint, Event
from tests.deployments.tables import deployment
from tests.gpu_worker.worker_process import WorkerProcess
from tests.platform import deploy
from tests.tts.jobs.customer import Customer, work_off
from tests.webhooks.causes import CAUSES, NOW, Act, Cause
from tests.webhooks.rows import endpoint
from tests.webhooks.test_catalogue import check

CHANGED = (
    *(ApiKey, Voice, VoiceConsent, Deployment, DeploymentEvent, Budget, UsageNotice, SpeechJob, Endpoint),
)
each_cause = pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def listener(acme: Organization) -> Endpoint:
    return endpoint(acme, description="Listening").endpoint


def prepared(
    cause: Cause, acme: Organization, alice: User, clock: time_machine.Coordinates
) -> tuple[Act, list[Any]]:
    """What causes it, and the events that there were before."""
    act = cause.prepare(acme, alice)
    clock.move_to(cause.moment, tick=False)
    return act, list(Event.objects.values_list("pk", flat=True))


def rows() -> dict[str, list[dict[str, Any]]]:
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in CHANGED}


@contextmanager
def no_event_can_be_written() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no event can be written'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON webhooks_event FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
        yield
        cursor.execute("DROP TRIGGER refuse ON webhooks_event")
        cursor.execute("DROP FUNCTION refuse")


@each_cause
def test_it_is_told_once_to_its_organization_alone(
    cause: Cause,
    acme: Organization,
    alice: User,
    globex: Organization,
    listener: Endpoint,
    clock: time_machine.Coordinates,
) -> None:
    stranger = endpoint(globex).endpoint
    act, before = prepared(cause, acme, alice, clock)
    act()
    told = Event.objects.exclude(pk__in=before).order_by("pk")
    assert [event.type for event in told] == list(cause.events)
    for event in told:
        assert (event.organization_id, event.is_test) == (acme.pk, False)
        body = json.loads(event.body)
        check(body)
        assert body["id"] == event.message_id
        heard = Delivery.objects.filter(event=event)
        assert [delivery.endpoint_id for delivery in heard] == [listener.pk]
    assert not Delivery.objects.filter(endpoint=stranger).exists()


@each_cause
def test_what_is_taken_back_is_not_told(
    cause: Cause, acme: Organization, alice: User, listener: Endpoint, clock: time_machine.Coordinates
) -> None:
    act, before = prepared(cause, acme, alice, clock)
    with transaction.atomic():
        act()
        assert Event.objects.count() == len(before) + len(cause.events)
        transaction.set_rollback(True)
    assert list(Event.objects.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("cause", [c for c in CAUSES if c.events != ("job.failed",)], ids=lambda c: c.name)
def test_what_cannot_be_told_does_not_happen(
    cause: Cause, acme: Organization, alice: User, listener: Endpoint, clock: time_machine.Coordinates
) -> None:
    act, before = prepared(cause, acme, alice, clock)
    there = rows()
    with no_event_can_be_written(), suppress(DatabaseError), transaction.atomic():
        act()
    assert rows() == there
    assert list(Event.objects.values_list("pk", flat=True)) == before


def test_a_job_whose_end_cannot_be_told_has_not_ended(
    acme: Organization, alice: User, listener: Endpoint, clock: time_machine.Coordinates
) -> None:
    [cause] = [cause for cause in CAUSES if cause.events == ("job.failed",)]
    act, before = prepared(cause, acme, alice, clock)
    with no_event_can_be_written(), suppress(DatabaseError), transaction.atomic():
        act()
    assert SpeechJob.objects.get().ended_at is None
    assert list(Event.objects.values_list("pk", flat=True)) == before


def test_every_kind_has_a_cause_here() -> None:
    caused = {name for cause in CAUSES for name in cause.events} | {"job.completed", "release.ready"}
    assert caused == {kind.name for kind in catalogue.every_type()}


@pytest.mark.django_db(transaction=True)
def test_a_completed_job_is_told(acme: Organization, alice: User, cpu_worker: WorkerProcess) -> None:
    deploy(cpu_worker, name="shared-cpu")
    listening = endpoint(acme, events=["job.*"]).endpoint
    job = Customer(acme, alice).job("Hello there.", title="Chapter 1")
    work_off()
    [event] = Event.objects.filter(type__startswith="job.")
    body = json.loads(event.body)
    check(body)
    assert (body["type"], body["data"]["job_id"]) == ("job.completed", str(job.pk))
    assert (body["data"]["title"], body["data"]["characters_charged"]) == ("Chapter 1", 12)
    assert body["data"]["audio_ms"] > 0
    assert Delivery.objects.get(event=event).endpoint_id == listening.pk


# ---- what nobody is told -----------------------------------------------------------------------------


def test_a_shared_deployment_is_nobodys(acme: Organization, listener: Endpoint) -> None:
    shared = deploying.create_deployment(organization=None, name="shared", engine="cpu")
    for state in (State.PROVISIONING, State.STARTING, State.READY, State.DEGRADED, State.READY):
        deploying.transition(shared, to=state, reason="Because.")
    assert not Event.objects.exists()


def test_a_step_within_a_state_is_no_event(acme: Organization, listener: Endpoint) -> None:
    made = deployment("speech", organization=acme, state=State.READY)
    deploying.restart_deployment(made)
    told = [event.type for event in Event.objects.all()]
    assert told == [
        f"deployment.{entered.to_state}"
        for entered in made.events.all()
        if entered.from_state != entered.to_state
    ]


def test_a_voice_of_the_platform_is_nobodys(acme: Organization, listener: Endpoint) -> None:
    voice = Voice.objects.create(name="Heart", category="premade", engine_voice="heart")
    voicing.suspend_voice(voice=voice, reason="A complaint.")
    voicing.unsuspend_voice(voice=voice)
    assert not Event.objects.exists()


def test_an_endpoint_hears_what_it_chose_and_nothing_while_it_is_disabled(acme: Organization) -> None:
    keys = endpoint(acme, events=["key.*"]).endpoint
    endpoint(acme, events=["voice.created", "deployment.ready"])
    off = endpoint(acme).endpoint
    Endpoint.objects.filter(pk=off.pk).update(disabled_at=NOW, disabled_because="by_person")
    CAUSES[0].prepare(acme, acme.memberships.get().user)()
    assert [delivery.endpoint_id for delivery in Delivery.objects.all()] == [keys.pk]
