"""Who is calling: from a raw key to an identity that the hot path trusts.

An identity is cached in the process for a second at most, so a revoked key is dead within that time even with
Redis away; admission compares its policy version with Redis and refuses a stale one at once.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.models import Membership, Organization
from apps.core.addresses import Network, holds, parse_address
from apps.core.errors import PermissionDenied, Unauthenticated
from apps.keys import secrets
from apps.keys.models import ApiKey
from apps.keys.restrictions import NAMES, UNRESTRICTED, Restrictions

CACHE_SECONDS = 1.0
CACHE_ENTRIES = 10_000
HEADER = "X-API-Key"
_REFUSED = "The API key is not valid. Check that it is whole, not revoked and not expired."


@dataclass(frozen=True, slots=True)
class Identity:
    """A key as the speech path needs it. `expires_at` is in seconds since the epoch.

    `key_id` is `None` for a signed-in person in the playground.
    """

    organization_id: UUID
    key_id: UUID | None
    key_prefix: str
    mode: str
    scopes: frozenset[str]
    policy_version: int
    suspended: bool
    expires_at: float | None = None
    hash: bytes = b""
    pepper_id: int = 0
    restrictions: Restrictions = UNRESTRICTED
    history_days: int = 0

    def require(self, scope: str) -> None:
        if scope not in self.scopes:
            raise PermissionDenied(
                f"This key lacks the scope {scope}.",
                code="missing_scope",
                headers={"X-Required-Scope": scope},
            )

    def require_address(self, address: str | None) -> None:
        require_address(self.restrictions.networks, address)


def require_address(networks: tuple[Network, ...], address: str | None) -> None:
    """Refuses an address, also one that is not known, where there is a list and it does not hold it."""
    if networks and not holds(networks, address):
        known = parse_address(address)
        raise PermissionDenied(
            f"Requests from {known or 'an unknown address'} are not allowed.", code="address_not_allowed"
        )


class IdentityCache:
    """Identities by key prefix, each trusted for `CACHE_SECONDS`; the oldest falls out."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[float, Identity]] = OrderedDict()

    def get(self, prefix: str) -> Identity | None:
        entry = self._entries.get(prefix)
        if entry is None or time.monotonic() - entry[0] > CACHE_SECONDS:
            return None
        return entry[1]

    def put(self, prefix: str, identity: Identity, *, read_at: float) -> None:
        """`read_at` is the monotonic time from before the database was asked."""
        self._entries[prefix] = (read_at, identity)
        self._entries.move_to_end(prefix)
        if len(self._entries) > CACHE_ENTRIES:
            self._entries.popitem(last=False)

    def forget(self, prefix: str) -> None:
        self._entries.pop(prefix, None)

    def clear(self) -> None:
        self._entries.clear()


cache = IdentityCache()


def parse_or_refuse(raw: str | None) -> secrets.ParsedKey:
    """Refuses what cannot be a key before any I/O."""
    if not raw:
        raise Unauthenticated(f"Send your API key in the {HEADER} header.", code="missing_api_key")
    parsed = secrets.parse(raw)
    if parsed is None:
        raise Unauthenticated(_REFUSED)
    return parsed


def cached(parsed: secrets.ParsedKey) -> Identity | None:
    """The identity where it is in the cache; raises `Unauthenticated` where the key does not prove it."""
    identity = cache.get(parsed.prefix)
    return _proved(parsed, identity) if identity else None


def load(parsed: secrets.ParsedKey) -> Identity:
    """Asks the database. An unknown prefix and a wrong secret give one and the same refusal."""
    read_at = time.monotonic()
    identity = _read(ApiKey.objects.usable().filter(prefix=parsed.prefix))
    if identity is None:
        cache.forget(parsed.prefix)
        raise Unauthenticated(_REFUSED)
    identity = _proved(parsed, identity)
    cache.put(parsed.prefix, identity, read_at=read_at)
    return identity


def _read(keys: QuerySet[ApiKey]) -> Identity | None:
    row = keys.values_list(
        "id",
        "organization_id",
        "mode",
        "scopes",
        "hash",
        "pepper_id",
        "expires_at",
        "organization__policy_version",
        "organization__is_suspended",
        "prefix",
        "organization__history_days",
        *NAMES,
    ).first()
    if row is None:
        return None
    return Identity(
        key_id=row[0],
        organization_id=row[1],
        key_prefix=row[9],
        mode=row[2],
        scopes=frozenset(row[3]),
        hash=bytes(row[4]),
        pepper_id=row[5],
        expires_at=row[6].timestamp() if row[6] else None,
        policy_version=row[7],
        suspended=row[8],
        history_days=row[10],
        restrictions=Restrictions.from_row(row[11:]) or UNRESTRICTED,
    )


def authenticate(raw: str | None) -> Identity:
    """The identity of a key; raises `Unauthenticated`, or `PermissionDenied` for a suspended organization."""
    parsed = parse_or_refuse(raw)
    return cached(parsed) or load(parsed)


def identity_of_person(*, user_id: int, organization_id: UUID) -> Identity:
    """A member in the playground: may speak, as live traffic, without a key. Asks the database."""
    membership = (
        Membership.objects.filter(user_id=user_id, organization_id=organization_id, user__is_active=True)
        .select_related("organization")
        .first()
    )
    if membership is None:
        raise Unauthenticated("You no longer belong to this organization.", code="not_signed_in")
    return _not_suspended(_without_key(membership.organization))


def identity_of_key(key_id: UUID) -> Identity:
    """For work that goes on after the call that proved the key. Asks the database.

    Where the key was rotated and its overlap is over, the key in its place counts. Raises `Unauthenticated`
    for one that was revoked or has expired, `PermissionDenied` for a suspended organization.
    """
    seen: set[UUID] = set()
    found: UUID | None = key_id
    while found is not None and found not in seen:
        if identity := _read(ApiKey.objects.usable().filter(pk=found)):
            return _not_suspended(identity)
        seen.add(found)
        successors = ApiKey.objects.filter(pk=found, revoked_at=None)
        found = successors.values_list("rotated_to", flat=True).first()
    raise Unauthenticated("The API key that this is done for was revoked or has expired.")


def identity_of_organization(organization_id: UUID) -> Identity:
    """The organization itself, as live traffic, without a key. Asks the database."""
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is None:
        raise Unauthenticated("This organization does not exist any more.")
    return _not_suspended(_without_key(organization))


def _without_key(organization: Organization) -> Identity:
    return Identity(
        organization_id=organization.pk,
        key_id=None,
        key_prefix="",
        mode=ApiKey.Mode.LIVE.value,
        scopes=frozenset({ApiKey.Scope.SPEECH.value}),
        policy_version=organization.policy_version,
        suspended=organization.is_suspended,
        history_days=organization.history_days,
    )


def _proved(parsed: secrets.ParsedKey, identity: Identity) -> Identity:
    if not secrets.proves(
        parsed.secret, stored=identity.hash, pepper_id=identity.pepper_id, peppers=settings.KEY_PEPPERS
    ):
        raise Unauthenticated(_REFUSED)
    if identity.expires_at is not None and identity.expires_at <= timezone.now().timestamp():
        raise Unauthenticated(_REFUSED)
    return _not_suspended(identity)


def _not_suspended(identity: Identity) -> Identity:
    if identity.suspended:
        raise PermissionDenied("This organization is suspended.", code="organization_suspended")
    return identity
