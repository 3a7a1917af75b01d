"""The playground's voice: the speech API for a signed-in person, in the name of their organization."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.http import HttpRequest

from apps.accounts.tenancy import current_membership
from apps.core.errors import Unauthenticated
from apps.keys.identity import identity_of_person
from apps.tts.calls import Call
from apps.tts.endpoints import Endpoint
from apps.tts.native import GENERATE, GenerateEndpoint
from apps.tts.request import Source
from apps.tts.runtime import Runtime
from apps.tts.views import EndpointPostView
from apps.usage.admission import Caller
from apps.usage.models import UsageRecord


class PlaygroundEndpoint(GenerateEndpoint):
    """`/generate` for a member of an organization."""

    def __init__(self, *, user_id: Any, organization_id: Any) -> None:
        self._user_id = user_id
        self._organization_id = organization_id

    async def identify(self, call: Call, runtime: Runtime) -> Caller:
        structlog.contextvars.bind_contextvars(organization=str(self._organization_id))
        return await runtime.admission.identify_by(
            lambda: identity_of_person(user_id=self._user_id, organization_id=self._organization_id)
        )

    def source_of(self, call: Call) -> Source:
        return replace(super().source_of(call), surface=UsageRecord.Surface.PLAYGROUND.value)


class PlaygroundSpeechView(EndpointPostView):
    """`/generate` behind the session, with CSRF checked. It is the page's own and not part of the schema."""

    endpoint = GENERATE
    stateless = False
    schema = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view = super().as_view(**initkwargs)
        view.csrf_exempt = False
        return view

    async def endpoint_for(self, request: HttpRequest) -> Endpoint:
        user_id, organization_id = await sync_to_async(_who)(request)
        return PlaygroundEndpoint(user_id=user_id, organization_id=organization_id)


def _who(request: HttpRequest) -> tuple[Any, Any]:
    membership = current_membership(request)
    if membership is None:
        raise Unauthenticated("Sign in to an organization to use the playground.", code="not_signed_in")
    return membership.user_id, membership.organization_id
