"""Budgets of organizations: told at 80 %, and where they so choose, stopped before they cost more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Organization
from apps.accounts.services import managers_addresses
from apps.core.errors import AppError, InvalidRequest
from apps.deployments import costs, events, services
from apps.deployments.conditions import require_budget
from apps.deployments.costs import Spending
from apps.deployments.models import Budget, Deployment, DeploymentQuerySet
from apps.deployments.timeline import Actor

logger = structlog.get_logger(__name__)

WARNED_AT = Decimal("0.8")
# What is spent until everybody has stopped: the routers hear of it, requests end, machines go.
AHEAD = timedelta(minutes=5)
DRAINED = timedelta(seconds=60)
MOST_USD = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Resumed:
    """What became of the deployments that a budget had stopped; those not started may be tried again."""

    started: list[Deployment] = field(default_factory=list)
    not_started: list[tuple[Deployment, AppError]] = field(default_factory=list)


def budget_of(organization: Organization) -> Budget | None:
    found: Budget | None = Budget.objects.filter(organization=organization).first()
    return found


def check_amount(monthly_usd: Decimal) -> Decimal:
    """In whole cents. Raises `InvalidRequest`."""
    if not Decimal("0.01") <= monthly_usd <= MOST_USD:
        raise InvalidRequest(f"Choose 0.01 to {MOST_USD:,} US dollars a month.", param="monthly_usd")
    return monthly_usd.quantize(Decimal("0.01"))


@transaction.atomic
def set_budget(organization: Organization, *, monthly_usd: Decimal, stops: bool) -> Budget:
    """From now on; one that was used up and now has room lets deployments be started again."""
    monthly_usd = check_amount(monthly_usd)
    budget, _ = Budget.objects.select_for_update().get_or_create(
        organization=organization, defaults={"monthly_usd": monthly_usd}
    )
    budget.monthly_usd, budget.stops = monthly_usd, stops
    spending = costs.spending(organization)
    if not (stops and _is_reached(budget, spending)):
        budget.exhausted_at = None
    if spending.month_to_date < WARNED_AT * budget.monthly_usd:
        budget.warned_at = None
    budget.save()
    return budget


def remove_budget(organization: Organization) -> None:
    Budget.objects.filter(organization=organization).delete()


def stopped_by_budget(organization: Organization) -> DeploymentQuerySet:
    """Those that ran until the budget was used up and that nobody started since, oldest first."""
    own = Deployment.objects.for_organization(organization).filter(deleted_at=None)
    stopped: DeploymentQuerySet = own.filter(stopped_by_budget=True).order_by("id")
    return stopped


def resume(organization: Organization, *, by: Actor = None) -> Resumed:
    """Starts those again, each by itself: what keeps one back keeps no other back.

    Raises `PaymentRequired` while the budget is used up.
    """
    require_budget(organization)
    resumed = Resumed()
    for deployment in stopped_by_budget(organization):
        try:
            services.start_deployment(deployment, by=by, reason="Started again: the budget has room.")
            resumed.started.append(deployment)
        except AppError as error:
            resumed.not_started.append((deployment, error))
    return resumed


def watch() -> None:
    """One look at every budget: warns, refuses, stops, and lets a new month begin."""
    for budget_id in Budget.objects.values_list("pk", flat=True):
        _watch(budget_id, timezone.now())


@transaction.atomic
def _watch(budget_id: UUID, now: datetime) -> None:
    budget = (
        Budget.objects.select_for_update(of=("self",))
        .select_related("organization")
        .filter(pk=budget_id)
        .first()
    )
    if budget is None:
        return
    spending = costs.spending(budget.organization, now)
    month = costs.month_of(now)
    budget.warned_at = _within(budget.warned_at, month)
    budget.exhausted_at = _within(budget.exhausted_at, month)
    if budget.warned_at is None and spending.month_to_date >= WARNED_AT * budget.monthly_usd:
        budget.warned_at = now
        events.budget_reached(budget, threshold=80, spent=spending.month_to_date)
        transaction.on_commit(partial(_mail, budget, spending))
    if budget.stops and budget.exhausted_at is None and _is_reached(budget, spending):
        budget.exhausted_at = now
        events.budget_reached(budget, threshold=100, spent=spending.month_to_date)
        logger.warning("budget used up", organization=str(budget.organization_id))
    budget.save(update_fields=["warned_at", "exhausted_at", "updated_at"])
    if budget.exhausted_at is not None and now - budget.exhausted_at >= DRAINED:
        _stop_all(budget)


def _is_reached(budget: Budget, spending: Spending) -> bool:
    """Whether what is spent, with what will be until all has stopped, comes to the budget."""
    ahead = spending.per_hour * Decimal(AHEAD.total_seconds()) / 3600
    return spending.month_to_date + ahead >= budget.monthly_usd


def _within(moment: datetime | None, month: datetime) -> datetime | None:
    return moment if moment is not None and moment >= month else None


def _stop_all(budget: Budget) -> None:
    running = Deployment.objects.for_organization(budget.organization).active()
    for deployment in running.exclude(state__in=services.ENDING):
        try:
            services.stop_deployment(
                deployment,
                reason=f"The budget of {budget.monthly_usd} $ a month is used up.",
                by_budget=True,
            )
        except AppError as error:
            logger.info("not stopped yet", deployment=str(deployment.pk), reason=error.message)


def _mail(budget: Budget, spending: Spending) -> None:
    values = {
        "budget": budget,
        "spending": spending,
        "url": settings.BASE_URL + reverse("deployments"),
    }
    subject = render_to_string("deployments/email/budget_subject.txt", values).strip()
    body = render_to_string("deployments/email/budget.txt", values)
    for address in managers_addresses(budget.organization):
        EmailMessage(subject, body, to=[address]).send(fail_silently=True)
