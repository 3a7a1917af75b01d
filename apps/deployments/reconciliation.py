"""One look at a deployment: what is wanted, what the provider has, what the workers say, and the next step.

Each look holds a claim on its deployment, and does nothing that a second look could not repeat: a task that
dies anywhere is made good by the next one.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from django.utils import timezone

from apps.deployments import autoscaling, claims, runs, samples, services, starts, wishes, workers
from apps.deployments.models import Deployment, Worker
from apps.deployments.patience import Patience
from apps.deployments.probing import Address, probe_all
from apps.deployments.providers.base import Observation, Provider, ProviderError, Wanted
from apps.deployments.states import State
from apps.deployments.wishes import DRAIN_DEADLINE_SECONDS, ROUTERS_NOTICE_SECONDS
from apps.deployments.workers import Health

logger = structlog.get_logger(__name__)

# Longer than the slowest look: some calls to a provider that hangs, and one round of probes.
CLAIM_SECONDS = 15.0
REMOTE_CLAIM_SECONDS = 180.0
BUSY_SECONDS = 0.5
NEXT_LOOK_SECONDS = 1.0
# Workers that still crash then do not only need longer.
CRASHING_DEADLINE_SECONDS = 90.0
LOST_KEPT_SECONDS = 3600.0
STOP_DEADLINE_SECONDS = 600.0
STILL_THERE = "Its provider was told to end it again and again, and still has it: it may charge for it."
# One that had requests lately is looked at closely, since what befell it matters to somebody.
USED_LATELY_SECONDS = 60.0
# Machines of a deployment that may be replaced in an hour; more of them are a fault, and cost money.
REPLACEMENTS_AN_HOUR = 8


def reconcile_deployment(deployment_id: UUID, *, by_schedule: bool = False) -> float | None:
    """One look. Returns in how many seconds another one is due, `None` where the schedule does.

    One `by_schedule` does not ask a provider that failed lately before its time.
    """
    deployment = claims.claim(deployment_id, seconds=_claim_seconds(deployment_id))
    if deployment is None:
        return BUSY_SECONDS if Deployment.objects.filter(pk=deployment_id).exists() else None
    patience = Patience(deployment, by_schedule=by_schedule)
    try:
        return _look(deployment, patience.provider())
    except services.StateChanged:
        return BUSY_SECONDS  # somebody pressed Stop meanwhile: what they want is done at the next look
    except ProviderError as error:  # this platform is not set up for it any more
        patience.failed(error)
        _note(deployment, error.code, error.message)
        return None
    finally:
        patience.remember()
        claims.release(deployment)


def forget_lost_workers() -> None:
    """Lost workers are shown for an hour."""
    before = timezone.now() - timedelta(seconds=LOST_KEPT_SECONDS)
    Worker.objects.filter(state=Worker.State.LOST, updated_at__lt=before).delete()


def _look(deployment: Deployment, provider: Provider) -> float | None:
    match State(deployment.state):
        case State.REQUESTED | State.PROVISIONING:
            return _provision(deployment, provider)
        case State.STARTING | State.READY | State.DEGRADED | State.UPDATING:
            return _watch(deployment, provider)
        case State.ASLEEP | State.PAUSED:
            return _rest(deployment, provider)
        case State.DRAINING:
            return _drain(deployment, provider)
        case State.STOPPING:
            return _stop(deployment, provider)
    return None


def _provision(deployment: Deployment, provider: Provider) -> float | None:
    if deployment.state == State.REQUESTED:
        services.transition(deployment, to=State.PROVISIONING, reason="The provider is asked for workers.")
    try:
        _tell(deployment, provider, wishes.wanted(deployment))
    except ProviderError as error:
        if error.permanent or _is_late(deployment, provider):
            _fail(deployment, provider, error.code, error.message)
            return None
        _note(deployment, error.code, error.message)
        return None
    services.transition(
        deployment, to=State.STARTING, reason="The provider has accepted; workers are starting."
    )
    return _watch(deployment, provider)


def _watch(deployment: Deployment, provider: Provider) -> float | None:
    if not deployment.desired_replicas:
        services.sleep_deployment(deployment, reason="No worker of it is wanted.")
        return _rest(deployment, provider)
    observation, trouble = _observe(deployment, provider)
    if observation is not None or trouble is None:
        runs.note(deployment, observation)
    health = workers.look(deployment, observation)
    if trouble is not None and health.ready < deployment.desired_replicas:
        health = health.because(trouble.code, trouble.message)
    again = _judge(deployment, provider, health, trouble)
    samples.note(deployment, ready=health.ready)
    if State(deployment.state) in {State.READY, State.DEGRADED}:
        _scale(deployment, provider, health, trouble)
    return again


def _scale(deployment: Deployment, provider: Provider, health: Health, trouble: ProviderError | None) -> None:
    """As many replicas as there is work for; as many as there are where the provider has no more."""
    if trouble is None:
        autoscaling.adjust(deployment, scales_alone=provider.scales_alone(deployment.kind))
    elif trouble.permanent and max(1, deployment.min_replicas) <= health.ready < deployment.desired_replicas:
        services.want_replicas(deployment, health.ready, reason=trouble.message)


def _observe(
    deployment: Deployment, provider: Provider, released: frozenset[str] | None = None
) -> tuple[Observation | None, ProviderError | None]:
    """What the provider has, told again where that is not what is wanted, and what went wrong meanwhile.

    Without an observation but with trouble, it is away; with neither, it has nothing.
    """
    wanted = wishes.wanted(deployment, released)
    closely = wanted.keeps_older or _is_to_be_watched(deployment)
    observation: Observation | None = None
    try:
        observation = provider.describe(wanted, closely=closely)
        is_as_wanted = observation is not None and observation.is_as_wanted
        if not is_as_wanted or deployment.told != wanted.digest:
            _tell(deployment, provider, wanted)
            observation = provider.describe(wanted)
    except ProviderError as error:
        return observation, error
    return observation, None


def _tell(deployment: Deployment, provider: Provider, wanted: Wanted) -> None:
    lost = workers.losses(deployment)
    if deployment.provider != Deployment.Provider.LOCAL and wanted.replicas and lost > REPLACEMENTS_AN_HOUR:
        raise ProviderError(
            f"{lost} of its machines were lost within an hour, so no more are rented for now. Look at their "
            "last words, or choose other hardware or machines on demand.",
            code="too_many_losses",
            permanent=False,
        )
    provider.ensure(wanted)
    deployment.told = wanted.digest
    Deployment.objects.filter(pk=deployment.pk).update(told=deployment.told)


def _is_to_be_watched(deployment: Deployment) -> bool:
    if State(deployment.state) not in {State.READY, State.ASLEEP, State.PAUSED}:
        return True
    since = timezone.now() - timedelta(seconds=USED_LATELY_SECONDS)
    is_used = deployment.last_used_at is not None and deployment.last_used_at > since
    # Until it was seen at nothing, it may cost money.
    return is_used or (deployment.sleeps_alone and runs.running(deployment).exists())


def _claim_seconds(deployment_id: UUID) -> float:
    is_here = Deployment.objects.filter(pk=deployment_id, provider=Deployment.Provider.LOCAL).exists()
    return CLAIM_SECONDS if is_here else REMOTE_CLAIM_SECONDS


def _judge(
    deployment: Deployment, provider: Provider, health: Health, trouble: ProviderError | None
) -> float | None:
    state = State(deployment.state)
    if health.ready >= deployment.desired_replicas:
        code, message = (trouble.code, trouble.message) if trouble else ("", "")
        if state is State.READY:
            # Its workers speak on, and whoever must mend its provider's trouble learns of it.
            _note(deployment, code, message)
        else:
            services.transition(
                deployment, to=State.READY, reason=health.summary, error_code=code, error_message=message
            )
            if state is State.STARTING:
                starts.remember(deployment)
        return None
    is_coming_up = state in {State.STARTING, State.UPDATING}
    is_hopeless = health.code == workers.INCOMPATIBLE or _is_late(deployment, provider, health.code)
    if is_coming_up and not is_hopeless:
        _note(deployment, health.code, health.message)
        return None
    if state is State.STARTING and health.ready == 0:
        _fail(deployment, provider, health.code, health.message)
        return None
    if state is State.DEGRADED or _is_growing(deployment, provider, health):
        _note(deployment, health.code, health.message)
        return None
    services.transition(
        deployment,
        to=State.DEGRADED,
        reason=f"{health.summary} {health.message}",
        error_code=health.code,
        error_message=health.message,
    )
    return None


def _is_growing(deployment: Deployment, provider: Provider, health: Health) -> bool:
    """Whether what is missing was asked for so lately that it may still be starting."""
    if not health.ready or deployment.scaled_up_at is None:
        return False
    seconds = provider.start_deadline_seconds(deployment.engine)
    return timezone.now() - deployment.scaled_up_at <= timedelta(seconds=seconds)


def _drain(deployment: Deployment, provider: Provider) -> float | None:
    """Waits until nothing is spoken any more, for a minute at most."""
    if _is_speaking(deployment):
        return NEXT_LOOK_SECONDS
    services.transition(deployment, to=State.STOPPING, reason="Nothing is being spoken any more.")
    return _stop(deployment, provider)


def _rest(deployment: Deployment, provider: Provider) -> float | None:
    """Has the provider run nothing for it, once what was being spoken when it fell asleep is spoken.

    What sleeps is asked for nothing: whether it could speak was learned while it was awake.
    """
    if _is_speaking(deployment):
        return NEXT_LOOK_SECONDS
    observation, trouble = _observe(deployment, provider, released=wishes.ids(wishes.draining(deployment)))
    if trouble is not None:
        _note(deployment, trouble.code, trouble.message)
        return None
    runs.note(deployment, observation)
    doing = "is paused" if deployment.state == State.PAUSED else "sleeps"
    workers.lose_those_gone(deployment, observation, doing)
    _note(deployment, "", "")
    return NEXT_LOOK_SECONDS if observation and observation.replicas else None


def _is_speaking(deployment: Deployment) -> bool:
    """Whether its workers may still have requests; they have a minute for them at most."""
    draining = list(deployment.workers.exclude(state=Worker.State.LOST).exclude(url="").defer("token"))
    since = timezone.now() - deployment.state_changed_at
    if not draining or since >= timedelta(seconds=DRAIN_DEADLINE_SECONDS):
        return False
    if since < timedelta(seconds=ROUTERS_NOTICE_SECONDS):
        return True
    if deployment.sleeps_alone:
        return autoscaling.need_of(deployment, timezone.now()).requests > 0
    return any(probe.in_flight for probe in probe_all([Address(worker.url) for worker in draining]))


def _stop(deployment: Deployment, provider: Provider) -> float | None:
    try:
        provider.delete(deployment.id)
        if provider.describe(wishes.wanted(deployment)) is not None:
            if timezone.now() - deployment.state_changed_at > timedelta(seconds=STOP_DEADLINE_SECONDS):
                _note(deployment, "still_there", STILL_THERE)
            return NEXT_LOOK_SECONDS
    except ProviderError as error:
        _note(deployment, error.code, error.message)
        return None
    runs.note(deployment, None)
    workers.lose_all(deployment, "was stopped")
    services.transition(deployment, to=State.STOPPED, reason="The provider has nothing left of it.")
    return None


def _fail(deployment: Deployment, provider: Provider, code: str, message: str) -> None:
    services.transition(deployment, to=State.FAILED, reason=message, error_code=code, error_message=message)
    workers.lose_all(deployment, "has failed")
    try:
        provider.delete(deployment.id)
        if provider.describe(wishes.wanted(deployment)) is None:
            runs.note(deployment, None)
    except ProviderError as error:
        logger.info("left for the next look at orphans", deployment=deployment.name, reason=error.message)


def _note(deployment: Deployment, code: str, message: str) -> None:
    """Words on the page without a change of state."""
    if (deployment.error_code, deployment.error_message) == (code, message):
        return
    Deployment.objects.filter(pk=deployment.pk, state=deployment.state).update(
        error_code=code, error_message=message, updated_at=timezone.now()
    )


def _is_late(deployment: Deployment, provider: Provider, code: str = "") -> bool:
    seconds = provider.start_deadline_seconds(deployment.engine)
    if code == workers.CRASHED:
        seconds = min(seconds, CRASHING_DEADLINE_SECONDS)
    return timezone.now() - deployment.state_changed_at > timedelta(seconds=seconds)
