"""A provider that fails is asked less and less often by the schedule: in 5 s, then 10, 20, 40, 60.

Its workers are asked as ever meanwhile. What somebody wants of a deployment is told to its provider at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from apps.deployments.models import Deployment
from apps.deployments.providers import provider_named
from apps.deployments.providers.base import Observation, Price, Provider, ProviderError, Wanted

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 60.0
# Whoever asks for more than that is not believed.
LONGEST_ASKED_FOR_SECONDS = 600.0
# The schedule's beats come a little early or late; one of them must not be missed for that.
BEAT_SECONDS = 1.0
MOST_FAILURES = 1000
_R = TypeVar("_R")


def waiting() -> Q:
    """Deployments whose provider is not to be asked yet."""
    return Q(provider_waits_until__gt=timezone.now() + timedelta(seconds=BEAT_SECONDS))


def is_waiting(deployment: Deployment) -> bool:
    until = deployment.provider_waits_until
    return until is not None and until > timezone.now() + timedelta(seconds=BEAT_SECONDS)


def forget(deployment: Deployment) -> None:
    """Something new is wanted of it: its provider is asked at once."""
    Deployment.objects.filter(pk=deployment.pk).exclude(provider_failures=0).update(
        provider_failures=0, provider_waits_until=None
    )
    deployment.provider_failures, deployment.provider_waits_until = 0, None


def wait_seconds(failures: int, error: ProviderError) -> float:
    """After so many failed looks in a row, of which `error` ended the last one."""
    backoff = min(FIRST_SECONDS * 2.0 ** min(failures - 1, 10), LONGEST_SECONDS)
    return max(backoff, min(error.retry_after_seconds or 0.0, LONGEST_ASKED_FOR_SECONDS))


class Patience:
    """What one look may ask of a deployment's provider, and how that went."""

    def __init__(self, deployment: Deployment, *, by_schedule: bool) -> None:
        self._deployment = deployment
        self._is_spared = by_schedule and is_waiting(deployment)
        self._error: ProviderError | None = None

    def provider(self) -> Provider:
        """Raises `ProviderError` where the platform is not set up for it."""
        return _Asked(self, provider_named(self._deployment.provider))

    def ask(self, call: Callable[[], _R]) -> _R:
        """Raises what it raised the last time where it is spared."""
        if self._is_spared:
            words = self._deployment.error_message
            raise ProviderError(words, code=self._deployment.error_code, permanent=False)
        try:
            return call()
        except ProviderError as error:
            self.failed(error)
            raise

    def failed(self, error: ProviderError) -> None:
        self._error = self._error or error

    def remember(self) -> None:
        """Writes down when it may be asked again, unless somebody wanted something new meanwhile."""
        before, error = self._deployment.provider_failures, self._error
        if self._is_spared or (error is None and not before):
            return
        # Processes of this machine cost nothing to ask, and are back within seconds.
        if self._deployment.provider == Deployment.Provider.LOCAL:
            return
        failures, until = 0, None
        if error is not None:
            failures = min(before + 1, MOST_FAILURES)
            until = timezone.now() + timedelta(seconds=wait_seconds(failures, error))
        as_seen = Deployment.objects.filter(pk=self._deployment.pk, provider_failures=before)
        as_seen.update(provider_failures=failures, provider_waits_until=until)


class _Asked:
    """The `Provider`, as far as a look may ask it."""

    def __init__(self, patience: Patience, provider: Provider) -> None:
        self._ask, self._provider = patience.ask, provider

    def start_deadline_seconds(self, engine: str) -> float:
        return self._provider.start_deadline_seconds(engine)

    def typical_start_seconds(self, engine: str) -> float:
        return self._provider.typical_start_seconds(engine)

    def scales_alone(self, kind: str) -> bool:
        return self._provider.scales_alone(kind)

    def ensure(self, wanted: Wanted) -> None:
        self._ask(lambda: self._provider.ensure(wanted))

    def describe(self, wanted: Wanted, *, closely: bool = True) -> Observation | None:
        return self._ask(lambda: self._provider.describe(wanted, closely=closely))

    def delete(self, deployment_id: UUID) -> None:
        self._ask(lambda: self._provider.delete(deployment_id))

    def list_ids(self) -> Set[UUID]:
        return self._ask(self._provider.list_ids)

    def prices(self) -> Sequence[Price]:
        return self._ask(self._provider.prices)

    def balance(self) -> Decimal | None:
        return self._ask(self._provider.balance)
