"""Pages about the person: earnings, profile, consents, export, erasure."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.contributions import exporting, leaving, ledger, people, showing, withdrawing
from apps.contributions.forms import EraseForm, PayoutForm, ProfileForm, WithdrawForm
from apps.contributions.models import Clip, ConsentRecord, Payout
from apps.contributions.payouts import MINIMUM_CENTS
from apps.contributions.visiting import ContributorRequest, contributor_required
from apps.core.errors import AppError

EARNINGS_PER_PAGE = 25


@require_safe
@contributor_required
def earnings(request: ContributorRequest) -> HttpResponse:
    contributor = request.contributor
    page = Paginator(showing.earnings(contributor), EARNINGS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "balance": ledger.balance(contributor),
        "page": page,
        "earnings": [showing.earning_of(posting) for posting in page],
        "payouts": Payout.objects.filter(contributor=contributor).exclude(state=Payout.State.CANCELLED),
        "minimum_cents": MINIMUM_CENTS,
        "has_account": bool(contributor.payout_account),
    }
    return render(request, "contributions/earnings.html", context)


@require_safe
@contributor_required
def you(request: ContributorRequest) -> HttpResponse:
    return _you_page(request)


@require_POST
@contributor_required
def profile_update(request: ContributorRequest) -> HttpResponse:
    form = ProfileForm(request.POST, auto_id="profile_%s")
    if form.is_valid():
        try:
            people.describe(request.contributor, **form.cleaned_data)
        except AppError as error:
            form.add_error(error.param, error.message)
        else:
            messages.success(request, "Your profile is saved.")
            return redirect("contribute_you")
    return _you_page(request, profile_form=form)


@require_POST
@contributor_required
def payout_update(request: ContributorRequest) -> HttpResponse:
    form = PayoutForm(request.POST, auto_id="payout_%s")
    if form.is_valid():
        try:
            people.set_payout_account(request.contributor, form.cleaned_data["payout_account"])
        except AppError as error:
            form.add_error(error.param, error.message)
        else:
            messages.success(request, "Your account for payouts is saved.")
            return redirect("contribute_you")
    return _you_page(request, payout_form=form)


@require_safe
@contributor_required
def data(request: ContributorRequest) -> HttpResponse:
    contributor = request.contributor
    records = [(record, exporting.withdrawal_of(record)) for record in exporting.consents_of(contributor)]
    live = Clip.objects.filter(contributor=contributor).exclude(state=Clip.State.WITHDRAWN)
    context = {
        "records": records,
        "clip_count": live.count(),
        "is_live": any(withdrawal and withdrawal.state == "requested" for _, withdrawal in records),
    }
    return render(request, "contributions/data.html", context)


@require_http_methods(["GET", "POST"])
@contributor_required
def consent_withdraw(request: ContributorRequest, consent_id: UUID) -> HttpResponse:
    record = (
        ConsentRecord.objects.filter(contributor=request.contributor, pk=consent_id)
        .select_related("campaign", "text")
        .first()
    )
    if record is None:
        raise Http404
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            withdrawing.withdraw(record, reason=form.cleaned_data["reason"])
        except AppError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "Your consent is withdrawn.")
        return redirect("contribute_data")
    is_needed = record.purpose in record.campaign.purposes
    clips = Clip.objects.filter(contributor=request.contributor, campaign=record.campaign)
    context = {
        "record": record,
        "form": form,
        "is_needed": is_needed,
        "clip_count": clips.exclude(state=Clip.State.WITHDRAWN).count() if is_needed else 0,
    }
    return render(request, "contributions/withdraw.html", context, status=400 if form.errors else 200)


@require_safe
@contributor_required
def export(request: ContributorRequest) -> HttpResponseBase:
    return exporting.answer(request, request.contributor)


@require_http_methods(["GET", "POST"])
@contributor_required
def erase(request: ContributorRequest) -> HttpResponse:
    form = EraseForm(request.POST or None)
    if form.is_valid():
        if leaving.erase(request.contributor, request.user):
            logout(request)
            messages.success(request, "You are erased, and your account with it. Your recordings go now.")
            return redirect("account_login")
        messages.success(request, "You are erased as a contributor. Your recordings go now.")
        return redirect("contribute")
    context = {
        "form": form,
        "balance": ledger.balance(request.contributor),
        "account_stays": leaving.has_other_uses(request.user),
    }
    return render(request, "contributions/erase.html", context, status=400 if form.errors else 200)


def _you_page(
    request: ContributorRequest,
    profile_form: ProfileForm | None = None,
    payout_form: PayoutForm | None = None,
) -> HttpResponse:
    contributor = request.contributor
    described = {
        "age_band": contributor.age_band,
        "gender": contributor.gender,
        "accent": contributor.accent,
    }
    context = {
        "profile_form": profile_form or ProfileForm(initial=described, auto_id="profile_%s"),
        "payout_form": payout_form
        or PayoutForm(initial={"payout_account": contributor.payout_account}, auto_id="payout_%s"),
    }
    is_refused = profile_form or payout_form
    return render(request, "contributions/you.html", context, status=400 if is_refused else 200)
