"""What the platform asks of whoever runs workers. No Django, no network."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class ProviderError(Exception):
    """The provider refused or did not answer; `message` holds its own words and what to do.

    `permanent` tells that asking again will not help; `code` is a stable word for programs;
    `retry_after_seconds` is how long the provider asks to be let alone.
    """

    def __init__(
        self, message: str, *, code: str, permanent: bool, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.permanent = permanent
        self.retry_after_seconds = retry_after_seconds


class ReplicaState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Machine:
    """What each replica is to run on, and how many there may be where the provider scales by itself.

    `environment` and `secrets` are pairs of a name and its value; `token` is what the workers shall ask of
    their callers. `concurrency` is how many requests one replica speaks at once.
    """

    kind: str = "dedicated"
    image: str = ""
    gpu: str = ""
    gpu_count: int = 1
    is_spot: bool = True
    location: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    token: str = field(default="", repr=False)
    min_replicas: int = 1
    max_replicas: int = 1
    scale_up_delay_seconds: int = 30
    scale_down_delay_seconds: int = 900
    concurrency: int = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a deployment should have. Another `generation` or `engine` has every replica replaced.

    One that `is_paused` runs nothing, whoever asks. While it `keeps_older`, replicas of older generations
    stay, since new ones cannot speak yet. Those `released` speak for nobody any more and may go.
    """

    deployment_id: UUID
    name: str
    engine: str
    replicas: int
    generation: int
    is_paused: bool = False
    keeps_older: bool = False
    released: frozenset[str] = frozenset()
    machine: Machine = Machine()

    @property
    def digest(self) -> str:
        """The same for the same wishes, in whatever process; says nothing of the secrets in it."""
        fields = dataclasses.asdict(self) | {"released": sorted(self.released)}
        return hashlib.sha256(json.dumps(fields, default=str, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Replica:
    """One worker at the provider; `id` is never used for another one.

    `url` is empty until its address is known, `token` where it asks for none. `message` tells what went
    wrong with it, or with the one before it in its place. To one that `sleeps_alone` even a question costs
    money: it may start a machine. `inference_key` is what the provider's front asks for, beside the token.
    """

    id: str
    state: ReplicaState
    generation: int
    url: str = ""
    token: str = field(default="", repr=False)
    message: str = ""
    sleeps_alone: bool = False
    inference_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Observation:
    """A deployment as the provider sees it: what there is, and whether that is what it should be.

    `billed` names what is paid for behind an address that hides it; `None` where that was not asked, or where
    the replicas are all there is.
    """

    replicas: tuple[Replica, ...]
    is_as_wanted: bool = True
    billed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """Of one GPU of the catalogue, in US dollars an hour; `None` where the provider names none."""

    gpu: str
    on_demand: Decimal | None = None
    spot: Decimal | None = None
    serverless: Decimal | None = None
    serverless_spot: Decimal | None = None
    locations: tuple[str, ...] = ()
    spot_locations: tuple[str, ...] = ()


class Provider(Protocol):
    """Every call is safe to repeat, and raises `ProviderError`."""

    def start_deadline_seconds(self, engine: str) -> float:
        """How long a deployment of it may take from the first `ensure` to its last replica."""

    def typical_start_seconds(self, engine: str) -> float:
        """How long it takes as a rule: what callers are told while nothing better is known."""

    def scales_alone(self, kind: str) -> bool:
        """Whether the provider itself starts and ends replicas by what there is to do."""

    def ensure(self, wanted: Wanted) -> None:
        """Makes it so that the deployment exists and is on its way to what is wanted."""

    def describe(self, wanted: Wanted, *, closely: bool = True) -> Observation | None:
        """What there is of it; `None` where there is nothing. Costs nothing and starts nothing.

        Not `closely`, a provider that is slow to ask tells what it told of all at once a moment ago.
        """

    def delete(self, deployment_id: UUID) -> None:
        """Begins to take it down, replicas drained first; one that does not exist is no error."""

    def list_ids(self) -> Set[UUID]:
        """All deployments that the provider has for this platform."""

    def prices(self) -> Sequence[Price]:
        """Of the GPUs that it rents now; none where it asks for no money."""

    def balance(self) -> Decimal | None:
        """What is left of what was paid in, in US dollars; `None` where it asks for no money."""
