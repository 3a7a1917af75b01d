"""What goes wrong at Verda for longer than a call: said on the page, borne, and over when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from apps.deployments import bills, orphans, reconciliation, services, words
from apps.deployments.models import Deployment, Run, Worker
from apps.deployments.providers import verda_setup
from apps.deployments.specification import Scaling
from apps.deployments.states import State
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.steps import long_ago, look
from tests.deployments.verda.platform import deployed, passes, set_up, until
from tests.fakes.verda import FakeVerda

pytestmark = pytest.mark.django_db
KINDS = ["serverless", "dedicated"]
OVER = {"deleting", "deleted", "gone", "discontinued"}


@pytest.fixture
def verda(settings: Any, fake_worker: FakeWorker) -> Iterator[FakeVerda]:
    with FakeVerda() as fake:
        fake.edge.patience_seconds = 0
        set_up(settings, fake, fake_worker)
        settings.VERDA_ATTEMPTS = 1
        yield fake


@pytest.fixture
def ready(verda: FakeVerda, request: pytest.FixtureRequest) -> Deployment:
    deployment = deployed(getattr(request, "param", "serverless"))
    until(verda, deployment, lambda: deployment.state == State.READY)
    return deployment


def alive(verda: FakeVerda) -> list[Any]:
    return [one for one in verda.instances.values() if one.status not in OVER]


def revoke(verda: FakeVerda) -> str:
    """Returns the secret that was good."""
    good, verda.tokens.client_secret = verda.tokens.client_secret, "another-one"
    verda.tokens.revoke_all()
    return good


def stops(verda: FakeVerda, deployment: Deployment) -> None:
    services.stop_deployment(deployment)
    long_ago(deployment, 100)
    until(verda, deployment, lambda: deployment.state == State.STOPPED)


# ---- credentials ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("ready", KINDS, indirect=True)
def test_with_its_credentials_revoked_it_speaks_on_and_says_so(verda: FakeVerda, ready: Deployment) -> None:
    good = revoke(verda)
    for _ in range(3):
        passes(verda, 60, ready)
        assert ready.state == State.READY
        assert ready.workers.get().state == Worker.State.READY
        assert ready.error_code == "unauthorized_request"
        assert "Verda answered 401" in ready.error_message
        assert words.is_stuck(ready)
        assert "credentials" in words.what_to_do(ready.error_code)
    verda.tokens.client_secret = good
    passes(verda, 60, ready)
    assert (ready.state, ready.error_code) == (State.READY, "")
    stops(verda, ready)


def test_a_stop_waits_for_credentials(verda: FakeVerda, ready: Deployment) -> None:
    good = revoke(verda)
    services.stop_deployment(ready)
    long_ago(ready, 100)
    for _ in range(2):
        passes(verda, 60, ready)
    assert (ready.state, ready.error_code) == (State.STOPPING, "unauthorized_request")
    verda.tokens.client_secret = good
    until(verda, ready, lambda: ready.state == State.STOPPED)
    assert not verda.containers


def test_a_platform_that_is_not_set_up_any_more_says_so(
    verda: FakeVerda, ready: Deployment, settings: Any
) -> None:
    settings.VERDA_CLIENT_ID = ""
    look(ready)
    assert (ready.state, ready.error_code) == (State.READY, "not_set_up")
    settings.VERDA_CLIENT_ID = verda.client_id
    look(ready)
    assert ready.error_code == ""


# ---- clocks ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("year", [2026, 2029])
def test_clocks_that_differ_do_no_harm(settings: Any, fake_worker: FakeWorker, kind: str, year: int) -> None:
    """Verda's stands in 2027, and its tokens expire long before ours think so."""
    with FakeVerda() as verda, time_machine.travel(f"{year}-03-01", tick=True):
        verda.edge.patience_seconds = 0
        set_up(settings, verda, fake_worker)
        verda.tokens.expires_in = 3600
        deployment = deployed(kind)
        until(verda, deployment, lambda: deployment.state == State.READY)
        verda.clock.advance(7200)
        services.restart_deployment(deployment)
        until(verda, deployment, lambda: deployment.state == State.READY)
        stops(verda, deployment)
        assert not [run for run in Run.objects.all() if run.ended_at is None or run.ended_at < run.started_at]


# ---- what is paid for and not there ---------------------------------------------------------------------
def test_what_is_said_to_be_deleted_and_bills_on_shows_in_the_bill(verda: FakeVerda) -> None:
    """Its API shows nothing of it any more, but the balance goes down."""
    deployment = deployed(scaling=Scaling(min_replicas=1, max_replicas=1))
    until(verda, deployment, lambda: deployment.state == State.READY)
    verda.faults.add("/container-deployments/*", "DELETE", kind="bills_on")
    stops(verda, deployment)
    bills.check_bills()
    bill = verda.bill()
    verda.clock.advance(24 * 3600)
    assert verda.bill() > bill + 1
    [check] = bills.check_bills()
    assert check.is_off


def test_what_verda_does_not_end_is_said_and_ended_again(verda: FakeVerda, ready: Deployment) -> None:
    verda.durations.deleting = 3600
    services.stop_deployment(ready)
    long_ago(ready, 100)
    passes(verda, 1, ready)
    assert ready.state == State.STOPPING
    assert not words.is_stuck(ready)
    long_ago(ready, reconciliation.STOP_DEADLINE_SECONDS + 1)
    passes(verda, 1, ready)
    assert (ready.state, ready.error_code) == (State.STOPPING, "still_there")
    assert words.is_stuck(ready)
    assert verda.state.kept["secrets"]
    verda.clock.advance(4000)
    until(verda, ready, lambda: ready.state == State.STOPPED)
    assert not verda.state.kept["secrets"]


def test_one_that_sleeps_keeps_no_replica(verda: FakeVerda) -> None:
    deployment = deployed(scaling=Scaling(min_replicas=1, max_replicas=2, scale_down_delay_seconds=30))
    until(verda, deployment, lambda: deployment.state == State.READY)
    services.sleep_deployment(deployment)
    long_ago(deployment)
    passes(verda, 1, deployment)
    bill = verda.bill()
    passes(verda, 100, deployment)
    before = verda.bill()
    passes(verda, 3600, deployment)
    assert verda.bill() == before >= bill
    assert not Run.objects.filter(ended_at=None).exists()


def test_a_container_that_falls_ill_while_it_serves_is_noticed(verda: FakeVerda, ready: Deployment) -> None:
    there = verda.containers[f"vf-{ready.pk.hex}"]
    look(ready)
    there.becomes("unhealthy")
    Deployment.objects.update(last_used_at=timezone.now())
    passes(verda, 1, ready)
    assert (ready.state, ready.workers.get().state) == (State.DEGRADED, Worker.State.LOST)
    assert "unhealthy" in ready.error_message
    there.becomes("healthy")
    passes(verda, 1, ready)
    assert ready.state == State.READY


def test_one_that_somebody_deleted_at_verda_is_made_anew(verda: FakeVerda, ready: Deployment) -> None:
    verda.containers.clear()
    passes(verda, 1, ready)
    assert ready.state == State.DEGRADED
    until(verda, ready, lambda: ready.state == State.READY)
    assert len(verda.containers) == 1


# ---- machines -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ready", ["dedicated"], indirect=True)
def test_what_cannot_be_given_back_keeps_no_other_from_being_rented(
    verda: FakeVerda, ready: Deployment
) -> None:
    [first] = alive(verda)
    verda.reclaim(first.id)
    verda.faults.add("/instances", "PUT", times=100, kind="forbidden")
    passes(verda, 1, ready)
    assert len(alive(verda)) == 1
    until(verda, ready, lambda: ready.workers.filter(state="ready").exists())
    verda.faults.clear()
    until(verda, ready, lambda: (ready.state, ready.error_code) == (State.READY, ""))
    assert len(alive(verda)) == 1


@pytest.mark.parametrize("ready", ["dedicated"], indirect=True)
def test_an_answer_that_does_not_say_whose_machines_they_are_rents_none(
    verda: FakeVerda, ready: Deployment
) -> None:
    verda.faults.add("/instances", "GET", times=6, kind="missing_fields", names=("hostname",))
    for _ in range(3):
        passes(verda, 10, ready)
        assert ready.state == State.READY
    assert "hostname" in ready.error_message
    verda.faults.clear()
    passes(verda, 10, ready)
    assert ready.error_code == ""
    assert len(alive(verda)) == 1


def test_what_was_given_back_is_no_loss(verda: FakeVerda) -> None:
    """Stopped and started again, or scaled down and up, as often as anybody likes."""
    many = reconciliation.REPLACEMENTS_AN_HOUR + 1
    deployment = deployed("dedicated", scaling=Scaling.fixed(many))
    until(verda, deployment, lambda: deployment.state == State.READY)
    services.scale_deployment(deployment, scaling=Scaling.fixed(1))
    look(deployment)
    Worker.objects.filter(state="draining").update(state_changed_at=timezone.now() - timedelta(minutes=2))
    passes(verda, 1, deployment)
    passes(verda, 30, deployment)
    assert deployment.workers.filter(state="lost").count() == many - 1
    services.scale_deployment(deployment, scaling=Scaling.fixed(many))
    until(verda, deployment, lambda: len(alive(verda)) == many)
    stops(verda, deployment)
    services.start_deployment(deployment)
    until(verda, deployment, lambda: deployment.state == State.READY)


# ---- what is left over ----------------------------------------------------------------------------------
def failed(verda: FakeVerda, kind: str, name: str) -> Deployment:
    """One that has failed, and whose end Verda refuses."""
    deployment = deployed(kind)
    Deployment.objects.filter(pk=deployment.pk).update(name=name)
    look(deployment)
    services.transition(
        deployment, to=State.FAILED, reason="Refused.", error_code="forbidden", error_message="Refused."
    )
    return deployment


def test_one_that_cannot_be_ended_keeps_no_other_from_it(verda: FakeVerda) -> None:
    first, second = failed(verda, "serverless", "one"), failed(verda, "serverless", "two")
    for stubborn, other in ((first, second), (second, first)):
        verda.faults.clear()
        path = f"/container-deployments/vf-{stubborn.pk.hex}"
        verda.faults.add(path, "DELETE", times=100, kind="forbidden")
        orphans.remove_orphans()
        assert f"vf-{stubborn.pk.hex}" in verda.containers or stubborn is second
        assert f"vf-{other.pk.hex}" not in verda.containers
    verda.faults.clear()


@pytest.mark.parametrize("ready", ["dedicated"], indirect=True)
def test_machines_go_where_containers_are_refused(verda: FakeVerda, ready: Deployment) -> None:
    """Credentials may do the one and not the other."""
    verda.faults.add("/container-deployments/*", "DELETE", times=100, kind="forbidden")
    services.stop_deployment(ready)
    long_ago(ready, 100)
    passes(verda, 1, ready)
    assert alive(verda) == []
    assert (ready.state, ready.error_code) == (State.STOPPING, "forbidden_action")


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_and_scripts_of_a_creation_that_was_cut_off_go(verda: FakeVerda, kind: str) -> None:
    deployment = deployed(kind)
    verda.faults.add("/container-deployments", "POST", kind="forbidden")
    verda.faults.add("/instances", "POST", kind="forbidden")
    for path in ("/secrets/*", "/scripts/*"):
        verda.faults.add(path, "DELETE", kind="server_error")
    look(deployment)
    verda.faults.clear()
    assert deployment.state == State.FAILED
    kept = verda.state.kept
    assert kept["secrets"] or kept["scripts"]
    verda_setup.forget_lists()
    orphans.remove_orphans()
    assert not kept["secrets"]
    assert not kept["scripts"]


def test_the_runs_of_what_is_gone_and_failed_end(verda: FakeVerda, ready: Deployment) -> None:
    look(ready)
    assert Run.objects.filter(ended_at=None).exists()
    services.transition(ready, to=State.FAILED, reason="No.", error_code="no", error_message="No.")
    verda.containers.clear()
    verda_setup.forget_lists()
    for _ in range(2):  # its secrets first
        orphans.remove_orphans()
    assert not Run.objects.filter(ended_at=None).exists()
