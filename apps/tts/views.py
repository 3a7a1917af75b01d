"""DRF's door to the speech API: the views that Django's URLs serve and the schema shows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core.addresses import client_address_of
from apps.core.api import request_id_of
from apps.core.errors import AppError, Unavailable
from apps.keys.authentication import SPEECH_KEY_SECURITY
from apps.tts.calls import Answer, Call
from apps.tts.endpoints import Endpoint, refusal, respond
from apps.tts.native import GENERATE, SpeechSerializer

PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="`wait=N` (RFC 7240) waits up to N seconds for a worker: for one that is busy, and for one "
    "that is asleep and must start. `Preference-Applied` says what was granted.",
)


class EndpointView(APIView):
    """A path of the speech API under Django: DRF lends it its place in the schema, the endpoint its answer.

    DRF's own `dispatch` is synchronous; this one stays on the event loop from a request's first byte to its
    last. Nothing is negotiated: an answer is audio or our error in JSON, whatever `Accept` asks for.
    """

    endpoint: ClassVar[Endpoint]
    authentication_classes = ()
    permission_classes = ()
    # No session and no cookie: the middlewares that pages need are left out (apps.core.middleware).
    stateless = True

    async def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        call = call_of(request, kwargs)
        try:
            endpoint = await self.endpoint_for(request)
            if not isinstance(request, ASGIRequest):
                raise Unavailable("Speech is served by the ASGI process.", code="speech_needs_asgi")
        except AppError as error:
            return response_of(refusal(self.endpoint.surface, error, call.request_id))
        return response_of(await respond(endpoint, call))

    async def endpoint_for(self, request: HttpRequest) -> Endpoint:
        """Who answers this request. Raises an `AppError` where nobody may."""
        return self.endpoint


class EndpointGetView(EndpointView):
    async def get(self, request: Request, **params: str) -> None:
        """As `EndpointPostView.post`."""


class EndpointPostView(EndpointView):
    async def post(self, request: Request, **params: str) -> None:
        """Tells the schema of the method and Django that the view is asynchronous; `dispatch` answers."""


@extend_schema_view(
    post=extend_schema(
        operation_id="generate",
        summary="Text in, speech out",
        tags=["speech"],
        parameters=[PREFER],
        auth=SPEECH_KEY_SECURITY,
        request=SpeechSerializer,
        responses={
            (200, "audio/*"): OpenApiResponse(
                OpenApiTypes.BINARY, description="Audio in the asked format; a WAV where none is asked for."
            )
        },
    )
)
class GenerateView(EndpointPostView):
    endpoint = GENERATE


def call_of(request: HttpRequest, params: dict[str, str]) -> Call:
    """Raises nothing: a body that is too large was refused before (apps.core.asgi)."""
    return Call(
        method=request.method or "",
        path=request.path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
        request_id=request_id_of(request),
        started=time.perf_counter(),
        query=request.GET.dict(),
        params=params,
        address=client_address_of(request),
    )


def response_of(answer: Answer) -> HttpResponseBase:
    response: Any
    if answer.stream is None:
        response = HttpResponse(answer.body, status=answer.status)
    else:
        response = StreamingHttpResponse(_Stream(answer), status=answer.status)
    for name, value in answer.headers.items():
        response[name] = value
    response.logs_itself = answer.logs_itself
    return response  # type: ignore[no-any-return]


class _Stream:
    """The body of a streamed answer; Django closes it where it is dropped before it was read."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        assert self._answer.stream is not None  # noqa: S101 - the caller looked
        return self._answer.stream

    def close(self) -> None:
        if self._answer.drop:
            self._answer.drop()
