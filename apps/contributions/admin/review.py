"""The review queue: one clip after the other, decided by one key; each answer is the next clip alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from apps.contributions import deciding, review_queue
from apps.contributions.admin.base import page, require, staff_of
from apps.contributions.models import Campaign, Clip, Decision
from apps.contributions.quality import Verdict
from apps.contributions.review_queue import Filters
from apps.core.errors import AppError
from apps.core.ids import uuid_or_none

MAX_REASON = 500


@require_safe
def review_page(request: HttpRequest, model_admin: Any) -> HttpResponse:
    _require_view(request)
    filters = Filters.of(request.GET)
    clip = _named(request) or review_queue.next_clip(filters)
    return page(
        request,
        "review",
        "Review clips",
        opts=Clip._meta,
        is_fullwidth="1",
        campaigns=Campaign.objects.order_by("name").values_list("pk", "name"),
        states=[choice for choice in Clip.State.choices if choice[0] in _SHOWN],
        measures=[(name, name.replace("_", " ").capitalize()) for name in review_queue.MEASURES],
        verdicts=[(verdict.value, verdict.value.capitalize()) for verdict in Verdict],
        **_shown(request, clip, filters),
    )


@require_safe
def next_part(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """The clip after the one that `after` names, in the order of the queue."""
    _require_view(request)
    filters = Filters.of(request.GET)
    after = uuid_or_none(request.GET.get("after"))
    return _part(request, review_queue.next_clip(filters, after=after), filters)


@require_POST
def decide_part(request: HttpRequest, clip_id: UUID, model_admin: Any) -> HttpResponse:
    """Decides and goes on; where somebody else was first, says so and goes on too."""
    require(request, "change_clip")
    filters = Filters.of(request.GET)
    clip = get_object_or_404(Clip.objects.select_related("campaign", "prompt", "contributor"), pk=clip_id)
    to = request.POST.get("to")
    reason = " ".join(request.POST.get("reason", "").split())[:MAX_REASON]
    if to not in (Clip.State.ACCEPTED, Clip.State.REJECTED) or (to == Clip.State.REJECTED and not reason):
        return _part(request, clip, filters, problem="Say why it is rejected: the contributor reads it.")
    try:
        deciding.decide(
            clip, to=Clip.State(to), source=Decision.Source.STAFF, reason=reason, by=staff_of(request)
        )
    except AppError as error:
        following = review_queue.next_clip(filters, after=clip.pk)
        return _part(request, following, filters, problem=f"{error.message} Nothing was changed.")
    words = f"{'Accepted' if to == Clip.State.ACCEPTED else 'Rejected'}: “{clip.prompt.text}”"
    model_admin.log_change(request, clip, f"{words} {reason}".strip())
    return _part(request, review_queue.next_clip(filters, after=clip.pk), filters, done=words)


@require_POST
def undo_part(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """Takes back what this person decided last, and shows that clip again."""
    require(request, "change_clip")
    filters = Filters.of(request.GET)
    try:
        clip = review_queue.undo_last(staff_of(request))
    except AppError as error:
        after = uuid_or_none(request.POST.get("clip"))
        shown = Clip.objects.filter(pk=after).first() if after else None
        return _part(request, shown, filters, problem=error.message)
    model_admin.log_change(request, clip, "Decision undone.")
    return _part(request, clip, filters, done="Undone: decide again.")


_SHOWN = (Clip.State.IN_REVIEW, Clip.State.ACCEPTED, Clip.State.REJECTED)


def _part(
    request: HttpRequest, clip: Clip | None, filters: Filters, *, done: str = "", problem: str = ""
) -> HttpResponse:
    shown = _shown(request, clip, filters) | {"done": done, "problem": problem}
    response = render(request, "admin/contributions/review_clip.html", shown)
    response["Cache-Control"] = "no-store"
    return response


def _shown(request: HttpRequest, clip: Clip | None, filters: Filters) -> dict[str, Any]:
    return {
        "clip": clip,
        "known": review_queue.known_of(clip) if clip else {},
        "filters": filters,
        "query": urlencode(filters.as_query()),
        "left": review_queue.clips_for(filters).count(),
        "reasons": list(enumerate(review_queue.REASONS, start=1)),
        "may_decide": request.user.has_perm("contributions.change_clip"),
        "is_open": clip is not None and clip.state in Clip.UNDECIDED,
    }


def _named(request: HttpRequest) -> Clip | None:
    clip_id = uuid_or_none(request.GET.get("clip"))
    if clip_id is None:
        return None
    return Clip.objects.select_related("campaign", "prompt", "contributor").filter(pk=clip_id).first()


def _require_view(request: HttpRequest) -> None:
    if not any(request.user.has_perm(f"contributions.{verb}_clip") for verb in ("view", "change")):
        raise PermissionDenied
