"""What can be spoken, and by which workers: one reading of the database, held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from apps.core.errors import NotFound, Unavailable
from apps.deployments import older_image
from apps.deployments.models import Deployment, Worker
from apps.deployments.states import ENDED, SERVING, State
from gpu_worker.protocol import PROTOCOL, TOKEN_HEADER

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and a voice that exist for an organization, whether or not a worker is ready now."""

    model: str
    voice: str


@dataclass(frozen=True, slots=True)
class Target:
    """A ready worker. `headers` are to be sent with each request; they may hold its token."""

    worker_id: UUID
    deployment_id: UUID
    url: str
    engine: str
    models: tuple[str, ...]
    voices: frozenset[str]
    features: frozenset[str]
    max_batch: int
    protocol: int
    is_shared: bool
    headers: Mapping[str, str] = field(repr=False, compare=False)
    reported_in_flight: int = field(compare=False)
    last_seen_at: datetime = field(compare=False)

    def can_speak(self, model: str, voice: str, features: frozenset[str]) -> bool:
        return model in self.models and voice in self.voices and features <= self.features


@dataclass(frozen=True, slots=True)
class Known:
    """A deployment that nobody ended; `models` is empty while none of its workers was ever ready."""

    id: UUID
    organization_id: UUID | None
    engine: str
    models: tuple[str, ...]
    voices: tuple[str, ...]
    is_serving: bool
    is_ready: bool


@dataclass(frozen=True)
class Table:
    """Targets and deployments by owner, `None` being the platform; deployments oldest first."""

    targets: Mapping[UUID | None, tuple[Target, ...]] = field(default_factory=dict)
    deployments: Mapping[UUID | None, tuple[Known, ...]] = field(default_factory=dict)

    def visible_targets(self, organization_id: UUID | None) -> tuple[Target, ...]:
        return _own_and_shared(self.targets, organization_id)

    def visible_deployments(self, organization_id: UUID | None) -> tuple[Known, ...]:
        """Shared ones first, so that a new deployment of one's own never changes a default in silence."""
        shared = self.deployments.get(None, ())
        if organization_id is None:
            return shared
        return shared + self.deployments.get(organization_id, ())

    def default_for(self, organization_id: UUID | None) -> Choice | None:
        """Model and first voice of the first ready deployment, shared ones first; else of the first known."""
        spoken = [
            known for known in self.visible_deployments(organization_id) if known.models and known.voices
        ]
        first = next((known for known in spoken if known.is_ready), next(iter(spoken), None))
        return Choice(first.models[0], first.voices[0]) if first else None

    def of_engine(self, engine: str) -> Table:
        """The part of the table that one engine speaks."""
        return Table(
            targets={
                owner: tuple(target for target in targets if target.engine == engine)
                for owner, targets in self.targets.items()
            },
            deployments={
                owner: tuple(known for known in deployments if known.engine == engine)
                for owner, deployments in self.deployments.items()
            },
        )

    def resolve(self, *, organization_id: UUID | None, model: str | None, voice: str | None) -> Choice:
        """The model and voice meant, defaults filled in.

        Raises `NotFound` (`model_not_found`, `voice_not_found`) for a name that no deployment has, and
        `Unavailable` (`no_worker_ready`) while it cannot be known.
        """
        visible = self.visible_deployments(organization_id)
        if model is None and voice is None:
            default = self.default_for(organization_id)
            if default is None:
                raise _nobody_ready()
            return default
        is_settled = bool(visible) and all(known.models for known in visible)
        with_model = [known for known in visible if model is None or model in known.models]
        if not with_model:
            raise _unknown("model", str(model), _names(visible, "models"), is_settled=is_settled)
        with_voice = [known for known in with_model if known.voices and voice in (None, *known.voices)]
        if not with_voice:
            raise _unknown("voice", str(voice), _names(with_model, "voices"), is_settled=is_settled)
        # What serves goes before what is paused or failed; readiness of the moment does not decide.
        chosen = min(with_voice, key=lambda known: not known.is_serving)
        return Choice(model or chosen.models[0], voice or chosen.voices[0])


def read_table() -> Table:
    """Two queries. Raises Django's database errors, and `cryptography.fernet.InvalidToken`."""
    deployments: dict[UUID | None, list[Known]] = {}
    targets: dict[UUID | None, list[Target]] = {}
    workers = Worker.objects.filter(state=Worker.State.READY, deployment__state__in=SERVING).order_by("id")
    ready: dict[UUID, list[Worker]] = {}
    for worker in workers:
        ready.setdefault(worker.deployment_id, []).append(worker)
    for deployment in Deployment.objects.exclude(state__in=ENDED).order_by("id"):
        if deployment.state == State.FAILED and not deployment.capabilities:
            continue  # what it would have spoken will never be known
        found = ready.get(deployment.id, [])
        owner = deployment.organization_id
        deployments.setdefault(owner, []).append(_known(deployment, is_ready=bool(found)))
        targets.setdefault(owner, []).extend(_target(deployment, worker) for worker in found)
    return Table(targets=_frozen(targets), deployments=_frozen(deployments))


def _known(deployment: Deployment, *, is_ready: bool) -> Known:
    return Known(
        id=deployment.id,
        organization_id=deployment.organization_id,
        engine=deployment.engine,
        models=tuple(deployment.capabilities.get("models", ())),
        voices=tuple(deployment.capabilities.get("voices", ())),
        is_serving=deployment.state in SERVING,
        is_ready=is_ready,
    )


def _target(deployment: Deployment, worker: Worker) -> Target:
    capabilities: dict[str, Any] = worker.capabilities
    assert worker.last_seen_at is not None  # noqa: S101 - a constraint of the table
    return Target(
        worker_id=worker.id,
        deployment_id=deployment.id,
        url=worker.url,
        engine=deployment.engine,
        models=tuple(capabilities["models"]),
        voices=frozenset(capabilities["voices"]),
        features=frozenset(capabilities["features"]),
        max_batch=capabilities["max_batch"],
        protocol=capabilities.get("protocol", PROTOCOL),
        is_shared=deployment.is_shared,
        headers=MappingProxyType({_token_header(capabilities): worker.token} if worker.token else {}),
        reported_in_flight=worker.in_flight,
        last_seen_at=worker.last_seen_at,
    )


def _token_header(capabilities: Mapping[str, Any]) -> str:
    is_older = capabilities.get("protocol") == older_image.PROTOCOL
    return older_image.TOKEN_HEADER if is_older else TOKEN_HEADER


def _own_and_shared(
    by_owner: Mapping[UUID | None, tuple[Target, ...]], organization_id: UUID | None
) -> tuple[Target, ...]:
    shared = by_owner.get(None, ())
    return shared if organization_id is None else by_owner.get(organization_id, ()) + shared


def _frozen(by_owner: dict[UUID | None, list[_T]]) -> Mapping[UUID | None, tuple[_T, ...]]:
    return MappingProxyType({owner: tuple(items) for owner, items in by_owner.items()})


def _names(deployments: Iterable[Known], kind: str) -> list[str]:
    """Each name once, in the order of the deployments."""
    return list(dict.fromkeys(name for known in deployments for name in getattr(known, kind)))


def _unknown(param: str, name: str, names: list[str], *, is_settled: bool) -> NotFound | Unavailable:
    if not is_settled:
        return _nobody_ready()
    there_are = ", ".join(names) or "none"
    return NotFound(
        f"There is no {param} {name!r}. There are: {there_are}.", code=f"{param}_not_found", param=param
    )


def _nobody_ready() -> Unavailable:
    return Unavailable(
        "No speech worker is ready yet. Try again in a few seconds.",
        code="no_worker_ready",
        retry_after_seconds=2,
    )
