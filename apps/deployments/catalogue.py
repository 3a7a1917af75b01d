"""What can be spoken, and by which workers: one reading of the database, held in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeVar
from uuid import UUID

from apps.deployments import older_image
from apps.deployments.models import Budget, Deployment, Worker
from apps.deployments.provider_keys import inference_key
from apps.deployments.providers import typical_start_seconds
from apps.deployments.states import ENDED, SERVING, State
from apps.voices.resolving import suspended_platform_voices
from gpu_worker.protocol import PROTOCOL, TOKEN_HEADER

_T = TypeVar("_T")

CLONE: Final = "clone"


@dataclass(frozen=True, slots=True)
class Need:
    """What one request asks of a worker.

    `organization_id` says whose own deployments count, `None` for a test key, which has none; `tenant` takes
    turns in the queue. Without a `voice` a cloned one is meant, which any worker with the feature `clone`
    can speak.
    """

    organization_id: UUID | None
    tenant: UUID
    model: str
    voice: str | None
    features: frozenset[str] = frozenset()
    engine: str | None = None
    may_use_shared: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """A ready worker. `headers` are to be sent with each request; they may hold its token.

    `capacity` is how many requests it takes at once, those that wait inside it included.
    """

    worker_id: UUID
    deployment_id: UUID
    url: str
    engine: str
    models: tuple[str, ...]
    voices: frozenset[str]
    languages: tuple[str, ...]
    features: frozenset[str]
    capacity: int
    protocol: int
    is_shared: bool
    headers: Mapping[str, str] = field(repr=False, compare=False)
    reported_in_flight: int = field(compare=False)
    last_seen_at: datetime = field(compare=False)


@dataclass(frozen=True, slots=True)
class Known:
    """A deployment that nobody ended; `models` is empty while none of its workers was ever ready.

    `start_seconds` is how long a wake takes: by its own history, else as its provider's do as a rule.
    """

    id: UUID
    organization_id: UUID | None
    engine: str
    state: State
    models: tuple[str, ...]
    voices: tuple[str, ...]
    languages: tuple[str, ...]
    features: frozenset[str]
    is_ready: bool
    start_seconds: float
    created_at: datetime
    state_changed_at: datetime

    @property
    def is_serving(self) -> bool:
        return self.state in SERVING


def can_speak(spoken: Target | Known, need: Need) -> bool:
    return (
        need.model in spoken.models
        and (need.voice is None or need.voice in spoken.voices)
        and need.features <= spoken.features
        and need.engine in (None, spoken.engine)
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that exists for an organization, with what all its deployments together can do."""

    model: str
    engine: str
    voices: tuple[str, ...]
    languages: tuple[str, ...]
    features: frozenset[str]
    is_ready: bool
    is_shared: bool
    created_at: datetime


@dataclass(frozen=True)
class Table:
    """Targets and deployments by owner, `None` being the platform; deployments oldest first.

    Of those `exhausted`, whose budget is used up, there are none.
    """

    targets: Mapping[UUID | None, tuple[Target, ...]] = field(default_factory=dict)
    deployments: Mapping[UUID | None, tuple[Known, ...]] = field(default_factory=dict)
    exhausted: frozenset[UUID] = frozenset()

    def target_groups(self, need: Need) -> tuple[tuple[Target, ...], ...]:
        """The workers that may be asked, one's own before the shared ones."""
        shared = self.targets.get(None, ()) if need.may_use_shared else ()
        if need.organization_id is None:
            return (shared,)
        return (self.targets.get(need.organization_id, ()), shared)

    def deployments_for(self, need: Need) -> tuple[Known, ...]:
        """The deployments that could speak it once they are ready, one's own before the shared ones."""
        own = self.deployments.get(need.organization_id, ()) if need.organization_id else ()
        shared = self.deployments.get(None, ()) if need.may_use_shared else ()
        return tuple(known for known in own + shared if can_speak(known, need))

    def visible_deployments(
        self, organization_id: UUID | None, *, may_use_shared: bool = True
    ) -> tuple[Known, ...]:
        """Shared ones first, so that a new deployment of one's own never changes a default in silence."""
        shared = self.deployments.get(None, ()) if may_use_shared else ()
        if organization_id is None:
            return shared
        return shared + self.deployments.get(organization_id, ())

    def offers(self, organization_id: UUID | None, *, may_use_shared: bool = True) -> list[Offer]:
        """Each model of each engine once, also while no worker of it is ready."""
        by_name: dict[tuple[str, str], list[Known]] = {}
        for known in self.visible_deployments(organization_id, may_use_shared=may_use_shared):
            for model in known.models:
                by_name.setdefault((model, known.engine), []).append(known)
        return [_offer(model, engine, group) for (model, engine), group in by_name.items()]

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
            exhausted=self.exhausted,
        )


def read_table() -> Table:
    """Four queries, one more for the key of a provider's front; what staff suspended is in none of it.

    Raises Django's database errors, and `cryptography.fernet.InvalidToken`.
    """
    suspended = suspended_platform_voices()
    keys = lru_cache(inference_key)
    deployments: dict[UUID | None, list[Known]] = {}
    targets: dict[UUID | None, list[Target]] = {}
    workers = Worker.objects.filter(state=Worker.State.READY, deployment__state__in=SERVING).order_by("id")
    ready: dict[UUID, list[Worker]] = {}
    for worker in workers:
        ready.setdefault(worker.deployment_id, []).append(worker)
    exhausted = frozenset(Budget.objects.exclude(exhausted_at=None).values_list("organization_id", flat=True))
    for deployment in Deployment.objects.exclude(state__in=ENDED).order_by("id"):
        if deployment.organization_id in exhausted:
            continue
        if deployment.state == State.FAILED and not deployment.capabilities:
            continue  # what it would have spoken will never be known
        # It may have come to serve between the two queries: workers read before then do not count.
        found = ready.get(deployment.id, []) if deployment.state in SERVING else []
        owner = deployment.organization_id
        deployments.setdefault(owner, []).append(_known(deployment, suspended, is_ready=bool(found)))
        targets.setdefault(owner, []).extend(_target(deployment, worker, suspended, keys) for worker in found)
    return Table(targets=_frozen(targets), deployments=_frozen(deployments), exhausted=exhausted)


def _known(deployment: Deployment, suspended: frozenset[str], *, is_ready: bool) -> Known:
    capabilities = deployment.capabilities
    return Known(
        id=deployment.id,
        organization_id=deployment.organization_id,
        engine=deployment.engine,
        state=State(deployment.state),
        models=tuple(capabilities.get("models", ())),
        voices=tuple(name for name in capabilities.get("voices", ()) if name not in suspended),
        languages=tuple(capabilities.get("languages", ())),
        features=frozenset(capabilities.get("features", ())),
        is_ready=is_ready,
        start_seconds=deployment.start_seconds
        or typical_start_seconds(deployment.provider, deployment.engine),
        created_at=deployment.created_at,
        state_changed_at=deployment.state_changed_at,
    )


def _target(
    deployment: Deployment, worker: Worker, suspended: frozenset[str], keys: Callable[[str], str]
) -> Target:
    capabilities: dict[str, Any] = worker.capabilities
    headers = {_token_header(capabilities): worker.token} if worker.token else {}
    if deployment.sleeps_alone:
        headers["Authorization"] = f"Bearer {keys(deployment.provider)}"
    assert worker.last_seen_at is not None  # noqa: S101 - a constraint of the table
    return Target(
        worker_id=worker.id,
        deployment_id=deployment.id,
        url=worker.url,
        engine=deployment.engine,
        models=tuple(capabilities["models"]),
        voices=frozenset(capabilities["voices"]) - suspended,
        languages=tuple(capabilities.get("languages", ())),
        features=frozenset(capabilities["features"]),
        capacity=_capacity_of_all(deployment) if deployment.sleeps_alone else _capacity(capabilities),
        protocol=capabilities.get("protocol", PROTOCOL),
        is_shared=deployment.is_shared,
        headers=MappingProxyType(headers),
        reported_in_flight=worker.in_flight,
        last_seen_at=worker.last_seen_at,
    )


def _capacity(capabilities: Mapping[str, Any]) -> int:
    """How many requests its queue holds; as many as it speaks at once where it has none."""
    stated = capabilities.get("queue", {}).get("capacity")
    is_count = type(stated) is int and stated >= 1
    return int(stated if is_count else capabilities["max_batch"])


def _capacity_of_all(deployment: Deployment) -> int:
    """Behind one address are as many replicas as its provider may start; its queue holds the rest."""
    return deployment.concurrency * deployment.max_replicas * 2


def _offer(model: str, engine: str, group: list[Known]) -> Offer:
    return Offer(
        model=model,
        engine=engine,
        voices=_once(name for known in group for name in known.voices),
        languages=_once(name for known in group for name in known.languages),
        features=frozenset().union(*(known.features for known in group)),
        is_ready=any(known.is_ready for known in group),
        is_shared=any(known.organization_id is None for known in group),
        created_at=min(known.created_at for known in group),
    )


def _token_header(capabilities: Mapping[str, Any]) -> str:
    is_older = capabilities.get("protocol") == older_image.PROTOCOL
    return older_image.TOKEN_HEADER if is_older else TOKEN_HEADER


def _frozen(by_owner: dict[UUID | None, list[_T]]) -> Mapping[UUID | None, tuple[_T, ...]]:
    return MappingProxyType({owner: tuple(items) for owner, items in by_owner.items()})


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
