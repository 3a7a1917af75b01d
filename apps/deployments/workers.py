"""Keeps the rows of a deployment's workers true to what the provider has and what the workers say."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from apps.deployments.models import Deployment, Worker
from apps.deployments.probing import TIMEOUT_SECONDS, Address, Probe, probe_all
from apps.deployments.providers.base import Observation, Replica, ReplicaState
from apps.deployments.voices import tell_of_voices

INCOMPATIBLE = "worker_incompatible"
CRASHED = "worker_crashed"
# A worker under load may miss a look or two; one that refuses connections is gone at once.
TIMEOUTS_FORGIVEN_SECONDS = 10.0
# A front that starts a machine holds the question meanwhile; to ask anew is to queue up anew.
COLD_START_SECONDS = 25.0
# How it is said that a worker went because we ended it.
GIVEN_BACK = "It was given back."
WITH_ITS_DEPLOYMENT = "Its deployment "

_S = Worker.State
_CODES = {
    _S.INCOMPATIBLE: INCOMPATIBLE,
    _S.LOST: CRASHED,
    _S.UNREACHABLE: "worker_unreachable",
    _S.STARTING: "worker_starting",
}


@dataclass(frozen=True, slots=True)
class Health:
    """How many of the wanted workers are ready, of the wanted generation, and what ails the others."""

    ready: int
    wanted: int
    code: str = ""
    message: str = ""

    @property
    def summary(self) -> str:
        return f"{self.ready} of {self.wanted} workers ready."

    def because(self, code: str, message: str) -> Health:
        return dataclasses.replace(self, code=code, message=message)


def look(deployment: Deployment, observation: Observation | None) -> Health:
    """Asks the workers and writes down what is so.

    Without an observation (the provider is away) the workers known so far are asked.
    """
    known = {worker.provider_id: worker for worker in deployment.workers.defer("token")}
    replicas = observation.replicas if observation else [_as_replica(row) for row in known.values()]
    asked = [replica for replica in replicas if _is_to_be_asked(replica, known.get(replica.id))]
    answers = probe_all([_address(replica) for replica in asked])
    probes = {replica.id: probe for replica, probe in zip(asked, answers, strict=True)}
    rows = [
        _write(deployment, replica, known.get(replica.id), probes.get(replica.id)) for replica in replicas
    ]
    gone = [row for name, row in known.items() if name not in {replica.id for replica in replicas}]
    _lose((row for row in gone if row.state == _S.DRAINING), GIVEN_BACK)
    _lose((row for row in gone if row.state != _S.DRAINING), "The provider has it no more.")
    _learn_capabilities(deployment, rows)
    return _health(deployment, rows)


def _is_to_be_asked(replica: Replica, row: Worker | None) -> bool:
    """Not where it could start a machine for nothing: one that spoke is believed, as its requests tell."""
    if not replica.url or replica.state is ReplicaState.CRASHED:
        return False
    is_known_to_speak = row is not None and row.state == _S.READY and row.generation == replica.generation
    return not (replica.sleeps_alone and is_known_to_speak)


def _address(replica: Replica) -> Address:
    seconds = COLD_START_SECONDS if replica.sleeps_alone else TIMEOUT_SECONDS
    return Address(replica.url, replica.token, replica.inference_key, timeout_seconds=seconds)


def lose_those_gone(deployment: Deployment, observation: Observation | None, doing: str) -> None:
    """Writes down whom the provider has no more. Asks nobody: a question may start what sleeps."""
    there = {replica.id for replica in observation.replicas} if observation else set()
    gone = (row for row in deployment.workers.defer("token", "url") if row.provider_id not in there)
    _lose(gone, f"{WITH_ITS_DEPLOYMENT}{doing}.")


def lose_all(deployment: Deployment, doing: str) -> None:
    """No worker of it is there any more."""
    _lose(deployment.workers.defer("token", "url"), f"{WITH_ITS_DEPLOYMENT}{doing}.")


def losses(deployment: Deployment) -> int:
    """How many went lately that we had not ended ourselves."""
    lost = deployment.workers.filter(state=_S.LOST)
    return lost.exclude(message=GIVEN_BACK).exclude(message__startswith=WITH_ITS_DEPLOYMENT).count()


def _write(deployment: Deployment, replica: Replica, row: Worker | None, probe: Probe | None) -> Worker:
    row = row or Worker(deployment=deployment, provider_id=replica.id, token=replica.token)
    state, message = _judge(row, replica, probe)
    is_news = (row.state, row.url, row.message) != (state, replica.url, message)
    if not is_news and probe is None and not row._state.adding:
        return row
    if row.state != state:
        row.state_changed_at = timezone.now()
    row.state, row.message, row.url = state, message, replica.url
    row.generation = replica.generation
    if probe is not None and probe.is_ready:
        row.capabilities = dict(probe.capabilities)
        row.in_flight = probe.in_flight
        row.last_seen_at = probe.asked_at
    if row._state.adding:
        row.save(force_insert=True)
    else:
        row.save(
            update_fields=[
                "state",
                "state_changed_at",
                "message",
                "url",
                "generation",
                "capabilities",
                "in_flight",
                "last_seen_at",
                "updated_at",
            ]
        )
    return row


def _judge(row: Worker, replica: Replica, probe: Probe | None) -> tuple[Worker.State, str]:
    if replica.state is ReplicaState.CRASHED:
        return _S.LOST, replica.message
    if replica.state is ReplicaState.DRAINING:
        return _S.DRAINING, ""
    if probe is None:
        is_believed = replica.sleeps_alone and replica.state is ReplicaState.RUNNING
        return (_S.READY, "") if is_believed and row.state == _S.READY else (_S.STARTING, replica.message)
    if probe.is_ready:
        return _S.READY, ""
    if not probe.is_compatible:
        return _S.INCOMPATIBLE, probe.message
    if probe.timed_out and row.state == _S.READY and _was_seen_lately(row):
        return _S.READY, ""
    if probe.answered or replica.state is ReplicaState.STARTING:
        return _S.STARTING, replica.message or probe.message
    return _S.UNREACHABLE, probe.message


def _was_seen_lately(row: Worker) -> bool:
    since = timezone.now() - timedelta(seconds=TIMEOUTS_FORGIVEN_SECONDS)
    return row.last_seen_at is not None and row.last_seen_at > since


def _as_replica(row: Worker) -> Replica:
    state = ReplicaState.CRASHED if row.state == _S.LOST else ReplicaState.RUNNING
    return Replica(
        row.provider_id,
        state,
        row.generation,
        url=row.url,
        message=row.message,
        sleeps_alone=row.deployment.sleeps_alone,
    )


def _lose(rows: Iterable[Worker], message: str) -> None:
    ids = [row.pk for row in rows if row.state != _S.LOST]
    now = timezone.now()
    Worker.objects.filter(pk__in=ids).update(
        state=_S.LOST, state_changed_at=now, message=message, updated_at=now
    )


def _learn_capabilities(deployment: Deployment, rows: Iterable[Worker]) -> None:
    """What can be spoken stays known while no worker is ready."""
    ready = next((row for row in rows if row.state == _S.READY), None)
    if ready is None:
        return
    capabilities = {name: value for name, value in ready.capabilities.items() if name != "queue"}
    if capabilities != deployment.capabilities:
        deployment.capabilities = capabilities
        deployment.save(update_fields=["capabilities", "updated_at"])
        tell_of_voices()


def _health(deployment: Deployment, rows: list[Worker]) -> Health:
    current = [row for row in rows if row.generation == deployment.generation]
    ready = sum(row.state == _S.READY for row in current)
    health = Health(ready=ready, wanted=deployment.desired_replicas)
    for state, code in _CODES.items():
        found = next((row for row in current if row.state == state), None)
        if found is not None:
            return health.because(
                code, found.message or f"{found.provider_id} is {found.get_state_display()}."
            )
    return health.because("workers_missing", f"The provider runs {len(current)} of {health.wanted} workers.")
