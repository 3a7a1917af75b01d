"""One request and its answer, on the event loop."""

from __future__ import annotations

import asyncio
import io
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import aiohttp
import structlog
from yarl import URL

from apps.core.addresses import Address, Network

from . import problems
from .addresses import Target, may_dial
from .answers import Answer, Problem, bounded_headers
from .dialling import Attempt, VettingConnector, VettingResolver
from .dialling import attempt as current_attempt
from .lookups import Lookups, Resolve

CONNECT_SECONDS = 5.0
# The status is what counts. The body is only for the log, so one that drips holds nobody for long.
BODY_SECONDS = 3.0
IDLE_SECONDS = 5.0
CONNECTIONS_PER_HOST = 16
DNS_CACHE_SECONDS = 10
# A larger one would hold up the event loop while it is written, at which aiohttp warns.
_ONE_PIECE = 1024 * 1024

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Order:
    """`deadline` is of `time.monotonic()`, and covers everything."""

    target: Target
    body: bytes
    headers: Mapping[str, str]
    started: float
    deadline: float
    max_bytes: int

    def seconds_left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def milliseconds(self) -> int:
        return round((time.monotonic() - self.started) * 1000)


class Exchange:
    """The connections of one event loop: those with TLS, and those without, by their own rules."""

    def __init__(
        self, *, resolve: Resolve, tls: ssl.SSLContext, allowed: Callable[[], Sequence[Network]]
    ) -> None:
        lookups = Lookups(resolve)

        def session(*, is_plain: bool) -> aiohttp.ClientSession:
            def vet(address: Address) -> bool:
                return may_dial(address, allowed(), is_plain=is_plain)

            connector = VettingConnector(
                vet,
                resolver=VettingResolver(lookups, vet),
                ssl=tls,
                ttl_dns_cache=DNS_CACHE_SECONDS,
                keepalive_timeout=IDLE_SECONDS,
                limit=0,
                limit_per_host=CONNECTIONS_PER_HOST,
            )
            return _session(connector)

        self._sessions = {"https": session(is_plain=False), "http": session(is_plain=True)}

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()

    async def post(self, order: Order) -> Answer:
        attempt = Attempt(order.max_bytes)
        current_attempt.set(attempt)
        try:
            async with asyncio.timeout(order.seconds_left()):
                response = await self._headers(order, attempt)
        except Exception as error:  # noqa: BLE001 - whatever a far end can make the library say
            return _failure(error, attempt, order)
        body, is_cut = await _body(response, order)
        if is_cut and response.connection is not None:  # else it may be somebody else's already
            _abort(attempt)
        response.close()
        return Answer(
            duration_ms=order.milliseconds(),
            status=response.status,
            headers=bounded_headers(response.raw_headers),
            body=body,
            is_cut=is_cut,
            address=attempt.dialled,
        )

    async def _headers(self, order: Order, attempt: Attempt) -> aiohttp.ClientResponse:
        """The response as soon as its headers are there."""
        send = partial(
            self._sessions[order.target.scheme].post,
            URL(order.target.url, encoded=True),
            data=order.body if len(order.body) <= _ONE_PIECE else io.BytesIO(order.body),
            headers=order.headers,
            allow_redirects=False,
        )
        try:
            return await send()
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            # A kept connection that the far end closed just as we took it up says nothing about it.
            was_kept = attempt.is_kept and not attempt.is_refused
            if not was_kept or isinstance(error, aiohttp.ClientConnectorError):
                raise
        return await send()


def _failure(error: Exception, attempt: Attempt, order: Order) -> Answer:
    _abort(attempt)
    if not isinstance(error, aiohttp.ClientError | OSError):
        logger.error("a post failed in a way we did not think of", exc_info=error)
    problem, words = problems.of(error, attempt, order.target)
    return Answer(
        duration_ms=order.milliseconds(),
        problem=problem,
        problem_words=words,
        address=None if problem is Problem.REFUSED_ADDRESS else attempt.dialled,
    )


def _abort(attempt: Attempt) -> None:
    """At once: a polite end of TLS would wait for the far end's, for half a minute."""
    if attempt.transport is not None:
        attempt.transport.abort()


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, ceil_threshold=3600),
        skip_auto_headers=("Content-Type",),
        trust_env=False,
        auto_decompress=False,
        read_bufsize=16_384,
    )


async def _body(response: aiohttp.ClientResponse, order: Order) -> tuple[bytes, bool]:
    """At most `max_bytes` of it, and whether it is cut."""
    kept = bytearray()
    with suppress(Exception):  # whatever it is: the status is there, and the log shows what came until then
        async with asyncio.timeout(min(BODY_SECONDS, order.seconds_left())):
            while len(kept) <= order.max_bytes:
                chunk = await response.content.read(order.max_bytes + 1 - len(kept))
                if not chunk:
                    return bytes(kept), False
                kept += chunk
    return bytes(kept[: order.max_bytes]), True
