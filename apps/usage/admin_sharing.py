"""Admin's page of what shared deployments cost this month, and who had it spent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.models import Organization
from apps.deployments import costs
from apps.deployments.models import Deployment
from apps.usage import sharing
from apps.usage.sharing import SharedCost


@dataclass(frozen=True, slots=True)
class Part:
    """Of a deployment's cost; without an organization its idle time, or one that is no more."""

    organization: Organization | None
    cost: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class Shared:
    deployment: Deployment
    cost: Decimal
    parts: list[Part]
    idle: Part


def shared_machines(request: HttpRequest) -> HttpResponse:
    """A handful of queries, however many deployments and organizations there are."""
    if not request.user.has_perm("usage.view_usagerecord"):
        raise PermissionDenied
    found = sharing.this_month()
    ids = {organization_id for one in found for organization_id in one.parts}
    organizations = Organization.objects.in_bulk(ids)
    context = admin.site.each_context(request) | {
        "title": "Shared machines",
        "since": costs.month_of(timezone.now()),
        "shared": [_shown(one, organizations) for one in found],
        "cost": sum((one.cost for one in found), costs.ZERO),
        "idle": sum((one.idle for one in found), costs.ZERO),
        "spoken": sum((one.cost - one.idle for one in found), costs.ZERO),
    }
    return render(request, "admin/usage/shared_machines.html", context)


def _shown(one: SharedCost, organizations: dict[Any, Organization]) -> Shared:
    parts = [Part(organizations.get(key), cost, cost / one.cost) for key, cost in one.parts.items()]
    return Shared(
        one.deployment,
        one.cost,
        sorted(parts, key=lambda part: -part.cost),
        Part(None, one.idle, one.idle / one.cost),
    )
