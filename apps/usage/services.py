"""What staff decide about an organization's limits."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.models import Organization
from apps.accounts.services import bump_policy
from apps.usage.models import OrganizationLimits


@transaction.atomic
def set_limits(
    *,
    organization: Organization,
    requests_per_minute: int | None,
    concurrent_requests: int | None,
    characters_per_request: int | None,
) -> OrganizationLimits:
    """Live limits of one organization, in force everywhere at once; `None` means the platform's own."""
    limits, _ = OrganizationLimits.objects.update_or_create(
        organization=organization,
        defaults={
            "requests_per_minute": requests_per_minute,
            "concurrent_requests": concurrent_requests,
            "characters_per_request": characters_per_request,
        },
    )
    bump_policy(organization_id=organization.pk)
    return limits
