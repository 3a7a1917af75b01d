"""Issue, restrict, rotate and revoke keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Unpack
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.accounts.services import bump_policy
from apps.core.errors import Conflict, InvalidRequest
from apps.keys import events, secrets
from apps.keys import restrictions as restricting
from apps.keys.models import ApiKey
from apps.keys.restrictions import NAMES, RestrictionFields

MAX_KEYS = 100
MAX_OVERLAP_SECONDS = 30 * 24 * 3600
USED_EVERY_SECONDS = 60


@dataclass(frozen=True)
class IssuedKey:
    """A key and its secret, which exists nowhere else from now on."""

    key: ApiKey
    secret: str


@transaction.atomic
def issue_key(
    *,
    organization: Organization,
    name: str,
    mode: str,
    scopes: Iterable[str],
    created_by: User | None,
    expires_at: datetime | None = None,
    **restrictions: Unpack[RestrictionFields],
) -> IssuedKey:
    _require_room(organization.pk)
    issued = _create(
        organization=organization,
        name=_clean_name(name),
        mode=_clean_mode(mode),
        scopes=_clean_scopes(scopes),
        created_by=created_by,
        expires_at=_clean_expiry(expires_at),
        restrictions=restricting.clean(restrictions),
    )
    events.created(issued.key)
    return issued


@transaction.atomic
def restrict_key(
    *, key: ApiKey, by: User | None, name: str | None = None, **restrictions: Unpack[RestrictionFields]
) -> None:
    """Changes what is given, in force everywhere at once; `None` or an empty list lifts a restriction.

    Raises `InvalidRequest`, or `Conflict` for a key that has ended.
    """
    changes = restricting.clean(restrictions)
    if name is not None:
        changes["name"] = _clean_name(name)
    locked = ApiKey.objects.select_for_update().get(pk=key.pk)
    if not locked.is_usable:
        raise Conflict(f"This key is {locked.state}; it can no longer be changed.")
    changed = {field for field, value in changes.items() if getattr(locked, field) != value}
    if changed:
        ApiKey.objects.filter(pk=key.pk).update(**changes, updated_at=timezone.now())
    if changed - {"name"}:
        bump_policy(organization_id=key.organization_id)
    key.refresh_from_db(fields=[*changes, "updated_at"])


@transaction.atomic
def rotate_key(*, key: ApiKey, overlap_seconds: int, by: User | None) -> IssuedKey:
    """A new key that is and may what the old one does; the old one works on for the overlap.

    Characters of a month are counted for each key: the new one begins with none.
    """
    if not 0 <= overlap_seconds <= MAX_OVERLAP_SECONDS:
        raise InvalidRequest("The overlap must be between 0 seconds and 30 days.", param="overlap_seconds")
    key = ApiKey.objects.select_for_update().get(pk=key.pk)
    if key.state != ApiKey.State.ACTIVE:
        raise Conflict(f"This key is {key.state}; only an active key can be rotated.")
    if overlap_seconds:
        _require_room(key.organization_id)
    issued = _create(
        organization=key.organization,
        name=key.name,
        mode=key.mode,
        scopes=key.scopes,
        created_by=by,
        expires_at=key.expires_at,
        restrictions={name: getattr(key, name) for name in NAMES},
    )
    ends = timezone.now() + timedelta(seconds=overlap_seconds)
    key.expires_at = min(ends, key.expires_at) if key.expires_at else ends
    key.rotated_to = issued.key
    key.save(update_fields=["expires_at", "rotated_to", "updated_at"])
    events.rotated(issued.key, replaced=key)
    bump_policy(organization_id=key.organization_id)
    return issued


@transaction.atomic
def revoke_key(*, key: ApiKey, by: User | None) -> None:
    """Ends a key at once, everywhere. Revoking twice is no error and changes nothing."""
    revoked = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(
        revoked_at=timezone.now(), updated_at=timezone.now()
    )
    if revoked:
        events.revoked(key)
        bump_policy(organization_id=key.organization_id)
    key.refresh_from_db(fields=["revoked_at", "updated_at"])


def touch_keys(key_ids: Iterable[UUID]) -> None:
    """Notes that keys were used, each at most once a minute whatever the traffic."""
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(seconds=USED_EVERY_SECONDS))
    ApiKey.objects.filter(stale, pk__in=list(key_ids)).update(last_used_at=now)


def _create(
    *,
    organization: Organization,
    name: str,
    mode: str,
    scopes: list[str],
    created_by: User | None,
    expires_at: datetime | None,
    restrictions: dict[str, Any],
) -> IssuedKey:
    secret = secrets.generate(mode)
    parsed = secrets.parse(secret)
    assert parsed is not None  # noqa: S101 - what we generate is well-formed
    pepper_id, pepper = next(iter(settings.KEY_PEPPERS.items()))
    key = ApiKey.objects.create(
        organization=organization,
        name=name,
        mode=mode,
        prefix=parsed.prefix,
        last4=secret[-4:],
        hash=secrets.digest(secret, pepper),
        pepper_id=pepper_id,
        scopes=scopes,
        expires_at=expires_at,
        created_by=created_by,
        **restrictions,
    )
    return IssuedKey(key=key, secret=secret)


def _require_room(organization_id: UUID) -> None:
    """The row lock makes the count true where two requests issue at once."""
    Organization.objects.select_for_update().get(pk=organization_id)
    if ApiKey.objects.filter(organization_id=organization_id).usable().count() >= MAX_KEYS:
        raise Conflict(f"An organization can have {MAX_KEYS} usable keys. Revoke one first.")


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 80:
        raise InvalidRequest("A key needs a name of 1 to 80 characters.", param="name")
    return name


def _clean_mode(mode: str) -> str:
    if mode not in ApiKey.Mode.values:
        raise InvalidRequest("The mode is live or test.", param="mode")
    return mode


def _clean_scopes(scopes: Iterable[str]) -> list[str]:
    chosen = set(scopes)
    if not chosen or not chosen <= set(ApiKey.Scope.values):
        raise InvalidRequest("Choose at least one scope: speech, manage.", param="scopes")
    return sorted(chosen, reverse=True)


def _clean_expiry(expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidRequest("The expiry must lie in the future.", param="expires_at")
    return expires_at
