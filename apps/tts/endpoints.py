"""An operation of the speech API, written once for both doors, and the one way to have it answered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar
from uuid import UUID

import structlog
from django.conf import settings

from apps.core import metrics
from apps.core.api import as_app_error
from apps.core.errors import AppError, MethodNotAllowed
from apps.tts import cors, preferences
from apps.tts.calls import Answer, Call
from apps.tts.idempotency import answering as idempotency
from apps.tts.request import Source
from apps.tts.runtime import Runtime
from apps.tts.surfaces import Surface
from apps.usage.admission import Caller

logger = structlog.get_logger(__name__)


class Endpoint(ABC):
    """One method on one path. `scope` is what its key must be allowed; with `None` any key will do."""

    surface: ClassVar[Surface]
    method: ClassVar[str] = "POST"
    scope: ClassVar[str | None] = "speech"

    @abstractmethod
    async def answer(self, call: Call, runtime: Runtime) -> Answer:
        """Raises an `AppError` for every refusal."""

    @property
    def speaks(self) -> bool:
        """Whether it makes what is paid for, and heeds an Idempotency-Key."""
        return self.method == "POST" and self.scope == "speech"

    def require_method(self, method: str) -> None:
        """Raises `MethodNotAllowed`. What may be read may be asked for its headers alone."""
        allowed = ("GET", "HEAD") if self.method == "GET" else (self.method,)
        if method not in allowed:
            raise MethodNotAllowed(f'Method "{method}" not allowed.', headers={"Allow": ", ".join(allowed)})

    async def identify(self, call: Call, runtime: Runtime) -> Caller:
        """Who calls. Raises `Unauthenticated`, `PermissionDenied` or `Unavailable`."""
        caller = await runtime.admission.identify(self.surface.key_of(call), address=call.address)
        structlog.contextvars.bind_contextvars(
            organization=str(caller.identity.organization_id), key=caller.identity.key_prefix
        )
        call.allowed_origins = caller.identity.restrictions.allowed_origins
        if self.scope is not None:
            caller.identity.require(self.scope)
        return caller

    def source_of(self, call: Call) -> Source:
        wait = preferences.wait_seconds(call.headers["prefer"]) if "prefer" in call.headers else None
        if wait is not None:
            wait = min(wait, settings.SPEECH_WAIT_MAX_SECONDS)
            call.applied["Preference-Applied"] = f"wait={wait}"
        return Source(
            request_id=call.request_id,
            surface=self.surface.name,
            started=call.started,
            body_hash=UUID(bytes=call.digest()[:16]),
            wait_seconds=wait,
        )


async def respond(endpoint: Endpoint, call: Call) -> Answer:
    """The answer to a call, refusals and faults of ours in the surface's shape."""
    try:
        answer = await _answer(endpoint, call)
    except Exception as error:  # noqa: BLE001 - the last who could tell the caller
        answer = refusal(endpoint.surface, error, call.request_id)
    finished(answer, endpoint.surface, call)
    if "origin" in call.headers and call.method != "OPTIONS":
        await cors.let_read(answer, call)
    return answer


def finished(answer: Answer, surface: Surface, call: Call) -> Answer:
    """With the headers that every answer carries."""
    answer.headers |= call.applied
    answer.headers["X-Request-Id"] = call.request_id
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers["X-Content-Type-Options"] = "nosniff"
    surface.finish(answer, call)
    return answer


async def _answer(endpoint: Endpoint, call: Call) -> Answer:
    if cors.is_preflight(call) and (allowed := await cors.preflight(call, method=endpoint.method)):
        return allowed
    endpoint.require_method(call.method)
    runtime = await Runtime.current()
    if idempotency.HEADER in call.headers and endpoint.speaks:
        return await idempotency.answer_once(endpoint, call, runtime)
    return await endpoint.answer(call, runtime)


def refusal(surface: Surface, error: Exception, request_id: str) -> Answer:
    """What the caller is told of an error; one that nobody expected is logged and told as a fault of ours."""
    app_error = as_app_error(error)
    if app_error is None:
        logger.error("speech failed", request_id=request_id, exc_info=error)
        app_error = AppError(f"Something went wrong on our side. Tell us this request id: {request_id}.")
    metrics.SPEECH_REFUSALS.labels(app_error.code).inc()
    answer = surface.refusal(app_error, request_id)
    if "Retry-After" in app_error.headers:
        # Servers close what is idle after a few seconds, just when many are told to come back: a client that
        # asks again on a kept connection at that moment would find it broken.
        answer.headers["Connection"] = "close"
    return answer
