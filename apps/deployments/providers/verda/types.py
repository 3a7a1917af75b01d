"""What is asked of Verda and what it answers, as values. Prices are per hour, in the currency asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

Currency = Literal["usd", "eur"]
OnSpotDiscontinue = Literal["keep_detached", "move_to_trash", "delete_permanently"]


class InstanceAction(StrEnum):
    BOOT = "boot"
    START = "start"
    SHUTDOWN = "shutdown"
    FORCE_SHUTDOWN = "force_shutdown"
    DELETE = "delete"
    DISCONTINUE = "discontinue"
    DELETE_STUCK = "delete_stuck"
    HIBERNATE = "hibernate"


# ---- what is asked for ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EnvironmentVariable:
    """A plain value, or with `is_secret` the name of a secret that Verda keeps."""

    name: str
    value: str = field(repr=False)
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class ScratchMount:
    """Disk of the deployment's own; Verda refuses a size."""

    path: str


@dataclass(frozen=True, slots=True)
class MemoryMount:
    """Shared memory at /dev/shm."""

    size_mb: int


@dataclass(frozen=True, slots=True)
class SharedMount:
    """A shared file system that exists."""

    path: str
    volume_id: str


Mount = ScratchMount | MemoryMount | SharedMount


@dataclass(frozen=True, slots=True)
class Scaling:
    """How many replicas there are and when. With `min_replicas` 0 none runs until a request arrives."""

    min_replicas: int = 0
    max_replicas: int = 1
    scale_down_delay_seconds: int = 900
    scale_up_delay_seconds: int = 30
    concurrent_requests_per_replica: int = 1
    queue_message_ttl_seconds: int = 300
    queue_load_threshold: int = 1


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """A container deployment to create. `compute_name` and `compute_size` are those of a `Gpu`;
    `registry_credentials` names credentials that Verda keeps, empty for a public image."""

    name: str
    image: str
    compute_name: str
    compute_size: int = 1
    is_spot: bool = False
    port: int = 8000
    health_path: str = "/health"
    environment: tuple[EnvironmentVariable, ...] = ()
    mounts: tuple[Mount, ...] = ()
    registry_credentials: str = ""
    command: tuple[str, ...] = ()
    scaling: Scaling = Scaling()


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """A machine to rent. `on_spot_discontinue` is what becomes of its disk when a spot machine is
    reclaimed: one that is kept is paid for."""

    instance_type: str
    image: str
    hostname: str
    description: str
    location_code: str
    ssh_key_ids: tuple[str, ...] = ()
    startup_script_id: str | None = None
    is_spot: bool = False
    os_volume_name: str = "os"
    os_volume_size_gb: int = 50
    on_spot_discontinue: OnSpotDiscontinue = "delete_permanently"


# ---- what Verda answers -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContainerDeployment:
    """`endpoint_base_url` is where its requests go; `container_name` was assigned by Verda."""

    name: str
    image: str
    container_name: str
    endpoint_base_url: str
    compute_name: str
    compute_size: int
    is_spot: bool
    created_at: datetime | None
    environment: tuple[EnvironmentVariable, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerReplica:
    id: str
    status: str
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Instance:
    """`ip` is empty until the machine has one. A `status` of `discontinued` is a spot machine reclaimed."""

    id: str
    status: str
    hostname: str
    description: str
    instance_type: str
    image: str
    location_code: str
    ip: str
    is_spot: bool
    price_per_hour: Decimal | None
    created_at: datetime | None
    startup_script_id: str
    ssh_key_ids: tuple[str, ...]
    os_volume_id: str
    volume_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InstanceActionResult:
    """What became of an action on one machine; `error` holds Verda's words where `ok` is false."""

    instance_id: str
    action: str
    status: str
    ok: bool
    error: str = ""
    status_code: int | None = None


@dataclass(frozen=True, slots=True)
class Gpu:
    """One kind of hardware: as a serverless deployment, as a machine, or both.

    `compute_name` and `compute_size` are what a deployment asks for, empty and 0 where Verda offers none.
    `instance_type` is what a machine asks for, empty where there is none. `memory_gb` is that of all its
    GPUs together. A price is `None` where Verda names none. The locations are those where a machine can
    be had now.
    """

    name: str
    model: str
    count: int
    memory_gb: int
    currency: str
    compute_name: str = ""
    compute_size: int = 0
    serverless_available: bool = False
    serverless_price: Decimal | None = None
    serverless_spot_price: Decimal | None = None
    instance_type: str = ""
    instance_price: Decimal | None = None
    instance_spot_price: Decimal | None = None
    locations: tuple[str, ...] = ()
    spot_locations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PastPrice:
    """What a machine on demand cost at a time; `None` where Verda names none."""

    at: datetime | None
    fixed: Decimal | None
    dynamic: Decimal | None


@dataclass(frozen=True, slots=True)
class Balance:
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Location:
    code: str
    name: str
    country_code: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret's name; Verda never gives its value back."""

    name: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class RegistryCredential:
    name: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class SshKey:
    id: str
    name: str
    public_key: str


@dataclass(frozen=True, slots=True)
class StartupScript:
    """`script` may hold secrets."""

    id: str
    name: str
    script: str = field(repr=False)
