"""Pages of keys: everybody of the organization sees them, owners and admins manage them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.tenancy import OrganizationRequest, manager_required, organization_required
from apps.core.errors import AppError
from apps.keys import services
from apps.keys.forms import EditKeyForm, KeyFilterForm, NewKeyForm, RevokeKeyForm, RotateKeyForm
from apps.keys.listing import listed_keys, sort_of
from apps.keys.models import ApiKey

KEYS_PER_PAGE = 25


@require_safe
@organization_required
def key_list(request: OrganizationRequest) -> HttpResponse:
    filters = KeyFilterForm(request.GET)
    sort = sort_of(request.GET)
    keys = listed_keys(request.organization, filters, sort)
    context = {
        "page": Paginator(keys, KEYS_PER_PAGE).get_page(request.GET.get("page")),
        "filters": filters,
        "is_filtered": any(filters.cleaned_data.values()),
        "sort": sort,
    }
    return render(request, "keys/list.html", context)


@require_http_methods(["GET", "POST"])
@manager_required
def key_create(request: OrganizationRequest) -> HttpResponse:
    form = NewKeyForm(request.POST or None)
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            issued = services.issue_key(
                organization=request.organization,
                name=chosen["name"],
                mode=chosen["mode"],
                scopes=chosen["scopes"],
                expires_at=chosen["expiry"],
                created_by=request.user,
                **form.restrictions,
            )
        except AppError as error:
            _refuse(form, error)
        else:
            return _shown_once(request, issued)
    return _form_page(request, "keys/create.html", form)


@require_http_methods(["GET", "POST"])
@manager_required
def key_edit(request: OrganizationRequest, key_id: UUID) -> HttpResponse:
    key = _key_or_404(request, key_id)
    form = EditKeyForm.of(key, request.POST or None)
    if form.is_valid():
        try:
            services.restrict_key(
                key=key, by=request.user, name=form.cleaned_data["name"], **form.restrictions
            )
        except AppError as error:
            _refuse(form, error)
        else:
            messages.success(request, f"{key.name} is changed. What you set holds from the next request on.")
            return redirect("keys")
    return _form_page(request, "keys/edit.html", form, key=key)


@require_http_methods(["GET", "POST"])
@manager_required
def key_rotate(request: OrganizationRequest, key_id: UUID) -> HttpResponse:
    key = _key_or_404(request, key_id)
    form = RotateKeyForm(request.POST or None)
    if form.is_valid():
        try:
            issued = services.rotate_key(
                key=key, overlap_seconds=form.cleaned_data["overlap_seconds"], by=request.user
            )
        except AppError as error:
            _refuse(form, error)
        else:
            key.refresh_from_db()
            return _shown_once(request, issued, replaced=key)
    return _form_page(request, "keys/rotate.html", form, key=key)


@require_http_methods(["GET", "POST"])
@manager_required
def key_revoke(request: OrganizationRequest, key_id: UUID) -> HttpResponse:
    key = _key_or_404(request, key_id)
    form = RevokeKeyForm(request.POST or None, key=key)
    if form.is_valid():
        services.revoke_key(key=key, by=request.user)
        messages.success(request, f"{key.name} is revoked. Requests that carry it are refused from now on.")
        return redirect("keys")
    return _form_page(request, "keys/revoke.html", form, key=key)


def _key_or_404(request: OrganizationRequest, key_id: UUID) -> ApiKey:
    key: ApiKey = get_object_or_404(ApiKey.objects.for_organization(request.organization), pk=key_id)
    return key


def _form_page(request: HttpRequest, template: str, form: Form, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=400 if form.errors else 200)


def _refuse(form: Form, error: AppError) -> None:
    form.add_error(error.param if error.param in form.fields else None, error.message)


def _shown_once(
    request: HttpRequest, issued: services.IssuedKey, replaced: ApiKey | None = None
) -> HttpResponse:
    """The one page that holds the secret: the answer to the POST itself, kept in no session and no cache."""
    context = {"key": issued.key, "secret": issued.secret, "replaced": replaced}
    response = render(request, "keys/issued.html", context)
    add_never_cache_headers(response)
    return response
