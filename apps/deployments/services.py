"""Create, start, restart, sleep, wake, pause, stop, delete deployments; the rest is `reconciliation`'s."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.errors import Conflict, InvalidRequest
from apps.deployments import notices, patience, timeline
from apps.deployments.conditions import price_of, require_budget, require_room
from apps.deployments.models import Deployment, Worker
from apps.deployments.specification import Hardware, Scaling, check_name
from apps.deployments.states import AT_REST, State, is_allowed
from apps.deployments.timeline import Actor

SCALING_FIELDS = tuple(field.name for field in dataclasses.fields(Scaling))
ENDING = frozenset({State.DRAINING, State.STOPPING})


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
    by: Actor = None,
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
    timeline.write(deployment, from_state=current, to_state=to, reason=reason, by=by)
    for name, value in values.items():
        setattr(deployment, name, value)


@transaction.atomic
def create_deployment(
    *,
    organization: Organization | None,
    name: str,
    engine: str,
    provider: str = Deployment.Provider.LOCAL,
    kind: str = Deployment.Kind.DEDICATED,
    scaling: Scaling | None = None,
    hardware: Hardware | None = None,
    by: Actor = None,
    reason: str = "Created.",
) -> Deployment:
    """A deployment on its way to ready; without an organization it is shared by all.

    Without `scaling` it has one replica. Raises `InvalidRequest`, and `Conflict`: `name_taken`,
    `too_many_deployments`.
    """
    scaling, hardware = scaling or Scaling.fixed(1), hardware or Hardware()
    deployment = Deployment(
        organization=organization,
        name=check_name(name),
        provider=_one_of(provider, Deployment.Provider.values, "provider"),
        kind=_one_of(kind, Deployment.Kind.values, "kind"),
        engine=_one_of(engine, Deployment.Engine.values, "engine"),
        # The first start shows that it can speak; what nobody uses sleeps after its delay.
        desired_replicas=max(1, scaling.min_replicas),
        image=hardware.image,
        gpu=hardware.gpu,
        gpu_count=hardware.gpu_count,
        is_spot=hardware.is_spot,
        location=hardware.location,
        environment=dict(hardware.environment),
        price_per_hour=price_of(provider, kind, hardware),
    )
    scaling.check(kind)
    hardware.check_new(provider)
    _set_scaling(deployment, scaling)
    deployment.keep_secrets(hardware.secrets)
    if provider != Deployment.Provider.LOCAL:
        deployment.worker_token = secrets.token_urlsafe(32)  # this machine's are made with its processes
    require_budget(organization)
    require_room(organization)
    try:
        with transaction.atomic():
            deployment.save(force_insert=True)
    except IntegrityError:
        raise Conflict(f"There is already a deployment named {deployment.name}.", code="name_taken") from None
    timeline.write(deployment, from_state="", to_state=State.REQUESTED, reason=reason, by=by)
    _look_soon(deployment)
    return deployment


@transaction.atomic
def scale_deployment(deployment: Deployment, *, scaling: Scaling, by: Actor = None) -> None:
    """Other bounds and delays, at once; what is outside the new bounds follows at the next look."""
    scaling.check(deployment.kind)
    _set_scaling(deployment, scaling)
    wanted = deployment.desired_replicas
    if wanted:
        wanted = min(max(wanted, scaling.min_replicas), scaling.max_replicas)
    reason = f"Scales between {scaling.min_replicas} and {scaling.max_replicas} replicas."
    want_replicas(deployment, wanted, reason=reason, by=by, also=SCALING_FIELDS)


@transaction.atomic
def want_replicas(
    deployment: Deployment,
    replicas: int,
    *,
    reason: str,
    by: Actor = None,
    also: Iterable[str] = (),
) -> None:
    """Has that many from now on, and a line in the timeline; saves the fields of `also` with it.

    Raises `StateChanged` where somebody else scaled or moved it first.
    """
    now = timezone.now()
    values = {name: getattr(deployment, name) for name in also}
    values |= {"desired_replicas": replicas, "busy_since": None, "idle_since": None, "updated_at": now}
    if replicas > deployment.desired_replicas:
        values["scaled_up_at"] = now
    as_seen = Deployment.objects.filter(
        pk=deployment.pk, state=deployment.state, desired_replicas=deployment.desired_replicas
    )
    if as_seen.update(**values) != 1:
        raise StateChanged(f"{deployment.name} was changed meanwhile. Look again.")
    for name, value in values.items():
        setattr(deployment, name, value)
    state = deployment.state
    timeline.write(deployment, from_state=state, to_state=state, reason=reason, by=by)
    _look_soon(deployment)


@transaction.atomic
def update_deployment(
    deployment: Deployment, *, hardware: Hardware, by: Actor = None, reason: str = ""
) -> None:
    """Another image, environment or secrets: new workers are ready before the old ones end.

    One that is at rest or sleeps takes it up when it starts.
    """
    hardware.check(deployment.provider)
    deployment.image = hardware.image
    deployment.environment = dict(hardware.environment)
    deployment.keep_secrets(hardware.secrets)
    deployment.generation += 1
    deployment.save(update_fields=["image", "environment", "secrets", "generation", "updated_at"])
    if is_allowed(State(deployment.state), State.UPDATING) and deployment.desired_replicas:
        transition(deployment, to=State.UPDATING, reason=reason or "Its workers are updated.", by=by)
    _look_soon(deployment)


@transaction.atomic
def start_deployment(deployment: Deployment, *, by: Actor = None, reason: str = "Started.") -> None:
    """Brings back one that is stopped, has failed, sleeps or is paused."""
    from_rest = deployment.state in {State.ASLEEP, State.PAUSED}
    if deployment.deleted_at is not None:
        raise Conflict(f"{deployment.name} was deleted.", code="deleted")
    require_budget(deployment.organization)
    if not from_rest:
        require_room(deployment.organization)
    transition(deployment, to=State.STARTING if from_rest else State.REQUESTED, reason=reason, by=by)
    _want(deployment, max(1, deployment.min_replicas))
    _look_soon(deployment)


@transaction.atomic
def sleep_deployment(deployment: Deployment, *, by: Actor = None, reason: str = "Put to sleep.") -> None:
    """Scales it to nothing until a request wakes it: what is being spoken is spoken to its end first."""
    transition(deployment, to=State.ASLEEP, reason=reason, by=by)
    _want(deployment, 0)
    _take_traffic(deployment)
    _look_soon(deployment)


@transaction.atomic
def pause_deployment(deployment: Deployment, *, by: Actor = None, reason: str = "Paused.") -> None:
    """Scales it to nothing until somebody resumes it, whatever is asked of it meanwhile."""
    transition(deployment, to=State.PAUSED, reason=reason, by=by)
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
def restart_deployment(deployment: Deployment, *, by: Actor = None) -> None:
    """Has every worker replaced by a new one."""
    transition(deployment, to=State.UPDATING, reason="Restart: every worker is replaced.", by=by)
    Deployment.objects.filter(pk=deployment.pk).update(generation=F("generation") + 1)
    deployment.refresh_from_db(fields=["generation"])
    _look_soon(deployment)


@transaction.atomic
def stop_deployment(
    deployment: Deployment, *, by: Actor = None, reason: str = "Stopped.", by_budget: bool = False
) -> None:
    """Ends it: what is being spoken is spoken to its end first. One that has no workers yet just stops.

    `by_budget` marks it as one to start again once there is room; one that was paused nobody waits for.
    """
    deployment.stopped_by_budget = by_budget and deployment.state != State.PAUSED
    to = State.DRAINING if is_allowed(State(deployment.state), State.DRAINING) else State.STOPPING
    transition(deployment, to=to, reason=reason, by=by)
    deployment.save(update_fields=["stopped_by_budget"])
    _take_traffic(deployment)
    _look_soon(deployment)


@transaction.atomic
def delete_deployment(deployment: Deployment, *, by: Actor = None) -> None:
    """Stops it and hides it once nothing is left of it. Its row stays: usage tells of it.

    What is deleted already stays so.
    """
    if deployment.deleted_at is not None:
        return
    if State(deployment.state) not in AT_REST | ENDING:
        stop_deployment(deployment, by=by, reason="Deleted.")
    elif deployment.state == State.FAILED:
        stop_deployment(deployment, by=by, reason="Deleted: what may be left of it is removed.")
    elif deployment.state in ENDING:
        _look_soon(deployment)
    deployment.deleted_at = timezone.now()
    deployment.secrets = ""
    deployment.save(update_fields=["deleted_at", "secrets", "updated_at"])


def _want(deployment: Deployment, replicas: int) -> None:
    deployment.desired_replicas, deployment.stopped_by_budget = replicas, False
    deployment.busy_since = deployment.idle_since = None
    deployment.save(update_fields=["desired_replicas", "busy_since", "idle_since", "stopped_by_budget"])


def _take_traffic(deployment: Deployment) -> None:
    now = timezone.now()
    deployment.workers.exclude(state__in=[Worker.State.LOST, Worker.State.DRAINING]).update(
        state=Worker.State.DRAINING, state_changed_at=now, updated_at=now
    )


def _look_soon(deployment: Deployment) -> None:
    patience.forget(deployment)
    transaction.on_commit(partial(notices.look_soon, deployment.pk))


def _set_scaling(deployment: Deployment, scaling: Scaling) -> None:
    for name in SCALING_FIELDS:
        setattr(deployment, name, getattr(scaling, name))


def _one_of(value: str, choices: list[str], param: str) -> str:
    if value not in choices:
        raise InvalidRequest(f"The {param} must be one of {', '.join(choices)}.", param=param)
    return value
