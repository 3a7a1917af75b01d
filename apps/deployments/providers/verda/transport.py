"""HTTP with timeouts, bounded bodies and retries, for Verda's API and for the deployments behind it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol, TypeVar

import requests
import urllib3
from requests.auth import AuthBase

from apps.deployments.providers.verda.errors import NotUnderstood, Unreachable, VerdaError, refusal

USER_AGENT = "voiceflow-verda/1"
REPEATABLE_METHODS = frozenset({"GET", "DELETE"})
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0
_REPEATABLE_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_CHUNK_BYTES = 64 * 1024
_SHORTEST_TIMEOUT_SECONDS = 0.1

Parsed = TypeVar("Parsed")


class Limiter(Protocol):
    """Holds calls to a rate. Asked before every request, those for tokens and repeated ones included."""

    def acquire(self) -> None:
        """Returns once the next request may go out."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a call may cost. The budget spans a call with all its retries; no retry begins after it."""

    connect_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 30.0
    budget_seconds: float = 90.0
    attempts: int = 5
    body_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `repeatable` has it sent again where that may help; `accept` names statuses from 400
    that are answers, not errors; `secrets` are struck out of every message."""

    method: str
    url: str
    path: str
    token: str = field(default="", repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    repeatable: bool = False
    accept: frozenset[int] = frozenset()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    read_timeout_seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def changes(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `changes` tells that its call was one that has effects."""

    call: str
    changes: bool
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def text(self) -> str:
        return self.body.decode("utf-8", "replace").strip()

    def json(self) -> Any:
        """The decoded body, numbers with a fraction as `Decimal`. Raises `NotUnderstood`."""
        try:
            return json.loads(self.body, parse_float=Decimal)
        except (ValueError, RecursionError):
            raise NotUnderstood(
                f"Verda answered {self.status} to {self.call} with something that is not JSON.",
                status=self.status,
                outcome_unknown=self.changes,
            ) from None

    def read(self, parse: Callable[[Any], Parsed]) -> Parsed:
        """The decoded body as `parse` understands it. Raises `NotUnderstood`."""
        answer = self.json()
        try:
            return parse(answer)
        except NotUnderstood as error:
            raise NotUnderstood(
                f"{error.message} (Answer to {self.call}.)",
                status=self.status,
                outcome_unknown=self.changes,
            ) from None


class Transport:
    """Sends calls. One serves any number of threads of one process; make another after a fork."""

    def __init__(
        self,
        bounds: Bounds | None = None,
        *,
        limiter: Limiter | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`clock` counts seconds from any moment on; `jitter` gives numbers from 0 to 1."""
        self.bounds = bounds or Bounds()
        self._limiter = limiter
        self._sleep = sleep
        self._clock = clock
        self._jitter = jitter
        self._session = requests.Session()
        # Cookies are all that threads would share of each other's calls.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        self._session.close()

    def send(self, call: Call) -> Answer:
        """The answer to `call`, with a status below 300 or one that it accepts. Raises `VerdaError`."""
        budget = max(self.bounds.budget_seconds, call.read_timeout_seconds or 0.0)
        deadline = self._clock() + budget
        attempt = 0
        while True:
            try:
                return self._attempt(call, deadline)
            except VerdaError as error:
                attempt += 1
                delay = self._delay(attempt, error)
                if (
                    not call.repeatable
                    or not _is_passing(error)
                    or attempt >= self.bounds.attempts
                    or self._clock() + delay >= deadline
                ):
                    raise
            self._sleep(delay)

    def _attempt(self, call: Call, deadline: float) -> Answer:
        if self._limiter is not None:
            self._limiter.acquire()
        try:
            answer = self._exchange(call, deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(
                f"Verda gave no whole answer to {call} ({type(error).__name__}).",
                outcome_unknown=call.changes and not _was_never_sent(error),
            ) from None
        if answer.status < HTTPStatus.MULTIPLE_CHOICES or answer.status in call.accept:
            return answer
        raise self._refusal(call, answer)

    def _exchange(self, call: Call, deadline: float) -> Answer:
        remaining = max(deadline - self._clock(), _SHORTEST_TIMEOUT_SECONDS)
        read_timeout = call.read_timeout_seconds or self.bounds.read_timeout_seconds
        response = self._session.request(
            call.method,
            call.url,
            params=dict(call.params),
            json=call.json,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", **call.headers},
            auth=_Bearer(call.token),
            timeout=(
                min(self.bounds.connect_timeout_seconds, remaining),
                min(read_timeout, remaining),
            ),
            allow_redirects=False,
            stream=True,
        )
        with response:
            body = self._body(call, response, deadline)
        return Answer(str(call), call.changes, response.status_code, response.headers, body)

    def _body(self, call: Call, response: requests.Response, deadline: float) -> bytes:
        body = bytearray()
        # `read1` returns after every packet, so that an answer which drips cannot outlast the deadline.
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > self.bounds.body_bytes:
                raise NotUnderstood(
                    f"Verda's answer to {call} is longer than {self.bounds.body_bytes} bytes.",
                    status=response.status_code,
                    outcome_unknown=call.changes,
                )
            if self._clock() > deadline:
                raise Unreachable(
                    f"Verda's answer to {call} did not end in time.", outcome_unknown=call.changes
                )
        return bytes(body)

    def _refusal(self, call: Call, answer: Answer) -> VerdaError:
        try:
            body = answer.json()
        except NotUnderstood:
            body = None
        return refusal(
            str(call),
            answer.status,
            body,
            is_page=bool(answer.body.strip()) and not isinstance(body, dict),
            secrets=(call.token, *call.secrets),
            retry_after_seconds=_retry_after_seconds(answer.headers),
            outcome_unknown=call.changes
            and (
                answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
                or answer.status == HTTPStatus.REQUEST_TIMEOUT
            ),
        )

    def _delay(self, attempt: int, error: VerdaError) -> float:
        backoff = min(FIRST_BACKOFF_SECONDS * 2.0 ** (attempt - 1), LONGEST_BACKOFF_SECONDS)
        spread = min(backoff * (0.5 + self._jitter()), LONGEST_BACKOFF_SECONDS)
        return max(spread, error.retry_after_seconds or 0.0)


class _Bearer(AuthBase):
    """The token as `auth`, not as a header: a ~/.netrc would replace the header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _is_passing(error: VerdaError) -> bool:
    if isinstance(error, Unreachable):
        return True
    status = error.status or 0
    return status in _REPEATABLE_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _was_never_sent(error: Exception) -> bool:
    """Whether the connection was not even made, so that nothing can have come of the call."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
        # By the server's own clock, which may differ from ours.
        now = parsedate_to_datetime(headers.get("Date", ""))
        return max((moment - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None
