"""Verda as this platform is set up for it: credentials, names, images, and so many calls a second in all."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache

import redis
from django.conf import settings

from apps.core import redis_client
from apps.core.media import bucket_origin
from apps.deployments.provider_keys import inference_key
from apps.deployments.providers.base import ProviderError
from apps.deployments.providers.verda import Bounds, VerdaClient
from apps.deployments.providers.verda.ground import Settings
from apps.deployments.providers.verda.provider import VerdaProvider

_KEY = "verda:calls"
# A look holds a claim meanwhile, and another one comes soon.
_READ_SECONDS = 15.0
_BUDGET_SECONDS = 20.0


# The times of the last calls, newest first. A call may go where the one so many before it is a second old: in
# no second are there more, wherever it begins. Answers how long to wait, in microseconds by Redis's clock.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local calls = tonumber(ARGV[1])
local before = tonumber(redis.call('LINDEX', KEYS[1], calls - 1))
if before and now - before < 1000000 then return 1000000 - (now - before) end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], 0, calls - 1)
redis.call('EXPIRE', KEYS[1], 5)
return 0
"""


class SharedLimiter:
    """At most so many calls a second by all processes together; without Redis each process goes alone."""

    def __init__(self, calls_a_second: int) -> None:
        self._calls = calls_a_second

    def acquire(self) -> None:
        while (seconds := self._seconds_to_wait()) > 0:
            time.sleep(seconds)

    def _seconds_to_wait(self) -> float:
        try:
            with redis_client.connect() as connected:
                micros = int(connected.eval(_TAKE, 1, _KEY, str(self._calls)))
        except redis.RedisError:
            return 0.0
        return micros / 1_000_000


def forget_lists() -> None:
    """What this process keeps of Verda is read anew."""
    _provider.cache_clear()


def verda_provider() -> VerdaProvider:
    """Raises `ProviderError` without credentials."""
    if not settings.VERDA_CLIENT_ID:
        raise ProviderError(
            "This platform has no credentials for Verda: set VERDA_CLIENT_ID and VERDA_CLIENT_SECRET.",
            code="not_set_up",
            permanent=False,
        )
    return _provider(
        _Setup(
            client_id=settings.VERDA_CLIENT_ID,
            client_secret=settings.VERDA_CLIENT_SECRET,
            base_url=settings.VERDA_BASE_URL,
            prefix=settings.VERDA_NAME_PREFIX,
            image=settings.DEFAULT_WORKER_IMAGE,
            registry_credentials=settings.VERDA_REGISTRY_CREDENTIALS,
            port=settings.VERDA_WORKER_PORT,
            calls_a_second=settings.VERDA_CALLS_A_SECOND,
            attempts=settings.VERDA_ATTEMPTS,
        )
    )


@dataclass(frozen=True, slots=True)
class _Setup:
    client_id: str
    client_secret: str = field(repr=False)
    base_url: str
    prefix: str
    image: str
    registry_credentials: str
    port: int
    calls_a_second: int
    attempts: int


@lru_cache(maxsize=4)
def _provider(setup: _Setup) -> VerdaProvider:
    """One for each way to be set up, since a client keeps its token and its lists."""
    client = VerdaClient(
        setup.client_id,
        setup.client_secret,
        base_url=setup.base_url,
        limiter=SharedLimiter(setup.calls_a_second),
        bounds=Bounds(
            read_timeout_seconds=_READ_SECONDS, budget_seconds=_BUDGET_SECONDS, attempts=setup.attempts
        ),
    )
    return VerdaProvider(
        client,
        Settings(
            prefix=setup.prefix,
            default_image=setup.image,
            registry_credentials=setup.registry_credentials,
            own=_own_settings(),
            inference_key=lambda: inference_key("verda"),
            worker_port=setup.port,
        ),
    )


def _own_settings() -> dict[str, str]:
    """What our own workers need to clone voices and to fetch weights."""
    own = {"CONSENT_SECRET": settings.CONSENT_SECRET, "HF_TOKEN": settings.HF_TOKEN}
    if settings.CONSENT_SECRET and settings.S3_BUCKET:
        own["REFERENCE_ORIGINS"] = bucket_origin()
    return {name: value for name, value in own.items() if value}
