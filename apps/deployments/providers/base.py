"""What the platform asks of whoever runs workers. No Django, no network."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class ProviderError(Exception):
    """The provider refused or did not answer; `message` holds its own words and what to do.

    `permanent` tells that asking again will not help; `code` is a stable word for programs.
    """

    def __init__(self, message: str, *, code: str, permanent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.permanent = permanent


class ReplicaState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a deployment should have. Another `generation` or `engine` has every replica replaced."""

    deployment_id: UUID
    name: str
    engine: str
    replicas: int
    generation: int


@dataclass(frozen=True, slots=True)
class Replica:
    """One worker at the provider; `id` is never used for another one.

    `url` is empty until its address is known, `token` where it asks for none. `message` tells what went
    wrong with it, or with the one before it in its place.
    """

    id: str
    state: ReplicaState
    generation: int
    url: str = ""
    token: str = field(default="", repr=False)
    message: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """A deployment as the provider sees it: what it was last told to have, and what there is."""

    wanted: Wanted
    replicas: tuple[Replica, ...]


class Provider(Protocol):
    """Every call is safe to repeat, and raises `ProviderError`."""

    def start_deadline_seconds(self, engine: str) -> float:
        """How long a deployment of it may take from the first `ensure` to its last replica."""

    def typical_start_seconds(self, engine: str) -> float:
        """How long it takes as a rule: what callers are told while nothing better is known."""

    def ensure(self, wanted: Wanted) -> None:
        """Makes it so that the deployment exists and is on its way to what is wanted."""

    def describe(self, deployment_id: UUID) -> Observation | None:
        """What there is; `None` once nothing is left of it."""

    def delete(self, deployment_id: UUID) -> None:
        """Begins to take it down, replicas drained first; one that does not exist is no error."""

    def list_ids(self) -> Set[UUID]:
        """All deployments that the provider has for this platform."""
