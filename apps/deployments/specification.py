"""What is asked of a new deployment, and the rules that hold before anything is made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from apps.core.errors import InvalidRequest
from apps.deployments.gpus import GPUS
from apps.deployments.models import NAME_PATTERN, Deployment

MAX_REPLICAS = 64
MAX_GPUS = 8
MAX_DELAY_SECONDS = 24 * 3600
MAX_CONCURRENT = 256
MAX_VARIABLES = 50
MAX_VALUE_CHARACTERS = 4096
# The platform's own to set.
RESERVED_VARIABLES = frozenset(
    {"ENGINE", "HOST", "PORT", "PORT_FILE", "WORKER_ENV", "WORKER_TOKEN", "DRAIN_SECONDS", "GENERATION"}
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:-]*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Scaling:
    """Between how many replicas, and how soon. Delays are in seconds.

    Without `concurrent_per_replica`, as many as its workers say that they speak at once.
    """

    min_replicas: int = 0
    max_replicas: int = 3
    scale_up_delay_seconds: int = 30
    scale_down_delay_seconds: int = 900
    concurrent_per_replica: int | None = None

    @classmethod
    def fixed(cls, replicas: int) -> Scaling:
        return cls(min_replicas=replicas, max_replicas=replicas)

    def check(self, kind: str) -> None:
        """Raises `InvalidRequest`."""
        _whole("max_replicas", self.max_replicas, 1, MAX_REPLICAS)
        _whole("min_replicas", self.min_replicas, 0, self.max_replicas)
        if kind == Deployment.Kind.DEDICATED and not self.min_replicas:
            raise InvalidRequest(
                "A dedicated instance runs at least one replica; a serverless container may sleep.",
                param="min_replicas",
            )
        _whole("scale_up_delay_seconds", self.scale_up_delay_seconds, 0, MAX_DELAY_SECONDS)
        _whole("scale_down_delay_seconds", self.scale_down_delay_seconds, 0, MAX_DELAY_SECONDS)
        if self.concurrent_per_replica is not None:
            _whole("concurrent_per_replica", self.concurrent_per_replica, 1, MAX_CONCURRENT)


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where it runs and what of."""

    image: str = ""
    gpu: str = ""
    gpu_count: int = 1
    is_spot: bool = True
    location: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def check(self, provider: str) -> None:
        """Raises `InvalidRequest`."""
        if self.gpu and self.gpu not in GPUS:
            raise InvalidRequest(f"The gpu must be one of {', '.join(GPUS)}.", param="gpu")
        _whole("gpu_count", self.gpu_count, 1, MAX_GPUS)
        check_image(self.image)
        check_variables(self.environment, "environment")
        check_variables(self.secrets, "secrets")
        if twice := sorted(set(self.environment) & set(self.secrets)):
            raise InvalidRequest(f"{twice[0]} is both in the open and secret.", param="secrets")
        if provider == Deployment.Provider.LOCAL:
            self._check_here()

    def check_new(self, provider: str) -> None:
        """As `check`, for what is to be rented anew."""
        self.check(provider)
        if provider != Deployment.Provider.LOCAL and not self.gpu:
            raise InvalidRequest("Choose a GPU: there are no machines without one.", param="gpu")

    @property
    def list_price(self) -> Decimal | None:
        """In US dollars an hour; the list has prices for spot alone."""
        is_listed = self.gpu and self.is_spot
        return GPUS[self.gpu].spot_list_price * self.gpu_count if is_listed else None

    def _check_here(self) -> None:
        """This machine runs our own worker as one of its processes: nobody else's code or variables."""
        for name, value in (
            ("image", self.image),
            ("location", self.location),
            ("environment", self.environment),
            ("secrets", self.secrets),
        ):
            if value:
                raise InvalidRequest(f"This machine's workers take no {name}.", param=name)


def check_name(name: str) -> str:
    name = name.strip()
    if len(name) > 63 or not re.fullmatch(NAME_PATTERN, name):
        raise InvalidRequest(
            "A name has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at its ends.",
            param="name",
        )
    return name


def check_image(image: str) -> None:
    """Only a tag that stays what it is: providers refuse `latest`, and so would anyone who debugs one."""
    if not image:
        return
    if not _IMAGE.fullmatch(image) or len(image) > 255 or "//" in image:
        raise InvalidRequest("Name an image with its tag, such as ghcr.io/acme/speech:1.2.0.", param="image")
    if image.endswith(":latest"):
        raise InvalidRequest("The tag latest changes under you: name a version.", param="image")


def check_variables(values: Mapping[str, str], param: str) -> None:
    if len(values) > MAX_VARIABLES:
        raise InvalidRequest(f"At most {MAX_VARIABLES} variables.", param=param)
    for name, value in values.items():
        if not _VARIABLE.fullmatch(name):
            raise InvalidRequest(
                f"{name[:64]!r} is no name of a variable: letters, digits and underscores.", param=param
            )
        if name.upper() in RESERVED_VARIABLES:
            raise InvalidRequest(f"{name} is set by the platform.", param=param)
        if len(value) > MAX_VALUE_CHARACTERS or "\0" in value:
            raise InvalidRequest(
                f"{name} is longer than {MAX_VALUE_CHARACTERS} characters, or holds a null.", param=param
            )


def _whole(param: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidRequest(f"Choose {low} to {high} for {param}.", param=param)
