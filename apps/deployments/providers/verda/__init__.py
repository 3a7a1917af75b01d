"""A client of Verda's public API. Usable by itself: it needs neither Django nor the rest of VoiceFlow."""

from __future__ import annotations

from apps.deployments.providers.verda.calls import BASE_URL
from apps.deployments.providers.verda.client import VerdaClient
from apps.deployments.providers.verda.errors import VerdaError
from apps.deployments.providers.verda.transport import Bounds, Limiter

__all__ = ["BASE_URL", "Bounds", "Limiter", "VerdaClient", "VerdaError"]
