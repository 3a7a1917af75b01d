"""What must be so before a deployment is made or started: money, room, and a price."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings

from apps.accounts.models import Organization
from apps.core.errors import Conflict, PaymentRequired
from apps.deployments import prices
from apps.deployments.models import Budget, Deployment
from apps.deployments.specification import Hardware


def price_of(provider: str, kind: str, hardware: Hardware) -> Decimal | None:
    """As the provider told it last; the list's where it asks for no money."""
    if provider == Deployment.Provider.LOCAL:
        return hardware.list_price
    return prices.price_of(
        provider=provider,
        kind=kind,
        gpu=hardware.gpu,
        gpu_count=hardware.gpu_count,
        is_spot=hardware.is_spot,
    )


def require_budget(organization: Organization | None) -> None:
    """Raises `PaymentRequired` where an organization's budget is used up."""
    used_up = Budget.objects.exclude(exhausted_at=None)
    if organization is not None and used_up.filter(organization=organization).exists():
        raise PaymentRequired(
            "Your organization's budget for deployments is used up this month. Raise it to start them again."
        )


def require_room(organization: Organization | None) -> None:
    """Raises `Conflict` where an organization has as many deployments as it may run."""
    if organization is None:
        return
    # Locked, so that two requests at the same moment do not both find room.
    Organization.objects.select_for_update().get(pk=organization.pk)
    running = Deployment.objects.for_organization(organization).active().count()
    if running >= settings.LIMIT_DEPLOYMENTS:
        raise Conflict(
            f"Your organization may run {settings.LIMIT_DEPLOYMENTS} deployments at once. "
            "Stop or delete one first.",
            code="too_many_deployments",
        )
