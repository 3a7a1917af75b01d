"""Pages of endpoints: everybody of the organization sees them, owners and admins manage them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.tenancy import OrganizationRequest, manager_required, organization_required
from apps.core.errors import AppError, NotFound
from apps.webhooks import detail, listing, recovery, samples, services, words
from apps.webhooks.forms import (
    DeleteEndpointForm,
    EndpointForm,
    RecoverForm,
    RotateSecretForm,
    TestEventForm,
)
from apps.webhooks.models import Endpoint

# Fields of the form that services call otherwise.
_FIELDS: Final[Mapping[str, str]] = {"events": "chosen", "headers": "headers"}


@require_safe
@organization_required
def endpoint_list(request: OrganizationRequest) -> HttpResponse:
    endpoints = list(listing.endpoints(request.organization).defer("headers"))
    tallies = listing.tallies(endpoints)
    rows = [(endpoint, words.wanted(endpoint.events), tallies[endpoint.pk]) for endpoint in endpoints]
    return render(request, "webhooks/list.html", {"rows": rows, "limit": services.MAX_ENDPOINTS})


@require_http_methods(["GET", "POST"])
@manager_required
def endpoint_create(request: OrganizationRequest) -> HttpResponse:
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            issued = services.create_endpoint(
                organization=request.organization, created_by=request.user, **form.changes
            )
        except AppError as error:
            _refuse(form, error)
        else:
            return _shown_once(request, issued)
    return _form_page(request, "webhooks/create.html", form)


@require_safe
@organization_required
def endpoint_detail(request: OrganizationRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    return detail.page(request, endpoint, request.GET.get("tab", ""))


@require_http_methods(["GET", "POST"])
@manager_required
def endpoint_edit(request: OrganizationRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    form = EndpointForm(request.POST if request.method == "POST" else None, endpoint=endpoint)
    if form.is_valid():
        try:
            services.change_endpoint(endpoint=endpoint, **form.changes)
        except AppError as error:
            _refuse(form, error)
        else:
            messages.success(request, "Saved. It holds for what is sent from now on.")
            return detail.redirect_to(endpoint, "settings")
    return _form_page(request, "webhooks/edit.html", form, endpoint=endpoint)


@require_http_methods(["GET", "POST"])
@manager_required
def endpoint_rotate(request: OrganizationRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    if request.method == "GET":
        return detail.redirect_to(endpoint, "secret")
    form = RotateSecretForm(request.POST)
    if form.is_valid():
        overlap_seconds = form.cleaned_data["overlap_seconds"]
        try:
            issued = services.rotate_secret(endpoint=endpoint, overlap_seconds=overlap_seconds)
        except AppError as error:
            _refuse(form, error)
        else:
            return _shown_once(request, issued, is_rotated=True, previous=detail.previous_secret(endpoint))
    return detail.page(request, endpoint, "secret", form)


@require_http_methods(["GET", "POST"])
@manager_required
def endpoint_delete(request: OrganizationRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    form = DeleteEndpointForm(request.POST or None, endpoint=endpoint)
    if form.is_valid():
        try:
            services.delete_endpoint(endpoint=endpoint)
        except AppError as error:
            _refuse(form, error)
        else:
            messages.success(request, f"{form.endpoint_name} is deleted. Nothing is sent there any more.")
            return redirect("webhooks")
    return _form_page(request, "webhooks/delete.html", form, endpoint=endpoint)


@require_POST
@manager_required
def endpoint_switch(request: OrganizationRequest, endpoint_id: UUID, verb: str) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    service, said = _SWITCHES[verb]
    try:
        service(endpoint=endpoint)
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect("webhook", endpoint_id=endpoint.pk)


@require_http_methods(["GET", "POST"])
@manager_required
def endpoint_test(request: OrganizationRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    if request.method == "GET":
        return detail.redirect_to(endpoint, "test")
    form = TestEventForm(request.POST)
    if form.is_valid():
        try:
            delivery = recovery.send_test(endpoint, form.cleaned_data["type"])
        except AppError as error:
            _refuse(form, error)
        else:
            return redirect("webhook_delivery", delivery_id=delivery.pk)
    return detail.page(request, endpoint, "test", form)


@require_http_methods(["GET", "POST"])
@manager_required
def endpoint_recover(request: OrganizationRequest, endpoint_id: UUID) -> HttpResponse:
    endpoint = endpoint_or_404(request, endpoint_id)
    if request.method == "GET":
        return detail.redirect_to(endpoint, "recover")
    form = RecoverForm(request.POST)
    if form.is_valid():
        told = form.cleaned_data
        try:
            count = recovery.recover(endpoint, since=told["since"], include_missing=told["include_missing"])
        except AppError as error:
            _refuse(form, error)
        else:
            messages.success(request, _recovered(count))
            return redirect("webhook", endpoint_id=endpoint.pk)
    return detail.page(request, endpoint, "recover", form)


_SWITCHES: Final[Mapping[str, tuple[Callable[..., None], str]]] = {
    "enable": (services.enable_endpoint, "The endpoint is enabled. What waited for it goes out now."),
    "disable": (services.disable_endpoint, "The endpoint is disabled. What waits for it is kept."),
}


def endpoint_or_404(request: OrganizationRequest, endpoint_id: UUID) -> Endpoint:
    try:
        return services.endpoint_of(request.organization, endpoint_id)
    except NotFound as error:
        raise Http404 from error


def _recovered(count: int) -> str:
    if not count:
        return "There was nothing to send again."
    return f"{count:,} {'event is' if count == 1 else 'events are'} sent again."


def _form_page(request: HttpRequest, template: str, form: Form, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=400 if form.errors else 200)


def _refuse(form: Form, error: AppError) -> None:
    field = _FIELDS.get(error.param or "", error.param)
    form.add_error(field if field in form.fields else None, error.message)


def _shown_once(request: HttpRequest, issued: services.IssuedSecret, **context: Any) -> HttpResponse:
    """The one page that holds the secret: the answer to the POST itself, kept in no session and no cache."""
    values = {
        "endpoint": issued.endpoint,
        "name": words.name_of(issued.endpoint),
        "secret": issued.secret,
        "samples": samples.verifying(),
        **context,
    }
    response = render(request, "webhooks/issued.html", values)
    add_never_cache_headers(response)
    return response
