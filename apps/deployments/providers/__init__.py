"""Providers by name."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from apps.deployments.providers.base import Provider, ProviderError
from apps.deployments.providers.local import LocalProvider
from apps.deployments.providers.verda_setup import verda_provider

# Where a provider is not set up any more.
UNKNOWN_SECONDS = 60.0


def provider_named(name: str) -> Provider:
    """Raises KeyError for a name that no provider has, and `ProviderError` where it is not set up."""
    makers: dict[str, Callable[[], Provider]] = {
        "local": lambda: LocalProvider(settings.VAR_DIR),
        "verda": verda_provider,
    }
    return makers[name]()


def providers_in_use() -> dict[str, Provider]:
    """Those that this platform is set up for, by name."""
    name = "local" if settings.DEMO_MODE else "verda"
    return {name: provider_named(name)}


def typical_start_seconds(name: str, engine: str) -> float:
    """How long a provider's workers take to start as a rule. Raises KeyError as above."""
    try:
        return provider_named(name).typical_start_seconds(engine)
    except ProviderError:
        return UNKNOWN_SECONDS
