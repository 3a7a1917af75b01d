"""The home page and the playground."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.models import Organization
from apps.accounts.tenancy import OrganizationRequest, organization_required
from apps.console.overview import overview_of
from apps.keys.models import ApiKey
from apps.tts.history.listing import history_item_of
from apps.tts.history.models import HistoryItem
from apps.tts.speakable import SpeakableModel, speakable
from apps.usage.limits import read_policy
from apps.usage.reports import voice_names

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
    models = speakable(request.organization, may_use_shared=policy.may_use_shared_pool)
    context: dict[str, object] = {
        "models": models,
        "limit": policy.live.characters_per_request,
        "text": PLAYGROUND_TEXT,
    }
    again = history_item_of(request.organization, request.GET.get("again"))
    if again is not None:
        context |= _spoken_again(request.organization, again, models)
    return render(request, "console/playground.html", context)


def _spoken_again(
    organization: Organization, item: HistoryItem, models: list[SpeakableModel]
) -> dict[str, object]:
    """The request with its own voice, also where that is offered no more: never another one in silence."""
    offered = {(model.name, voice.id) for model in models for voice in model.voices}
    return {
        "again": item,
        "again_is_offered": (item.model, item.voice) in offered,
        "text": item.text,
        "voice_names": voice_names(organization, [item.voice]),
    }
