"""`client().post(…)`: how the platform sends to a URL that a customer chose.

From any thread. Connections live on one event loop of the process, which starts with the first post; a
process that forks off later starts its own.
"""

from __future__ import annotations

import atexit
import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from weakref import WeakSet

from apps.core.addresses import Network

from . import addresses
from .answers import Answer, Problem
from .exchange import Exchange, Order
from .headers import clean_headers
from .lookups import Resolve, system_resolve
from .loops import LoopThread

# Beyond the deadline, should the event loop be too busy to keep it.
GRACE_SECONDS = 5.0


class ClientClosedError(RuntimeError):
    """`close` was called while a post was under way: whether it arrived is not known."""


class OutboundClient:
    """`resolve` in place of the system's; `ssl_context` in place of one that trusts the system's authorities;
    `allowed_networks` in place of the setting OUTBOUND_ALLOWED_NETWORKS.
    """

    def __init__(
        self,
        *,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        allowed_networks: Sequence[Network] | None = None,
    ) -> None:
        self._resolve = resolve or self._look_up
        self._tls = _verifying(ssl_context) if ssl_context else None
        self._allowed = _constant(allowed_networks)
        self._lock = threading.Lock()
        self._running: tuple[LoopThread, Exchange] | None = None
        _CLIENTS.add(self)

    def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        timeout_seconds: float = 15.0,
        max_bytes: int = 20_000,
    ) -> Answer:
        """What became of it, within `timeout_seconds`: never an error for what the far end does.

        `max_bytes` bounds the body of the answer. Follows no redirect. May send twice where the far end
        closes a kept connection without an answer.

        Raises `ValueError` for headers that cannot be sent, and `ClientClosedError`.
        """
        started = time.monotonic()
        headers = clean_headers(headers)
        try:
            target = addresses.parse_url(url, self._allowed())
        except addresses.UnusableUrl as error:
            problem = Problem.REFUSED_ADDRESS if error.is_refused_address else Problem.INVALID_URL
            return Answer(duration_ms=0, problem=problem, problem_words=error.message)
        order = Order(target, body, headers, started, started + timeout_seconds, max_bytes)
        loop, exchange = self._started()
        try:
            return _within(loop.submit(exchange.post(order)), timeout_seconds + GRACE_SECONDS)
        except TimeoutError:
            words = f"{target.host} did not answer in time."
            return Answer(order.milliseconds(), problem=Problem.TIMEOUT, problem_words=words)
        except (CancelledError, RuntimeError):
            raise ClientClosedError("closed while a post was under way") from None

    def close(self) -> None:
        """Ends its connections and its thread. A later post starts anew."""
        with self._lock:
            running, self._running = self._running, None
        if running:
            loop, exchange = running
            loop.stop(exchange.close)

    def leave_to_parent(self) -> None:
        """In a process that was forked off: what runs, runs in the other one."""
        if self._running:
            self._running[0].abandon()
            _ABANDONED.append(self._running)
        self._running = None
        self._lock = threading.Lock()  # whoever held it is not in this process

    def _started(self) -> tuple[LoopThread, Exchange]:
        with self._lock:
            if self._running is None:
                self._tls = self._tls or _verifying(ssl.create_default_context())
                loop = LoopThread("outbound")
                self._running = loop, loop.submit(self._make(self._tls)).result()
            return self._running

    def _look_up(self, host: str, port: int) -> Sequence[str]:
        # A whole name, or the machine's search list would try it inside our network first. Names that only
        # mean something there are for those who allowed it.
        return system_resolve(host if self._allowed() else f"{host}.", port)

    async def _make(self, tls: ssl.SSLContext) -> Exchange:
        return Exchange(resolve=self._resolve, tls=tls, allowed=self._allowed)


def client() -> OutboundClient:
    """The process's own."""
    return _CLIENT


def _within(future: Future[Answer], seconds: float) -> Answer:
    try:
        return future.result(seconds)
    finally:
        future.cancel()  # where the caller is interrupted, too


def _constant(networks: Sequence[Network] | None) -> Callable[[], Sequence[Network]]:
    if networks is None:
        return addresses.allowed_networks
    kept = tuple(networks)
    return lambda: kept


def _verifying(context: ssl.SSLContext) -> ssl.SSLContext:
    """Raises `ValueError` for one that would take any certificate."""
    if context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname:
        raise ValueError("certificates and host names are always verified")
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    context.set_alpn_protocols(["http/1.1"])
    return context


_CLIENTS: WeakSet[OutboundClient] = WeakSet()
# Kept for good: their finalizers would write to what is closed.
_ABANDONED: list[object] = []
_CLIENT = OutboundClient()


def _leave_to_parent() -> None:
    for one in _CLIENTS:
        one.leave_to_parent()


os.register_at_fork(after_in_child=_leave_to_parent)
atexit.register(_CLIENT.close)
