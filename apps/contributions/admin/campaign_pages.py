"""Pages about one campaign: how far it is, whom to trust, sentences that come in, people who are invited."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from apps.contributions import agreement, campaigns, invitation_mails, progress, sentences, suspicions
from apps.contributions.admin.base import do, page, require
from apps.contributions.admin.campaign_forms import ImportForm, InviteForm
from apps.contributions.models import Campaign, CampaignInvitation, Clip
from apps.core.errors import AppError

PROMPTS_A_PAGE = 50
SHOWN_REFUSALS = 200
SHOWN_INVITED = 500
SHOWN_SUSPICIONS = 60
_TONES = {
    Clip.State.ACCEPTED: "good",
    Clip.State.IN_REVIEW: "warning",
    Clip.State.REJECTED: "bad",
}


@require_safe
def progress_page(request: HttpRequest, campaign_id: UUID, model_admin: Any) -> HttpResponse:
    campaign = _viewed(request, campaign_id)
    overview = progress.overview(campaign)
    hours = progress.by_hour(campaign)
    highest = max(1, *(hour.recorded for hour in hours))
    prompts = Paginator(progress.prompts_of(campaign), PROMPTS_A_PAGE).get_page(request.GET.get("p"))
    return page(
        request,
        "progress",
        campaign.name,
        campaign=campaign,
        opts=Campaign._meta,
        object=campaign,
        tab="progress",
        overview=overview,
        states=[
            (label, overview.by_state.get(value, 0), _TONES.get(Clip.State(value), "quiet"))
            for value, label in Clip.State.choices
        ],
        hours=[
            (hour, 100 * hour.recorded / highest, 100 * hour.accepted / highest, number % 6 == 5)
            for number, hour in enumerate(hours)
        ],
        recorded_lately=sum(hour.recorded for hour in hours),
        prompts=prompts,
        speakers=progress.speakers_of(campaign)[: progress.MOST_SPEAKERS],
    )


@require_safe
def trust_page(request: HttpRequest, campaign_id: UUID, model_admin: Any) -> HttpResponse:
    campaign = _viewed(request, campaign_id)
    found = agreement.agreement_of(campaign)
    return page(
        request,
        "trust",
        campaign.name,
        campaign=campaign,
        opts=Campaign._meta,
        object=campaign,
        tab="trust",
        agreement=found,
        tables=[
            (
                "Listeners and staff",
                "Each vote beside what staff decided about the recording.",
                ("Voted for", "Voted against", ""),
                found.votes_and_staff,
            ),
            (
                "Pipeline and people",
                "What the pipeline said first beside what people decided. Recordings that nobody looked at "
                "are left out.",
                ("Accepted", "Rejected", "Sent to review"),
                found.pipeline_and_people,
            ),
        ],
        suspicions=suspicions.suspicions_of(campaign)[:SHOWN_SUSPICIONS],
    )


@require_http_methods(["GET", "POST"])
def import_page(request: HttpRequest, campaign_id: UUID, model_admin: Any) -> HttpResponse:
    campaign = _changed(request, campaign_id)
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    result = None
    if request.method == "POST" and form.is_valid():
        try:
            result = _imported(campaign, form)
        except AppError as refused:
            form.add_error(None, refused.message)
        else:
            model_admin.log_change(request, campaign, f"{result.added:,} sentences imported.")
            form = ImportForm()
    return page(
        request,
        "import",
        campaign.name,
        campaign=campaign,
        opts=Campaign._meta,
        object=campaign,
        tab="import",
        form=form,
        result=result,
        refused=result.refused[:SHOWN_REFUSALS] if result else [],
        more_refused=max(0, len(result.refused) - SHOWN_REFUSALS) if result else 0,
        count=campaign.prompts.count(),
    )


@require_http_methods(["GET", "POST"])
def invite_page(request: HttpRequest, campaign_id: UUID, model_admin: Any) -> HttpResponse:
    campaign = _changed(request, campaign_id)
    form = InviteForm(request.POST if "addresses" in request.POST else None)
    invited = None
    if "remove" in request.POST:
        gone, _ = campaign.invitations.filter(email__in=request.POST.getlist("remove")).delete()
        model_admin.log_change(request, campaign, f"{gone} invitations taken back.")
        model_admin.message_user(request, f"{gone} taken back.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:contributions_campaign_invite", args=[campaign.pk]))
    if "mail" in request.POST:
        invitation = get_object_or_404(campaign.invitations, email=request.POST["mail"])
        _mail(request, invitation, model_admin)
        return HttpResponseRedirect(reverse("admin:contributions_campaign_invite", args=[campaign.pk]))
    if request.method == "POST" and form.is_valid():
        try:
            invited = campaigns.invite(campaign, **form.cleaned_data)
        except AppError as refused:
            form.add_error("addresses", refused.message)
        else:
            model_admin.log_change(request, campaign, f"{invited.added} people invited.")
            form = InviteForm()
    return page(
        request,
        "invite",
        campaign.name,
        campaign=campaign,
        opts=Campaign._meta,
        object=campaign,
        tab="invite",
        form=form,
        invited=invited,
        invitations=campaign.invitations.order_by("email")[:SHOWN_INVITED],
        count=campaign.invitations.count(),
    )


def _mail(request: HttpRequest, invitation: CampaignInvitation, model_admin: Any) -> None:
    campaign = invitation.campaign

    def send() -> None:
        invitation_mails.send_again(invitation)

    if do(model_admin, request, campaign, send, "An invitation is mailed.")[0]:
        when = "now" if campaign.is_running else "once the campaign is open"
        model_admin.message_user(request, f"{invitation.email} is sent a mail {when}.", messages.SUCCESS)


def _imported(campaign: Campaign, form: ImportForm) -> sentences.Imported:
    file = form.cleaned_data["file"]
    if file:
        return sentences.import_csv(campaign, file.read())
    return sentences.import_text(campaign, form.cleaned_data["text"])


def _viewed(request: HttpRequest, campaign_id: UUID) -> Campaign:
    if not any(request.user.has_perm(f"contributions.{verb}_campaign") for verb in ("view", "change")):
        raise PermissionDenied
    return _found(campaign_id)


def _changed(request: HttpRequest, campaign_id: UUID) -> Campaign:
    require(request, "change_campaign")
    return _found(campaign_id)


def _found(campaign_id: UUID) -> Campaign:
    found: Campaign = get_object_or_404(Campaign.objects.select_related("organization"), pk=campaign_id)
    return found
