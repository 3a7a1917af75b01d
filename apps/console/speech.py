"""The playground's voice: the speech API for a signed-in person, in the name of their organization."""

from __future__ import annotations

import time
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from apps.accounts.tenancy import current_membership
from apps.core.api import request_id_of
from apps.core.errors import Unauthenticated
from apps.keys.identity import identity_of_person
from apps.tts.request import checked
from apps.tts.speech import speak
from apps.tts.views import AsyncAPIView, answer, runtime_of
from apps.usage.models import UsageRecord


class PlaygroundSpeechView(AsyncAPIView):
    """`/generate` behind the session, with CSRF checked. It is the page's own and not part of the schema."""

    stateless = False
    schema = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        view.csrf_exempt = False
        return view

    async def post(self, request: Request) -> HttpResponseBase:
        started = time.perf_counter()
        user_id, organization_id = await sync_to_async(_who)(request._request)
        runtime = await runtime_of(request._request)
        caller = await runtime.admission.identify_by(
            lambda: identity_of_person(user_id=user_id, organization_id=organization_id)
        )
        structlog.contextvars.bind_contextvars(organization=str(organization_id))
        speech = await speak(
            runtime,
            caller,
            checked(request.data),
            request_id=request_id_of(request._request),
            surface=UsageRecord.Surface.PLAYGROUND,
            started=started,
        )
        return await answer(speech)


def _who(request: HttpRequest) -> tuple[Any, Any]:
    membership = current_membership(request)
    if membership is None:
        raise Unauthenticated("Sign in to an organization to use the playground.", code="not_signed_in")
    return membership.user_id, membership.organization_id
