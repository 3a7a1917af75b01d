"""The key of ElevenLabs' calls that Django's views answer: `xi-api-key`, by the rules of any key."""

from __future__ import annotations

from rest_framework.request import Request

from apps.keys.authentication import ApiKeyAuthentication
from apps.keys.identity import HEADER, Identity
from apps.tts.elevenlabs.surface import KEY_HEADER, no_key


class ElevenLabsKeyAuthentication(ApiKeyAuthentication):
    def raw_key(self, request: Request) -> str | None:
        return request.headers.get(KEY_HEADER) or request.headers.get(HEADER)

    def authenticate(self, request: Request) -> tuple[None, Identity]:
        """Nobody comes here without a key."""
        found = super().authenticate(request)
        if found is None:
            raise no_key()
        return found
