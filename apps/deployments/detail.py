"""The page of one deployment: what stands above its tabs, and the tabs, of which other rooms fill some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import Http404
from django.urls import reverse

from apps.accounts.tenancy import OrganizationRequest
from apps.core.errors import NotFound
from apps.deployments import costs, estimate, words
from apps.deployments.gpus import gpu_named
from apps.deployments.listing import find_listed
from apps.deployments.models import Deployment
from apps.deployments.money import Money
from apps.deployments.showing import spoken_by
from apps.deployments.states import State

# How often a page looks again: while something goes on, and where a request may change it.
MOVING_MS, SETTLED_MS = 2000, 10_000
_MAY_CHANGE = words.MOVING | {State.READY, State.ASLEEP, State.DEGRADED}


@dataclass(frozen=True, slots=True)
class Tab:
    """`body` is its template; `url_name` that of a page of its own, where it is one."""

    label: str
    body: str
    url_name: str = ""


TABS: Final = {
    "overview": Tab("Overview", "deployments/overview.html"),
    "requests": Tab("Requests", "usage/deployment.html", "deployment_requests"),
    "scaling": Tab("Scaling", "deployments/scaling.html"),
    "update": Tab("Image and variables", "deployments/update.html"),
    "speak": Tab("Speak", "deployments/speak.html"),
    "api": Tab("API", "deployments/api.html"),
}


def frame(request: OrganizationRequest, deployment: Deployment, tab: str) -> dict[str, Any]:
    """What `deployments/detail.html` shows, but for what stands in the tab."""
    add_figures(deployment)
    is_moving = deployment.state in words.MOVING
    return {
        "deployment": deployment,
        "tab": tab,
        "body": TABS[tab].body,
        "tabs": [(name, one.label, tab_url(deployment, name)) for name, one in TABS.items()],
        "doing": words.doing(deployment),
        "what_to_do": words.what_to_do(deployment.error_code),
        "first_action": words.first_action(deployment),
        "other_actions": words.other_actions(deployment),
        "is_moving": is_moving,
        "refresh_ms": (MOVING_MS if is_moving else SETTLED_MS) if deployment.state in _MAY_CHANGE else 0,
        "is_stuck": words.is_stuck(deployment),
        "endpoint": request.build_absolute_uri("/generate"),
        "spoken": spoken_by(deployment),
        "spending": costs.of_deployment(deployment),
        "money": Money.of(request.organization),
    }


def add_figures(deployment: Any) -> None:
    deployment.price_now = estimate.price_now(deployment)
    deployment.replicas_now = estimate.replicas_now(deployment)
    gpu = gpu_named(deployment.gpu)
    deployment.gpu_label = gpu.label if gpu else deployment.gpu


def tab_url(deployment: Deployment, tab: str) -> str:
    if own_page := TABS[tab].url_name:
        return reverse(own_page, args=[deployment.pk])
    url = reverse("deployment", args=[deployment.pk])
    return url if tab == "overview" else f"{url}?tab={tab}"


def deployment_or_404(request: OrganizationRequest, deployment_id: UUID) -> Deployment:
    try:
        return find_listed(request.organization, deployment_id)
    except NotFound as error:
        raise Http404 from error
