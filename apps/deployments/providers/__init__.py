"""Providers by name."""

from __future__ import annotations

from django.conf import settings

from apps.deployments.providers.base import Provider
from apps.deployments.providers.local import LocalProvider


def provider_named(name: str) -> Provider:
    """Raises KeyError for a name that no provider has."""
    return {"local": lambda: LocalProvider(settings.VAR_DIR)}[name]()


def providers_in_use() -> dict[str, Provider]:
    """Those that this platform is set up for, by name."""
    return {"local": provider_named("local")} if settings.DEMO_MODE else {}


def typical_start_seconds(name: str, engine: str) -> float:
    """How long a provider's workers take to start as a rule. Raises KeyError as above."""
    return provider_named(name).typical_start_seconds(engine)
