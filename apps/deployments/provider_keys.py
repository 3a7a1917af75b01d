"""The keys that providers' fronts ask for."""

from __future__ import annotations

from django.conf import settings

from apps.deployments.models import ProviderKey


def inference_key(provider: str) -> str:
    """The key that staff set, else the one of the environment; empty where there is none."""
    kept = ProviderKey.objects.filter(provider=provider).first()
    if kept is not None:
        key: str = kept.inference_key
        return key
    from_environment: str = settings.VERDA_INFERENCE_KEY if provider == "verda" else ""
    return from_environment
