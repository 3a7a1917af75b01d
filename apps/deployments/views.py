"""Pages of deployments and GPUs: everybody of the organization reads them, owners and admins act."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.tenancy import OrganizationRequest, manager_required, organization_required
from apps.core.errors import AppError, NotFound
from apps.deployments import estimate, services, words
from apps.deployments.console_forms import (
    ConsoleDeploymentForm,
    DeleteDeploymentForm,
    DeploymentFilterForm,
    ScalingForm,
)
from apps.deployments.gpus import gpu_named
from apps.deployments.listing import find_listed, listed_deployments, listed_events, listed_workers
from apps.deployments.models import Deployment
from apps.deployments.offers import gpu_offers
from apps.deployments.showing import listed_shared, spoken_by
from apps.deployments.states import State

DEPLOYMENTS_PER_PAGE = 25
EVENTS_PER_PAGE = 20
TABS = {"overview": "Overview", "scaling": "Scaling", "speak": "Speak", "api": "API"}
# How often a page looks again: while something goes on, and where a request may change it.
MOVING_MS, SETTLED_MS = 2000, 10_000
_MAY_CHANGE = words.MOVING | {State.READY, State.ASLEEP, State.DEGRADED}
_Service = Callable[..., None]
_REASONS: Final[Mapping[str, str]] = {State.ASLEEP: "Woken.", State.PAUSED: "Resumed."}


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
        _add_figures(deployment)
    context = {
        "page": page,
        "filters": filters,
        "is_filtered": any(wanted.values()),
        "is_live": any(deployment.state in words.MOVING for deployment in page),
        "shared": listed_shared(),
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
    context = {"form": form, "hours_per_month": estimate.HOURS_PER_MONTH}
    return render(request, "deployments/create.html", context, status=400 if form.errors else 200)


@require_safe
@organization_required
def deployment_detail(request: OrganizationRequest, deployment_id: UUID) -> HttpResponse:
    deployment = _deployment_or_404(request, deployment_id)
    tab = request.GET.get("tab", "")
    return _detail_page(request, deployment, tab if tab in TABS else "overview")


@require_http_methods(["GET", "POST"])
@manager_required
def deployment_scale(request: OrganizationRequest, deployment_id: UUID) -> HttpResponse:
    deployment = _deployment_or_404(request, deployment_id)
    if request.method == "GET":
        return redirect(_tab_url(deployment, "scaling"))
    form = ScalingForm(request.POST, deployment=deployment)
    if form.is_valid():
        try:
            services.scale_deployment(deployment, scaling=form.scaling, by=request.user)
        except AppError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{deployment.name} scales by the new bounds from now on.")
            return redirect(_tab_url(deployment, "scaling"))
    return _detail_page(request, _deployment_or_404(request, deployment_id), "scaling", form)


@require_POST
@manager_required
def deployment_act(request: OrganizationRequest, deployment_id: UUID, verb: str) -> HttpResponse:
    deployment = _deployment_or_404(request, deployment_id)
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
    deployment = _deployment_or_404(request, deployment_id)
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
    services.start_deployment(deployment, reason=_REASONS.get(deployment.state, "Started."), **who)


ACTIONS: Final[Mapping[str, _Service]] = {
    "start": _start,
    "sleep": services.sleep_deployment,
    "pause": services.pause_deployment,
    "restart": services.restart_deployment,
    "stop": services.stop_deployment,
}


def _detail_page(
    request: OrganizationRequest, deployment: Deployment, tab: str, form: ScalingForm | None = None
) -> HttpResponse:
    _add_figures(deployment)
    is_moving = deployment.state in words.MOVING
    context: dict[str, Any] = {
        "deployment": deployment,
        "tab": tab,
        "tabs": TABS.items(),
        "doing": words.doing(deployment),
        "what_to_do": words.what_to_do(deployment.error_code),
        "first_action": words.first_action(deployment),
        "other_actions": words.other_actions(deployment),
        "is_moving": is_moving,
        "refresh_ms": (MOVING_MS if is_moving else SETTLED_MS) if deployment.state in _MAY_CHANGE else 0,
        "is_stuck": words.is_stuck(deployment),
        "endpoint": request.build_absolute_uri("/generate"),
        "spoken": spoken_by(deployment),
    }
    context |= _IN_TAB.get(tab, _nothing)(request, deployment)
    if tab == "scaling":
        context["form"] = form or ScalingForm(deployment=deployment)
    status = 400 if form is not None and form.errors else 200
    return render(request, "deployments/detail.html", context, status=status)


def _overview(request: HttpRequest, deployment: Deployment) -> dict[str, Any]:
    events = Paginator(listed_events(deployment), EVENTS_PER_PAGE).get_page(request.GET.get("page"))
    workers = listed_workers(deployment).defer(None).defer("token", "url", "capabilities")
    return {"events": events, "workers": workers.order_by("id")}


def _api(request: HttpRequest, deployment: Deployment) -> dict[str, Any]:
    return {"api_path": reverse("api_deployment", args=[deployment.pk])}


def _nothing(request: HttpRequest, deployment: Deployment) -> dict[str, Any]:
    return {}


_IN_TAB = {"overview": _overview, "api": _api}


def _add_figures(deployment: Any) -> None:
    deployment.price_now = estimate.price_now(deployment)
    deployment.replicas_now = estimate.replicas_now(deployment)
    gpu = gpu_named(deployment.gpu)
    deployment.gpu_label = gpu.label if gpu else deployment.gpu


def _tab_url(deployment: Deployment, tab: str) -> str:
    return f"{reverse('deployment', args=[deployment.pk])}?tab={tab}"


def _deployment_or_404(request: OrganizationRequest, deployment_id: UUID) -> Deployment:
    try:
        return find_listed(request.organization, deployment_id)
    except NotFound as error:
        raise Http404 from error
