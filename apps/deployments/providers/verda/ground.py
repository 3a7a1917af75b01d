"""What both kinds of deployments at Verda share: lists that are read once for many, hardware, variables."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from apps.deployments.gpus import GPUS
from apps.deployments.gpus import Gpu as KnownGpu
from apps.deployments.providers.base import ProviderError, Wanted
from apps.deployments.providers.verda.client import VerdaClient
from apps.deployments.providers.verda.errors import VerdaError
from apps.deployments.providers.verda.names import Names
from apps.deployments.providers.verda.types import Gpu

LIST_SECONDS = 5.0
HARDWARE_SECONDS = 300.0
_T = TypeVar("_T")


class Kept(Generic[_T]):
    """The last answer to a question, asked again when it is too old; one caller asks for all."""

    def __init__(self, ask: Callable[[], _T], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._answer: tuple[float, _T] | None = None

    def get(self, *, fresh: bool = False) -> _T:
        with self._lock:
            now = time.monotonic()
            if not fresh and self._answer is not None and now - self._answer[0] < self._seconds:
                return self._answer[1]
            answer = self._ask()
            self._answer = (now, answer)
            return answer


@dataclass(frozen=True, slots=True)
class Settings:
    """`default_image` is what runs where a deployment names none; only there is `own` set, which our
    workers need and nobody else may know. Requests to containers carry what `inference_key` says, which
    Verda's console issues. Machines serve on `worker_port`. Images of containers are fetched with
    `registry_credentials`, which Verda keeps under that name; without, as anybody may."""

    prefix: str = "vf"
    default_image: str = ""
    own: Mapping[str, str] = field(default_factory=dict, repr=False)
    inference_key: Callable[[], str] = str
    worker_port: int = 8000
    registry_credentials: str = ""
    machine_image: str = "ubuntu-24.04-cuda-12.8-open-docker"


class Ground:
    """Of one process."""

    def __init__(self, client: VerdaClient, settings: Settings) -> None:
        self.client = client
        self.settings = settings
        self.names = Names(settings.prefix)
        self.containers = Kept(client.list_container_deployments, LIST_SECONDS)
        self.machines = Kept(client.list_instances, LIST_SECONDS)
        self.hardware: Kept[list[Gpu]] = Kept(client.get_available_gpus, HARDWARE_SECONDS)

    def image(self, wanted: Wanted) -> str:
        image = wanted.machine.image or self.settings.default_image
        if not image:
            raise ProviderError(
                "No image is set for workers at Verda. Build one from gpu_worker/Dockerfile, push it, and "
                "name it in DEFAULT_WORKER_IMAGE, or give the deployment an image of its own.",
                code="no_image",
                permanent=True,
            )
        return image

    def gpu(self, wanted: Wanted) -> Gpu:
        """The hardware that is meant, as Verda calls it."""
        machine = wanted.machine
        known = GPUS.get(machine.gpu)
        if known is None:
            raise ProviderError("Choose a GPU for it.", code="no_gpu", permanent=True)
        for fresh in (False, True):
            found = find(self.hardware.get(fresh=fresh), known, machine.gpu_count)
            if found is not None and (found.compute_name if machine.kind == "serverless" else True):
                return found
        what = f"{machine.gpu_count} × {known.label}"
        if found is None:
            raise ProviderError(
                f"Verda has no machine with {what}. Choose another GPU.", code="no_such_gpu", permanent=True
            )
        raise ProviderError(
            f"Verda lists no {what} for containers at the moment; it is asked again.",
            code="no_capacity",
            permanent=False,
        )

    def environment(self, wanted: Wanted) -> dict[str, str]:
        """The variables of its workers that are no secrets."""
        return dict(wanted.machine.environment) | {
            "ENGINE": wanted.engine,
            "WORKER_ENV": "production",
            "GENERATION": str(wanted.generation),
        }

    def secrets(self, wanted: Wanted) -> dict[str, str]:
        secrets = dict(wanted.machine.secrets)
        if not wanted.machine.image:
            secrets |= self.settings.own
        if wanted.machine.token:
            # The older image knows it by the other name.
            secrets |= {"WORKER_TOKEN": wanted.machine.token, "API_KEY": wanted.machine.token}
        return secrets


def find(gpus: list[Gpu], known: KnownGpu, count: int) -> Gpu | None:
    """Verda's row for so many of a GPU of our catalogue. Prefers one that can be had."""
    single = next((gpu for gpu in gpus if gpu.instance_type == known.instance_type), None)
    if single is None or count == 1:
        return single
    same = [
        gpu
        for gpu in gpus
        if gpu.model == single.model and gpu.count == count and gpu.memory_gb == single.memory_gb * count
    ]
    return max(same, key=lambda gpu: (gpu.serverless_available, bool(gpu.spot_locations)), default=None)


def translated(error: VerdaError) -> ProviderError:
    return ProviderError(
        error.message,
        code=error.code,
        permanent=error.permanent,
        retry_after_seconds=error.retry_after_seconds,
    )
