"""The home page and the playground."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.tenancy import OrganizationRequest, organization_required
from apps.console.overview import overview_of
from apps.console.speakable import speakable
from apps.keys.models import ApiKey
from apps.usage.limits import read_policy

PLAYGROUND_TEXT = (
    "The first sentence is already playing while the second one is still being made. "
    "That is what streaming speech feels like."
)


@require_safe
@organization_required
def overview(request: OrganizationRequest) -> HttpResponse:
    shown = overview_of(request.organization)
    if shown.recent:
        return render(request, "console/overview.html", {"overview": shown})
    has_key = ApiKey.objects.for_organization(request.organization).usable().exists()
    return render(request, "console/first_request.html", {"overview": shown, "has_key": has_key})


@require_safe
@organization_required
def playground(request: OrganizationRequest) -> HttpResponse:
    policy = read_policy(request.organization.pk)
    context = {
        "models": speakable(request.organization, may_use_shared=policy.may_use_shared_pool),
        "limit": policy.live.characters_per_request,
        "text": PLAYGROUND_TEXT,
    }
    return render(request, "console/playground.html", context)
