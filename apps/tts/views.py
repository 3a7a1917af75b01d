"""DRF's door to the speech API: the views that Django's URLs serve and the schema shows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from inspect import isawaitable
from typing import Any

import structlog
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core import metrics
from apps.core.api import as_app_error, json_error, request_id_of
from apps.core.errors import Unavailable
from apps.keys.authentication import SPEECH_KEY_SECURITY
from apps.keys.identity import HEADER
from apps.tts import wav
from apps.tts.request import SpeechSerializer, checked
from apps.tts.runtime import Runtime
from apps.tts.speech import Speech, speak
from apps.usage.models import UsageRecord


class AsyncAPIView(APIView):
    """DRF's negotiation, parsing and schema around a handler that is a coroutine.

    DRF's own `dispatch` is synchronous; this one awaits the handler, so that a request stays on the event
    loop from its first byte to its last. Nothing is negotiated: an answer is audio or our error in JSON,
    whatever `Accept` asks for.
    """

    authentication_classes = ()
    permission_classes = ()
    # No session and no cookie: the middlewares that pages need are left out (apps.core.middleware).
    stateless = True
    # DRF's own answer to OPTIONS is rendered as was negotiated, and nothing is.
    http_method_names = ("post",)

    async def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        self.args, self.kwargs = args, kwargs
        self.headers = self.default_response_headers
        self.request = drf_request = self.initialize_request(request, *args, **kwargs)
        try:
            name = (request.method or "").lower()
            allowed = name in self.http_method_names
            handler = getattr(self, name, self.http_method_not_allowed) if allowed else None
            answer = (handler or self.http_method_not_allowed)(drf_request, *args, **kwargs)
            return await answer if isawaitable(answer) else answer.render()  # type: ignore[no-any-return]
        except Exception as error:
            app_error = as_app_error(error)
            if app_error is None:
                raise
            metrics.SPEECH_REFUSALS.labels(app_error.code).inc()
            return json_error(request, app_error)


class GenerateView(AsyncAPIView):
    @extend_schema(
        operation_id="generate",
        summary="Text in, speech out",
        tags=["speech"],
        auth=SPEECH_KEY_SECURITY,
        request=SpeechSerializer,
        responses={
            (200, "audio/wav"): OpenApiResponse(OpenApiTypes.BINARY, description="24 kHz, mono, 16-bit PCM.")
        },
    )
    async def post(self, request: Request) -> HttpResponseBase:
        started = time.perf_counter()
        runtime = await runtime_of(request._request)
        caller = await runtime.admission.identify(request.headers.get(HEADER))
        structlog.contextvars.bind_contextvars(
            organization=str(caller.identity.organization_id), key=caller.identity.key_prefix
        )
        caller.identity.require("speech")
        body = checked(request.data)
        speech = await speak(
            runtime,
            caller,
            body,
            request_id=request_id_of(request._request),
            surface=UsageRecord.Surface.GENERATE,
            started=started,
        )
        return await answer(speech)


async def runtime_of(request: Any) -> Runtime:
    if not isinstance(request, ASGIRequest):
        raise Unavailable("Speech is served by the ASGI process.", code="speech_needs_asgi")
    return await Runtime.current()


async def answer(speech: Speech) -> HttpResponseBase:
    """A WAV: whole with exact sizes, or streamed with unknown ones, as the body asked."""
    if speech.body.stream:
        response: HttpResponseBase = StreamingHttpResponse(SpeechStream(speech), content_type="audio/wav")
    else:
        pcm = await speech.whole()
        head = wav.header(sample_rate=speech.sample_rate, data_bytes=len(pcm))
        response = HttpResponse(head + pcm, content_type="audio/wav")
    for name, value in speech.headers.items():
        response[name] = value
    response["Cache-Control"] = "no-store"
    response.logs_itself = True  # type: ignore[attr-defined]
    return response


class SpeechStream:
    """The body of a streamed answer; Django closes it where it is dropped before it was read."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        head = wav.header(sample_rate=self._speech.sample_rate, data_bytes=None)
        async for data in self._speech.audio():
            yield head + data
            head = b""

    def close(self) -> None:
        self._speech.close()
