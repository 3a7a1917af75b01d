"""Pages of the history: every member searches and hears, owners and admins delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.tenancy import OrganizationRequest, manager_required, organization_required
from apps.core.errors import Unavailable
from apps.core.media import serving
from apps.core.media.links import Linked
from apps.tts.history import items
from apps.tts.history.forms import DeleteAllForm
from apps.tts.history.listing import HistoryFilterSerializer, listed
from apps.tts.history.models import HistoryItem
from apps.usage.reports import voice_names

ITEMS_PER_PAGE = 20


@require_safe
@organization_required
def history(request: OrganizationRequest) -> HttpResponse:
    wanted, problem = _asked(request.GET)
    found = listed(request.organization, **wanted).select_related("key")
    page = Paginator(found, ITEMS_PER_PAGE).get_page(request.GET.get("page"))
    is_filtered = any(wanted.values())
    context = {
        "page": page,
        "voice_names": voice_names(request.organization, (item.voice for item in page)),
        "wanted": wanted,
        "problem": problem,
        "is_filtered": is_filtered,
        "is_empty": not page.paginator.count and not (is_filtered and _has_any(request)),
    }
    return render(request, "history/list.html", context)


@require_safe
@organization_required
def history_item(request: OrganizationRequest, item_id: UUID) -> HttpResponse:
    item = _item_or_404(request, item_id)
    names = voice_names(request.organization, [item.voice])
    return render(request, "history/item.html", {"item": item, "voice_names": names})


@require_safe
@organization_required
def history_audio(request: OrganizationRequest, item_id: UUID) -> HttpResponseBase:
    item = _item_or_404(request, item_id)
    return serving.answer(
        request,
        Linked(
            key=item.media_key,
            expires_at=0,  # nobody is given a link
            filename=item.filename,
            content_type=item.content_type,
            attachment=False,
        ),
    )


@require_http_methods(["GET", "POST"])
@manager_required
def history_delete(request: OrganizationRequest, item_id: UUID) -> HttpResponse:
    item = _item_or_404(request, item_id)
    if request.method != "POST":
        return render(request, "history/delete.html", {"item": item})
    try:
        items.delete_item(item=item)
    except Unavailable as error:
        return render(request, "history/delete.html", {"item": item, "problem": error.message}, status=503)
    messages.success(request, "The request is deleted: its text and its audio are gone.")
    return redirect("history")


@require_http_methods(["GET", "POST"])
@manager_required
def history_delete_all(request: OrganizationRequest) -> HttpResponse:
    form = DeleteAllForm(request.POST or None, organization=request.organization)
    if form.is_valid():
        items.delete_all(organization=request.organization)
        messages.success(request, "The history is deleted. Its audio is removed within minutes.")
        return redirect("history")
    context = {"form": form, "count": HistoryItem.objects.shown(request.organization).count()}
    return render(request, "history/delete_all.html", context, status=400 if form.errors else 200)


def _asked(query: QueryDict) -> tuple[dict[str, Any], str | None]:
    """What the URL asks for; where it makes no sense, everything, and what is wrong with it."""
    asked = HistoryFilterSerializer(data={name: value for name, value in query.items() if value})
    if asked.is_valid():
        return asked.validated_data, None
    return {"q": ""}, next(str(messages[0]) for messages in asked.errors.values())


def _has_any(request: OrganizationRequest) -> bool:
    return listed(request.organization).exists()


def _item_or_404(request: OrganizationRequest, item_id: UUID) -> HistoryItem:
    shown = HistoryItem.objects.shown(request.organization).select_related("key")
    found: HistoryItem = get_object_or_404(shown, pk=item_id)
    return found
