"""What an organization may do: the platform's limits, or those that staff gave it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from apps.usage.models import OrganizationLimits


@dataclass(frozen=True, slots=True)
class Limits:
    requests_per_minute: int
    concurrent_requests: int
    characters_per_request: int


@dataclass(frozen=True, slots=True)
class OrganizationPolicy:
    """Limits of live and of test keys. Read together with an identity, stale with it."""

    live: Limits
    test: Limits

    def of(self, mode: str) -> Limits:
        return self.test if mode == "test" else self.live


def read_policy(organization_id: UUID) -> OrganizationPolicy:
    own = OrganizationLimits.objects.filter(organization_id=organization_id).first()
    characters = (own and own.characters_per_request) or settings.LIMIT_CHARACTERS_PER_REQUEST
    return OrganizationPolicy(
        live=Limits(
            requests_per_minute=(own and own.requests_per_minute) or settings.LIMIT_REQUESTS_PER_MINUTE,
            concurrent_requests=(own and own.concurrent_requests) or settings.LIMIT_CONCURRENT_REQUESTS,
            characters_per_request=characters,
        ),
        test=Limits(
            requests_per_minute=settings.LIMIT_TEST_REQUESTS_PER_MINUTE,
            concurrent_requests=settings.LIMIT_TEST_CONCURRENT_REQUESTS,
            characters_per_request=characters,
        ),
    )
