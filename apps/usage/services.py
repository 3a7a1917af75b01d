"""What staff decide about an organization's limits."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from apps.accounts.models import Organization
from apps.accounts.services import bump_policy
from apps.keys.restrictions import clean_ips, clean_voices
from apps.usage.models import OrganizationLimits


@transaction.atomic
def set_limits(
    *,
    organization: Organization,
    requests_per_minute: int | None,
    concurrent_requests: int | None,
    characters_per_request: int | None,
    characters_per_month: int | None = None,
    allowed_voices: Iterable[str] = (),
    allowed_ips: Iterable[str] = (),
    may_use_shared_pool: bool = True,
) -> OrganizationLimits:
    """Live limits of one organization, in force everywhere at once; `None` means the platform's own.

    Voices, addresses and characters of a request bind its test keys, too; no list means any. Raises
    `InvalidRequest`, which names the field.
    """
    limits, _ = OrganizationLimits.objects.update_or_create(
        organization=organization,
        defaults={
            "requests_per_minute": requests_per_minute,
            "concurrent_requests": concurrent_requests,
            "characters_per_request": characters_per_request,
            "characters_per_month": characters_per_month,
            "allowed_voices": clean_voices(allowed_voices),
            "allowed_ips": clean_ips(allowed_ips),
            "may_use_shared_pool": may_use_shared_pool,
        },
    )
    bump_policy(organization_id=organization.pk)
    return limits
