"""The page of an organization's budget: its members read it, owners and admins set it."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.tenancy import OrganizationRequest, manager_required, organization_required
from apps.core.errors import AppError
from apps.deployments import budgets
from apps.deployments.change_forms import BudgetForm
from apps.deployments.money import Money


@require_http_methods(["GET", "POST"])
@organization_required
def budget(request: OrganizationRequest) -> HttpResponse:
    if request.method == "POST" and not request.membership.can_manage:
        raise PermissionDenied
    money = Money.of(request.organization)
    form = BudgetForm(request.POST or None, budget=money.budget)
    if form.is_valid():
        told = form.cleaned_data
        budgets.set_budget(request.organization, monthly_usd=told["monthly_usd"], stops=told["stops"])
        _tell(request, was_exhausted=money.is_exhausted)
        return redirect("deployments")
    context = {
        "form": form,
        "money": money,
        "ahead_minutes": budgets.AHEAD // timedelta(minutes=1),
        "drained_seconds": budgets.DRAINED // timedelta(seconds=1),
    }
    return render(request, "deployments/budget.html", context, status=400 if form.errors else 200)


@require_POST
@manager_required
def budget_remove(request: OrganizationRequest) -> HttpResponse:
    budgets.remove_budget(request.organization)
    messages.success(request, "There is no budget any more: deployments may cost any amount.")
    return redirect("deployment_budget")


@require_POST
@manager_required
def budget_resume(request: OrganizationRequest) -> HttpResponse:
    try:
        resumed = budgets.resume(request.organization, by=request.user)
    except AppError as refused:
        messages.error(request, refused.message)
        return redirect("deployment_budget")
    if resumed.started:
        names = ", ".join(deployment.name for deployment in resumed.started)
        messages.success(request, f"On their way: {names}.")
    for deployment, error in resumed.not_started:
        messages.error(request, f"{deployment.name}: {error.message}")
    return redirect("deployments")


def _tell(request: OrganizationRequest, *, was_exhausted: bool) -> None:
    money = Money.of(request.organization)
    if money.share is not None and money.share >= 1:
        messages.warning(request, "The budget is set. More than that is spent already.")
    elif was_exhausted and not money.is_exhausted:
        messages.success(request, "There is room again. Start the deployments that you need.")
    else:
        messages.success(request, "The budget is set.")
