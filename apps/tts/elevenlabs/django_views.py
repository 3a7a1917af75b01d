"""What ElevenLabs' calls have in common that Django's views answer: the key, the refusals, the headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core.api import request_id_of
from apps.tts.elevenlabs.authentication import ElevenLabsKeyAuthentication
from apps.tts.elevenlabs.surface import ELEVENLABS, REQUEST_ID_HEADER
from apps.tts.endpoints import refusal
from apps.tts.views import response_of


class ElevenLabsView(APIView):
    authentication_classes = [ElevenLabsKeyAuthentication]

    def get_exception_handler(self) -> Callable[..., HttpResponseBase]:
        return _refused

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response[REQUEST_ID_HEADER] = request_id_of(request._request)
        response.setdefault("Cache-Control", "no-store")
        return response


def _refused(error: Exception, context: dict[str, Any]) -> HttpResponseBase:
    return response_of(refusal(ELEVENLABS, error, request_id_of(context["request"]._request)))
