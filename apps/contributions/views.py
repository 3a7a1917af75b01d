"""Pages for contributors: campaigns, consent, recording, listening, and their own recordings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.contributions import agreeing, consenting, intake, own_clips, showing
from apps.contributions.forms import ConsentForm
from apps.contributions.models import Campaign, Clip, ClipReport, PromptReport
from apps.contributions.visiting import (
    ContributorRequest,
    contributor_required,
    find_campaign,
    is_open_to,
    locale_of,
)
from apps.core.addresses import client_address_of
from apps.core.errors import AppError, NotFound
from apps.core.ids import uuid_or_none
from apps.core.media import serving

CLIPS_PER_PAGE = 20
RECENT_CLIPS = 5
TABS = {"": "All", "accepted": "Accepted", "in_review": "In review", "rejected": "Rejected"}


@require_safe
@contributor_required
def home(request: ContributorRequest) -> HttpResponse:
    return render(request, "contributions/home.html", {"standings": showing.standings(request.contributor)})


@require_safe
@contributor_required
def campaign_detail(request: ContributorRequest, campaign_id: UUID) -> HttpResponse:
    campaign = campaign_or_404(request, campaign_id)
    recent = list(own_clips.listed(request.contributor).filter(campaign=campaign)[:RECENT_CLIPS])
    context = {
        "standing": showing.standing(request.contributor, campaign),
        "campaign": campaign,
        "purposes": showing.purposes_of(campaign),
        "consents": consenting.in_force(request.contributor, campaign).values(),
        "clips": recent,
        "is_live": not showing.is_settled(recent),
    }
    return render(request, "contributions/campaign.html", context)


@require_http_methods(["GET", "POST"])
@contributor_required
def consent(request: ContributorRequest, campaign_id: UUID) -> HttpResponse:
    """Asked once for each version of a text; a person who was suspended may still read and withdraw."""
    campaign = campaign_or_404(request, campaign_id)
    asks = agreeing.asks(request.contributor, campaign, locale_of(request))
    open_asks = [ask for ask in asks if not ask.is_agreed]
    form = ConsentForm(
        request.POST or None,
        needed=[ask.purpose for ask in open_asks if ask.is_needed],
        optional=[ask.purpose for ask in open_asks if not ask.is_needed],
    )
    if form.is_valid():
        try:
            agreeing.agree(
                request.contributor,
                campaign,
                shown=form.shown,
                is_adult=form.cleaned_data["is_adult"],
                address=client_address_of(request),
                user_agent=request.headers.get("User-Agent", ""),
            )
        except AppError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, "Your consent is recorded. You can withdraw it under My data.")
            return redirect("contribute_record", campaign_id=campaign.pk)
    context = {
        "campaign": campaign,
        "form": form,
        "asks": [(ask, *_fields_of(form, ask)) for ask in asks],
        "has_texts": set(campaign.purposes) <= {ask.purpose for ask in asks},
        "is_asked": bool(open_asks),
    }
    return render(request, "contributions/consent.html", context, status=400 if form.errors else 200)


@require_safe
@contributor_required
@ensure_csrf_cookie
def record(request: ContributorRequest, campaign_id: UUID) -> HttpResponse:
    campaign = campaign_or_404(request, campaign_id)
    if is_open_to(request.contributor, campaign) and not consenting.may_record(request.contributor, campaign):
        return redirect("contribute_consent", campaign_id=campaign.pk)
    context = {
        "campaign": campaign,
        "standing": showing.standing(request.contributor, campaign),
        "reasons": [choice for choice in PromptReport.Reason.choices if choice[0] != "skipped"],
        "longest_seconds": intake.MAX_TOLD_MS // 1000,
        "first_prompt": uuid_or_none(request.GET.get("prompt", "")),
    }
    return render(request, "contributions/record.html", context)


@require_safe
@contributor_required
@ensure_csrf_cookie
def listen(request: ContributorRequest) -> HttpResponse:
    longest = ClipReport._meta.get_field("reason").max_length
    return render(request, "contributions/listen.html", {"longest_reason": longest})


@require_safe
@contributor_required
def clip_list(request: ContributorRequest) -> HttpResponse:
    state = request.GET.get("state", "")
    state = state if state in TABS else ""
    clips = own_clips.listed(request.contributor)
    clips = clips.filter(state=state) if state else clips.exclude(state=Clip.State.WITHDRAWN)
    page = Paginator(clips, CLIPS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "tabs": TABS.items(),
        "state": state,
        "is_live": not showing.is_settled(page),
    }
    return render(request, "contributions/clips.html", context)


@require_safe
@contributor_required
def clip_detail(request: ContributorRequest, clip_id: UUID) -> HttpResponse:
    clip = _clip_or_404(request, clip_id)
    context = {
        "clip": clip,
        "lines": showing.report_lines(clip),
        "is_live": not showing.is_settled([clip]),
        "can_record_again": clip.state == Clip.State.REJECTED
        and is_open_to(request.contributor, clip.campaign),
    }
    return render(request, "contributions/clip.html", context)


@require_POST
@contributor_required
def clip_delete(request: ContributorRequest, clip_id: UUID) -> HttpResponse:
    clip = _clip_or_404(request, clip_id)
    try:
        own_clips.delete(request.contributor, clip)
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The recording is deleted.")
    return redirect("contribute_clips")


@require_safe
@contributor_required
def clip_audio(request: ContributorRequest, clip_id: UUID) -> HttpResponseBase:
    try:
        sound = own_clips.sound_of(_clip_or_404(request, clip_id))
    except NotFound as error:
        raise Http404 from error
    return serving.answer(request, sound)


def campaign_or_404(request: ContributorRequest, campaign_id: UUID) -> Campaign:
    try:
        return find_campaign(request.contributor, campaign_id)
    except NotFound as error:
        raise Http404 from error


def _clip_or_404(request: ContributorRequest, clip_id: UUID) -> Clip:
    try:
        return own_clips.find(request.contributor, clip_id)
    except NotFound as error:
        raise Http404 from error


def _fields_of(form: ConsentForm, ask: agreeing.Ask) -> tuple[Any, Any]:
    """Its box and what names its text; neither where it was agreed to before."""
    if ask.is_agreed:
        return None, None
    return form[f"agree_{ask.purpose}"], form[f"sha256_{ask.purpose}"]
