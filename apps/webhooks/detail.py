"""The page of an endpoint: how it does, and under its tabs the log and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any, Final

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q
from django.forms import Form
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from apps.accounts.tenancy import OrganizationRequest
from apps.webhooks import listing, words
from apps.webhooks.forms import LogFilterForm, RecoverForm, RotateSecretForm, TestEventForm
from apps.webhooks.models import Endpoint, EndpointSecret

DELIVERIES_PER_PAGE: Final = 25
# Older ones are found by their day: nobody counts a month of them at each look.
MAX_PAGED: Final = 10_000
LOG: Final = "deliveries"
TABS: Final = {
    LOG: "Deliveries",
    "test": "Test",
    "recover": "Recover",
    "secret": "Secret",
    "settings": "Settings",
}
FOR_MANAGERS: Final = frozenset({"test", "recover", "secret"})


class LogPaginator(Paginator):  # type: ignore[type-arg]
    @cached_property
    def count(self) -> int:
        return self.object_list[:MAX_PAGED].count()  # type: ignore[no-any-return, attr-defined]


def page(
    request: OrganizationRequest, endpoint: Endpoint, tab: str, form: Form | None = None
) -> HttpResponse:
    """`form` is one that was sent and refused."""
    tabs = _tabs(request)
    tab = tab if tab in tabs else LOG
    context = _frame(endpoint, tab) | _IN_TAB[tab](request, endpoint)
    context["tabs"] = tabs.items()
    if form is not None:
        context["form"] = form
    status = 400 if form is not None and form.errors else 200
    return render(request, "webhooks/detail.html", context, status=status)


def redirect_to(endpoint: Endpoint, tab: str) -> HttpResponseRedirect:
    return redirect(f"{reverse('webhook', args=[endpoint.pk])}?tab={tab}")


def previous_secret(endpoint: Endpoint) -> EndpointSecret | None:
    """The newest of those that hold on for a while."""
    found: EndpointSecret | None = _secrets(endpoint).exclude(expires_at=None).first()
    return found


def _tabs(request: OrganizationRequest) -> Mapping[str, str]:
    may = request.membership.can_manage
    return {name: label for name, label in TABS.items() if may or name not in FOR_MANAGERS}


def _frame(endpoint: Endpoint, tab: str) -> dict[str, Any]:
    return {
        "endpoint": endpoint,
        "name": words.name_of(endpoint),
        "wanted": words.wanted(endpoint.events),
        "why_disabled": words.WHY_DISABLED.get(endpoint.disabled_because, ""),
        "tally": listing.tallies([endpoint])[endpoint.pk],
        "tab": tab,
        "body": f"webhooks/{tab}.html",
    }


def _log(request: OrganizationRequest, endpoint: Endpoint) -> dict[str, Any]:
    filters = LogFilterForm(request.GET)
    wanted = filters.wanted
    found = listing.deliveries(request.organization, endpoint=endpoint, **wanted)
    shown = LogPaginator(found.select_related("event").defer("event__body"), DELIVERIES_PER_PAGE)
    log = shown.get_page(request.GET.get("page"))
    rows = [(delivery, words.problem(delivery.last_problem)) for delivery in log]
    return {
        "filters": filters,
        "is_filtered": bool(wanted),
        "page": log,
        "rows": rows,
        "is_capped": shown.count == MAX_PAGED,
        "is_live": log.number == 1,
        "log_days": settings.WEBHOOK_LOG_DAYS,
    }


def _test(request: OrganizationRequest, endpoint: Endpoint) -> dict[str, Any]:
    return {"form": TestEventForm()}


def _recover(request: OrganizationRequest, endpoint: Endpoint) -> dict[str, Any]:
    since = endpoint.failing_since or timezone.now() - timedelta(days=1)
    # To the minute, downwards: what failed first is among what is sent again.
    return {"form": RecoverForm(initial={"since": since.replace(second=0, microsecond=0)})}


def _secret(request: OrganizationRequest, endpoint: Endpoint) -> dict[str, Any]:
    return {"form": RotateSecretForm(), "secrets": _secrets(endpoint)}


def _settings(request: OrganizationRequest, endpoint: Endpoint) -> dict[str, Any]:
    return {"header_names": list(endpoint.own_headers)}


def _secrets(endpoint: Endpoint) -> Any:
    """Those that sign, newest first, without what they are."""
    holds = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return EndpointSecret.objects.filter(holds, endpoint=endpoint).defer("secret")


_IN_TAB: Final[Mapping[str, Callable[[OrganizationRequest, Endpoint], dict[str, Any]]]] = {
    LOG: _log,
    "test": _test,
    "recover": _recover,
    "secret": _secret,
    "settings": _settings,
}
