"""Create, start, restart, sleep, wake, stop deployments. What follows is done by `reconciliation`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.core.errors import Conflict, InvalidRequest
from apps.deployments import notices
from apps.deployments.models import NAME_PATTERN, Deployment, DeploymentEvent, Worker
from apps.deployments.states import SERVING, State, is_allowed

SHARED_NAME = "shared-cpu"
SHARED_ENGINE = Deployment.Engine.CPU
MAX_REPLICAS = 64


class IllegalTransition(Conflict):
    """The table of states has no such step."""

    code = "illegal_transition"


class StateChanged(Conflict):
    """Somebody else moved the deployment first; the caller's copy is out of date."""

    code = "state_changed"


@transaction.atomic
def transition(
    deployment: Deployment,
    *,
    to: State,
    reason: str,
    by: User | None = None,
    error_code: str = "",
    error_message: str = "",
) -> None:
    """One step of a deployment's life and its event, both or neither; the copy given is brought up to date.

    Raises `IllegalTransition`, and `StateChanged` where the row is no longer in the state of the copy.
    """
    current = State(deployment.state)
    if not is_allowed(current, to):
        raise IllegalTransition(f"A deployment that is {current.value} cannot become {to.value}.")
    now = timezone.now()
    values = {
        "state": to,
        "state_changed_at": now,
        "error_code": error_code,
        "error_message": error_message,
        "updated_at": now,
    }
    if Deployment.objects.filter(pk=deployment.pk, state=current).update(**values) != 1:
        raise StateChanged(f"{deployment.name} is no longer {current.value}. Look again.")
    DeploymentEvent.objects.create(
        deployment=deployment, from_state=current, to_state=to, reason=reason, actor=by
    )
    for name, value in values.items():
        setattr(deployment, name, value)


@transaction.atomic
def create_deployment(
    *,
    organization: Organization | None,
    name: str,
    engine: str,
    replicas: int = 1,
    provider: str = Deployment.Provider.LOCAL,
    kind: str = Deployment.Kind.DEDICATED,
    by: User | None = None,
    reason: str = "Created.",
) -> Deployment:
    """A deployment on its way to ready; without an organization it is shared by all."""
    deployment = Deployment(
        organization=organization,
        name=_clean_name(name),
        provider=_one_of(provider, Deployment.Provider.values, "provider"),
        kind=_one_of(kind, Deployment.Kind.values, "kind"),
        engine=_one_of(engine, Deployment.Engine.values, "engine"),
        min_replicas=_clean_replicas(replicas),
        max_replicas=replicas,
        desired_replicas=replicas,
    )
    try:
        with transaction.atomic():
            deployment.save(force_insert=True)
    except IntegrityError:
        raise Conflict(f"There is already a deployment named {deployment.name}.", code="name_taken") from None
    DeploymentEvent.objects.create(deployment=deployment, to_state=State.REQUESTED, reason=reason, actor=by)
    _look_soon(deployment)
    return deployment


@transaction.atomic
def start_deployment(deployment: Deployment, *, by: User | None = None, reason: str = "Started.") -> None:
    """Brings back one that is stopped, has failed or sleeps."""
    to = State.STARTING if deployment.state == State.ASLEEP else State.REQUESTED
    transition(deployment, to=to, reason=reason, by=by)
    if not deployment.desired_replicas:
        _want(deployment, max(1, deployment.min_replicas))
    _look_soon(deployment)


@transaction.atomic
def sleep_deployment(
    deployment: Deployment, *, by: User | None = None, reason: str = "Put to sleep."
) -> None:
    """Scales it to nothing until a request wakes it: what is being spoken is spoken to its end first."""
    transition(deployment, to=State.ASLEEP, reason=reason, by=by)
    _want(deployment, 0)
    _take_traffic(deployment)
    _look_soon(deployment)


def wake_deployment(deployment_id: UUID, *, reason: str = "A request woke it.") -> bool:
    """Has a sleeping deployment start its workers again; a paused one stays paused.

    True where this call woke it, False where it is not asleep: of many at once, in whatever processes, one
    wakes it.
    """
    asleep = Deployment.objects.filter(pk=deployment_id, state=State.ASLEEP).first()
    if asleep is None:
        return False
    try:
        start_deployment(asleep, reason=reason)
    except StateChanged:
        return False
    return True


@transaction.atomic
def restart_deployment(deployment: Deployment, *, by: User | None = None) -> None:
    """Has every worker replaced by a new one."""
    transition(deployment, to=State.UPDATING, reason="Restart: every worker is replaced.", by=by)
    Deployment.objects.filter(pk=deployment.pk).update(generation=F("generation") + 1)
    deployment.refresh_from_db(fields=["generation"])
    _look_soon(deployment)


@transaction.atomic
def stop_deployment(deployment: Deployment, *, by: User | None = None, reason: str = "Stopped.") -> None:
    """Ends it: what is being spoken is spoken to its end first. One that has no workers yet just stops."""
    to = State.DRAINING if is_allowed(State(deployment.state), State.DRAINING) else State.STOPPING
    transition(deployment, to=to, reason=reason, by=by)
    _take_traffic(deployment)
    _look_soon(deployment)


def ensure_shared_deployment() -> Deployment:
    """The deployment that everybody may use: made at the first start, tried again after a failure.

    One that staff stopped stays stopped. Safe to call from several processes at once.
    """
    deployment: Deployment | None = Deployment.objects.shared().filter(name=SHARED_NAME).first()
    if deployment is None:
        try:
            return create_deployment(
                organization=None,
                name=SHARED_NAME,
                engine=SHARED_ENGINE,
                reason="First start of the platform.",
            )
        except Conflict:
            found: Deployment = Deployment.objects.shared().get(name=SHARED_NAME)
            deployment = found
    if deployment.state == State.FAILED:
        try:
            start_deployment(deployment, reason="Tried again at the start of the platform.")
        except StateChanged:
            deployment.refresh_from_db()
    return deployment


def forget_workers(*, provider: str, seen_before: datetime) -> int:
    """Takes traffic from a provider's workers that were last seen before then; returns how many."""
    return (
        Worker.objects.filter(deployment__provider=provider)
        .exclude(state=Worker.State.LOST)
        .filter(Q(last_seen_at=None) | Q(last_seen_at__lt=seen_before), created_at__lt=seen_before)
        .update(state=Worker.State.LOST, message="Its provider was started anew.", updated_at=timezone.now())
    )


def speech_status() -> str:
    """Whether a request can be spoken now: ready, asleep (a request would wake a worker), or none."""
    if Worker.objects.filter(state=Worker.State.READY, deployment__state__in=SERVING).exists():
        return "ready"
    return "asleep" if Deployment.objects.filter(state=State.ASLEEP).exists() else "none"


def claim(deployment_id: UUID, *, seconds: float) -> Deployment | None:
    """The deployment, for this caller alone until `release` or for that long; None where another has it."""
    # The database's clock: those of the machines that claim may differ.
    free = Q(claimed_until=None) | Q(claimed_until__lt=Now())
    claimed = Deployment.objects.filter(free, pk=deployment_id).update(
        claimed_until=Now() + timedelta(seconds=seconds)
    )
    return Deployment.objects.get(pk=deployment_id) if claimed else None


def release(deployment: Deployment) -> None:
    """Gives a claim back; one that ran out and was taken by another stays the other's."""
    Deployment.objects.filter(pk=deployment.pk, claimed_until=deployment.claimed_until).update(
        claimed_until=None
    )


def _want(deployment: Deployment, replicas: int) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(desired_replicas=replicas)
    deployment.desired_replicas = replicas


def _take_traffic(deployment: Deployment) -> None:
    deployment.workers.exclude(state=Worker.State.LOST).update(
        state=Worker.State.DRAINING, updated_at=timezone.now()
    )


def _look_soon(deployment: Deployment) -> None:
    transaction.on_commit(partial(notices.look_soon, deployment.pk))


def _clean_name(name: str) -> str:
    name = name.strip()
    if len(name) > 63 or not re.fullmatch(NAME_PATTERN, name):
        raise InvalidRequest(
            "A name has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at its ends.",
            param="name",
        )
    return name


def _clean_replicas(replicas: int) -> int:
    if not 1 <= replicas <= MAX_REPLICAS:
        raise InvalidRequest(f"Choose 1 to {MAX_REPLICAS} replicas.", param="replicas")
    return replicas


def _one_of(value: str, choices: list[str], param: str) -> str:
    if value not in choices:
        raise InvalidRequest(f"The {param} must be one of {', '.join(choices)}.", param=param)
    return value
