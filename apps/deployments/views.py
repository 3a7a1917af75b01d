"""Pages of deployments and GPUs: everybody of the organization reads them, owners and admins act."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.tenancy import OrganizationRequest, manager_required, organization_required
from apps.core.errors import AppError
from apps.deployments import estimate, services, steps, words
from apps.deployments.change_forms import UpdateForm
from apps.deployments.changes import change_deployment
from apps.deployments.console_forms import (
    ConsoleDeploymentForm,
    DeleteDeploymentForm,
    DeploymentFilterForm,
    ScalingForm,
)
from apps.deployments.detail import TABS, add_figures, deployment_or_404, frame, tab_url
from apps.deployments.listing import listed_deployments, listed_events, listed_workers
from apps.deployments.models import Deployment
from apps.deployments.money import Money
from apps.deployments.offers import gpu_offers
from apps.deployments.showing import listed_shared
from apps.deployments.states import State

DEPLOYMENTS_PER_PAGE = 25
EVENTS_PER_PAGE = 20
_Service = Callable[..., None]
_STARTS: Final[Mapping[str, _Service]] = {State.ASLEEP: steps.wake, State.PAUSED: steps.resume}


@require_safe
@organization_required
def deployment_list(request: OrganizationRequest) -> HttpResponse:
    filters = DeploymentFilterForm(request.GET)
    filters.is_valid()
    wanted = filters.cleaned_data
    deployments = listed_deployments(
        request.organization,
        search=wanted.get("q", ""),
        state=wanted.get("state", ""),
        engine=wanted.get("engine", ""),
    )
    page = Paginator(deployments.order_by("-id"), DEPLOYMENTS_PER_PAGE).get_page(request.GET.get("page"))
    for deployment in page:
        add_figures(deployment)
    context = {
        "page": page,
        "filters": filters,
        "is_filtered": any(wanted.values()),
        "is_live": any(deployment.state in words.MOVING for deployment in page),
        "shared": listed_shared(),
        "money": Money.of(request.organization),
        "limit": settings.LIMIT_DEPLOYMENTS,
    }
    return render(request, "deployments/list.html", context)


@require_http_methods(["GET", "POST"])
@manager_required
def deployment_create(request: OrganizationRequest) -> HttpResponse:
    form = ConsoleDeploymentForm(
        request.POST or None, organization=request.organization, gpu=request.GET.get("gpu", "")
    )
    if form.is_valid():
        told = form.cleaned_data
        try:
            deployment = services.create_deployment(
                organization=request.organization,
                name=told["name"],
                engine=told["engine"],
                provider=told["provider"],
                kind=told["kind"],
                scaling=form.scaling,
                hardware=form.hardware,
                by=request.user,
            )
        except AppError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{deployment.name} is on its way.")
            return redirect("deployment", deployment_id=deployment.pk)
    context = {
        "form": form,
        "hours_per_month": estimate.HOURS_PER_MONTH,
        "money": Money.of(request.organization),
    }
    return render(request, "deployments/create.html", context, status=400 if form.errors else 200)


@require_safe
@organization_required
def deployment_detail(request: OrganizationRequest, deployment_id: UUID) -> HttpResponse:
    deployment = deployment_or_404(request, deployment_id)
    tab = request.GET.get("tab", "")
    is_here = tab in TABS and not TABS[tab].url_name
    return _detail_page(request, deployment, tab if is_here else "overview")


@require_http_methods(["GET", "POST"])
@manager_required
def deployment_scale(request: OrganizationRequest, deployment_id: UUID) -> HttpResponse:
    deployment = deployment_or_404(request, deployment_id)
    if request.method == "GET":
        return redirect(tab_url(deployment, "scaling"))
    form = ScalingForm(request.POST, deployment=deployment)
    if form.is_valid():
        try:
            services.scale_deployment(deployment, scaling=form.scaling, by=request.user)
        except AppError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{deployment.name} scales by the new bounds from now on.")
            return redirect(tab_url(deployment, "scaling"))
    return _detail_page(request, deployment_or_404(request, deployment_id), "scaling", form)


@require_http_methods(["GET", "POST"])
@manager_required
def deployment_update(request: OrganizationRequest, deployment_id: UUID) -> HttpResponse:
    deployment = deployment_or_404(request, deployment_id)
    if request.method == "GET":
        return redirect(tab_url(deployment, "update"))
    form = UpdateForm(request.POST, deployment=deployment)
    if form.is_valid():
        before = deployment.generation
        try:
            change_deployment(deployment, changes=form.changes, by=request.user)
        except AppError as error:
            form.refuse(error)
        else:
            deployment.refresh_from_db()
            is_new = deployment.generation != before
            messages.success(request, words.updated(deployment) if is_new else "It is so already.")
            return redirect(tab_url(deployment, "update"))
    return _detail_page(request, deployment_or_404(request, deployment_id), "update", form)


@require_POST
@manager_required
def deployment_act(request: OrganizationRequest, deployment_id: UUID, verb: str) -> HttpResponse:
    deployment = deployment_or_404(request, deployment_id)
    try:
        ACTIONS[verb](deployment, by=request.user)
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{deployment.name} {words.SAYS[verb]}.")
    return redirect("deployment", deployment_id=deployment.pk)


@require_http_methods(["GET", "POST"])
@manager_required
def deployment_delete(request: OrganizationRequest, deployment_id: UUID) -> HttpResponse:
    deployment = deployment_or_404(request, deployment_id)
    form = DeleteDeploymentForm(request.POST or None, deployment=deployment)
    if form.is_valid():
        try:
            services.delete_deployment(deployment, by=request.user)
        except AppError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"{deployment.name} is deleted.")
            return redirect("deployments")
    context = {"form": form, "deployment": deployment}
    return render(request, "deployments/delete.html", context, status=400 if form.errors else 200)


@require_safe
@organization_required
def gpu_list(request: OrganizationRequest) -> HttpResponse:
    offers = gpu_offers()
    context = {"offers": offers, "is_live": any(offer.is_live for offer in offers)}
    return render(request, "gpus/list.html", context)


def _start(deployment: Deployment, **who: Any) -> None:
    """Also wakes and resumes."""
    _STARTS.get(deployment.state, services.start_deployment)(deployment, **who)


ACTIONS: Final[Mapping[str, _Service]] = {
    "start": _start,
    "sleep": services.sleep_deployment,
    "pause": services.pause_deployment,
    "restart": services.restart_deployment,
    "stop": services.stop_deployment,
}


def _detail_page(
    request: OrganizationRequest,
    deployment: Deployment,
    tab: str,
    form: ScalingForm | UpdateForm | None = None,
) -> HttpResponse:
    context = frame(request, deployment, tab) | _IN_TAB.get(tab, _nothing)(request, deployment)
    if form is not None:
        context["form"] = form
    status = 400 if form is not None and form.errors else 200
    return render(request, "deployments/detail.html", context, status=status)


def _overview(request: HttpRequest, deployment: Deployment) -> dict[str, Any]:
    events = Paginator(listed_events(deployment), EVENTS_PER_PAGE).get_page(request.GET.get("page"))
    workers = listed_workers(deployment).defer(None).defer("token", "url", "capabilities")
    return {"events": events, "workers": workers.order_by("id")}


def _api(request: HttpRequest, deployment: Deployment) -> dict[str, Any]:
    return {"api_path": reverse("api_deployment", args=[deployment.pk])}


def _scaling(request: HttpRequest, deployment: Deployment) -> dict[str, Any]:
    return {"form": ScalingForm(deployment=deployment)}


def _update(request: HttpRequest, deployment: Deployment) -> dict[str, Any]:
    return {"form": UpdateForm(deployment=deployment)}


def _nothing(request: HttpRequest, deployment: Deployment) -> dict[str, Any]:
    return {}


_IN_TAB = {"overview": _overview, "api": _api, "scaling": _scaling, "update": _update}
