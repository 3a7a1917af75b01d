"""Settings, and the organizations a person belongs to."""

from __future__ import annotations

from django.conf import settings as platform
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import services
from apps.accounts.forms import HistoryForm, OrganizationForm, ProfileForm
from apps.accounts.models import Membership, User
from apps.accounts.tenancy import (
    SESSION_KEY,
    OrganizationRequest,
    manager_required,
    memberships_of,
    organization_required,
)


@require_safe
@organization_required
def settings(request: OrganizationRequest) -> HttpResponse:
    return _settings_page(request)


@require_POST
@organization_required
def profile_update(request: OrganizationRequest) -> HttpResponse:
    form = ProfileForm(request.POST, auto_id="profile_%s")
    if not form.is_valid():
        return _settings_page(request, profile_form=form)
    services.rename_user(user=request.user, name=form.cleaned_data["name"])
    messages.success(request, "Your profile is saved.")
    return redirect("settings")


@require_POST
@manager_required
def organization_update(request: OrganizationRequest) -> HttpResponse:
    form = OrganizationForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, organization_form=form)
    services.rename_organization(organization=request.organization, name=form.cleaned_data["name"])
    messages.success(request, "The organization is renamed.")
    return redirect("settings")


@require_POST
@manager_required
def history_update(request: OrganizationRequest) -> HttpResponse:
    form = HistoryForm(request.POST, days=request.organization.history_days)
    if not form.is_valid():
        return _settings_page(request, history_form=form)
    days = form.cleaned_data["history_days"]
    services.set_history_days(organization=request.organization, days=days)
    if days:
        messages.success(request, f"Requests are kept from now on, for {days} day{'' if days == 1 else 's'}.")
    else:
        messages.success(request, "History is off. What was kept goes when its days are over.")
    return redirect("settings")


@require_http_methods(["GET", "POST"])
@login_required
def organization_create(request: HttpRequest) -> HttpResponse:
    """Also where a person lands who belongs nowhere yet."""
    form = OrganizationForm(request.POST or None)
    if form.is_valid():
        owner = request.user
        assert isinstance(owner, User)  # noqa: S101 - behind login_required
        organization = services.create_organization(name=form.cleaned_data["name"], owner=owner)
        request.session[SESSION_KEY] = str(organization.pk)
        return redirect("overview")
    context = {"form": form, "has_another": bool(memberships_of(request))}
    return render(request, "settings/organization_create.html", context, status=400 if form.errors else 200)


@require_POST
@login_required
def organization_switch(request: HttpRequest) -> HttpResponse:
    """Chooses one of the person's own organizations for this session; 404 for any other."""
    chosen = request.POST.get("organization", "")
    if chosen not in {str(membership.organization_id) for membership in memberships_of(request)}:
        raise Http404
    request.session[SESSION_KEY] = chosen
    return redirect("overview")


def _settings_page(
    request: OrganizationRequest,
    profile_form: ProfileForm | None = None,
    organization_form: OrganizationForm | None = None,
    history_form: HistoryForm | None = None,
) -> HttpResponse:
    organization = request.organization
    context = {
        "profile_form": profile_form
        or ProfileForm(initial={"name": request.user.name}, auto_id="profile_%s"),
        "organization_form": organization_form or OrganizationForm(initial={"name": organization.name}),
        "history_form": history_form or HistoryForm(days=organization.history_days),
        "has_other_sign_ins": bool(platform.SOCIALACCOUNT_PROVIDERS),
        "members": Membership.objects.for_organization(organization).select_related("user"),
    }
    is_refused = profile_form or organization_form or history_form
    return render(request, "settings/settings.html", context, status=400 if is_refused else 200)
