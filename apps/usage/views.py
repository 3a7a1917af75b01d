"""The usage page: the same filters, rows and figures as `/api/usage` and `/api/stats`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.tenancy import OrganizationRequest, organization_required
from apps.deployments.detail import deployment_or_404, frame
from apps.keys.models import ApiKey
from apps.usage import notices, of_deployment, reports
from apps.usage.api import PeriodSerializer
from apps.usage.models import UsageRecord

REQUESTS_PER_PAGE, DAYS_PER_PAGE = 25, 31
RANGES = (7, 30, 90, 365)
METRICS = {"requests": "Requests", "characters": "Characters", "audio": "Audio"}
TABS = {
    "days": "By day",
    "keys": "By key",
    "voices": "By voice",
    "models": "By model",
    "deployments": "By deployment",
    "requests": "Requests",
}
GROUPS: dict[str, Callable[[reports.Selection], Sequence[reports.Timed]]] = {
    "keys": reports.by_key,
    "voices": reports.by_voice,
    "models": reports.by_model,
    "deployments": reports.by_deployment,
}


@require_safe
@organization_required
def usage(request: OrganizationRequest) -> HttpResponse:
    asked, problem = _asked(request.GET)
    selection = reports.select(request.organization, asked.period, **asked.narrowed)
    totals = reports.totals(selection)
    days = reports.daily(selection)
    tab = _one_of(TABS, request.GET.get("tab"))
    context = {
        "problem": problem,
        "wanted": asked.validated_data,
        "period": asked.period,
        "totals": totals,
        "days": days,
        "month": notices.this_month(request.organization),
        "keys": ApiKey.objects.for_organization(request.organization).order_by("name"),
        "modes": ApiKey.Mode.choices,
        "ranges": RANGES,
        "metric": _one_of(METRICS, request.GET.get("metric")),
        "metrics": METRICS.items(),
        "tab": tab,
        "tabs": TABS.items(),
    }
    number = request.GET.get("page")
    if tab in GROUPS:
        context |= {"groups": GROUPS[tab](selection)}
    elif tab == "requests":
        page = _page(selection.records, totals.requests, number)
        names = reports.voice_names(request.organization, (record.voice for record in page))
        context |= {"page": page, "noun": "requests", "voice_names": names}
    else:
        used = [day for day in reversed(days) if day.requests]
        context |= {"page": Paginator(used, DAYS_PER_PAGE).get_page(number), "noun": "days"}
    return render(request, "usage/usage.html", context)


@require_safe
@organization_required
def deployment_requests(request: OrganizationRequest, deployment_id: UUID) -> HttpResponse:
    """A tab of the page of one of the organization's own deployments."""
    deployment = deployment_or_404(request, deployment_id)
    labels = {name: wanted.label for name, wanted in of_deployment.RANGES.items()}
    chosen = _one_of(labels, request.GET.get("range"))
    wanted = of_deployment.RANGES[chosen]
    context = frame(request, deployment, "requests") | {
        "ranges": labels.items(),
        "chosen": chosen,
        "unit": wanted.unit,
        "report": of_deployment.report(deployment, request.organization.pk, wanted),
    }
    return render(request, "deployments/detail.html", context)


def _asked(query: QueryDict) -> tuple[PeriodSerializer, str | None]:
    """What the URL asks for; where it makes no sense, the usual period and what is wrong with it."""
    given: dict[str, Any] = {name: value for name, value in query.items() if value}
    asked = PeriodSerializer(data=given)
    if asked.is_valid():
        return asked, None
    problem = next(str(messages[0]) for messages in asked.errors.values())
    usual = PeriodSerializer(data={})
    usual.is_valid(raise_exception=True)
    return usual, problem


def _page(rows: QuerySet[UsageRecord], count: int, number: str | None) -> Page[UsageRecord]:
    paginator = Paginator(rows.select_related("key").order_by("-id"), REQUESTS_PER_PAGE)
    paginator.count = count  # known already; counting again would read every row of the period
    return paginator.get_page(number)


def _one_of(choices: dict[str, str], wanted: str | None) -> str:
    return wanted if wanted in choices else next(iter(choices))
