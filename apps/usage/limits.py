"""What an organization may do: the platform's limits, or those that staff gave it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from apps.core.addresses import Network, networks_of
from apps.keys.identity import Identity, require_address
from apps.keys.restrictions import Restrictions
from apps.usage.models import OrganizationLimits

# Organizations whose policy a process keeps; all are read again where it forgot them.
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """`characters_per_month` is `None` where nothing limits them."""

    requests_per_minute: int
    concurrent_requests: int
    characters_per_request: int
    characters_per_month: int | None = None

    def stricter(self, own: Restrictions) -> Limits:
        """Of these and a key's own."""
        return Limits(
            requests_per_minute=min(self.requests_per_minute, own.requests_per_minute or _ANY),
            concurrent_requests=min(self.concurrent_requests, own.concurrent_requests or _ANY),
            characters_per_request=min(self.characters_per_request, own.characters_per_request or _ANY),
            characters_per_month=min(
                filter(None, (self.characters_per_month, own.characters_per_month)), default=None
            ),
        )


_ANY = 2**63


@dataclass(frozen=True, slots=True)
class OrganizationPolicy:
    """Limits of live and of test keys, and what holds for both: no `allowed_voices`, no `networks` mean any.

    Read together with an identity, stale with it.
    """

    live: Limits
    test: Limits
    allowed_voices: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    may_use_shared_pool: bool = True

    def of(self, mode: str) -> Limits:
        return self.test if mode == "test" else self.live


class Policies:
    """Policies that were read, each trusted as long as its organization's policy version stands."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[int, OrganizationPolicy]] = {}

    def known(self, identity: Identity) -> OrganizationPolicy | None:
        version, policy = self._known.get(identity.organization_id, (-1, None))
        return policy if version == identity.policy_version else None

    def of(self, identity: Identity) -> OrganizationPolicy:
        """Asks the database where it must."""
        policy = self.known(identity)
        if policy is None:
            policy = read_policy(identity.organization_id)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[identity.organization_id] = (identity.policy_version, policy)
        return policy


policies = Policies()


def require_organizations_address(identity: Identity, address: str | None) -> None:
    """A rule of `apps.keys.authentication`, for the management API."""
    require_address(policies.of(identity).networks, address)


def read_policy(organization_id: UUID) -> OrganizationPolicy:
    return policies_of([organization_id])[organization_id]


def policies_of(organization_ids: Collection[UUID]) -> dict[UUID, OrganizationPolicy]:
    """One query for any number of organizations."""
    rows = OrganizationLimits.objects.filter(organization_id__in=organization_ids)
    own = {limits.organization_id: limits for limits in rows}
    return {organization_id: _policy_of(own.get(organization_id)) for organization_id in organization_ids}


def _policy_of(own: OrganizationLimits | None) -> OrganizationPolicy:
    characters = (own and own.characters_per_request) or settings.LIMIT_CHARACTERS_PER_REQUEST
    return OrganizationPolicy(
        live=Limits(
            requests_per_minute=(own and own.requests_per_minute) or settings.LIMIT_REQUESTS_PER_MINUTE,
            concurrent_requests=(own and own.concurrent_requests) or settings.LIMIT_CONCURRENT_REQUESTS,
            characters_per_request=characters,
            characters_per_month=(own and own.characters_per_month)
            or settings.LIMIT_CHARACTERS_PER_MONTH
            or None,
        ),
        test=Limits(
            requests_per_minute=settings.LIMIT_TEST_REQUESTS_PER_MINUTE,
            concurrent_requests=settings.LIMIT_TEST_CONCURRENT_REQUESTS,
            characters_per_request=characters,
            characters_per_month=settings.LIMIT_TEST_CHARACTERS_PER_MONTH or None,
        ),
        allowed_voices=frozenset(own.allowed_voices if own else ()),
        networks=networks_of(tuple(own.allowed_ips)) if own else (),
        may_use_shared_pool=own.may_use_shared_pool if own else True,
    )
