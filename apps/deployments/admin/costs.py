"""What runs, what providers ask for it and took, and what organizations may spend."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from apps.accounts.admin import ReadOnlyAdmin
from apps.core.errors import InvalidRequest
from apps.deployments import budgets, costs
from apps.deployments.admin.base import in_usd
from apps.deployments.models import BillCheck, Budget, GpuPrice, Run

OFF, AGREES, NOT_COMPARED = "Off", "Agrees", "Not compared"


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = [
        "replica",
        "deployment",
        "owner",
        "gpu",
        "price",
        "cost",
        "started_at",
        "ended_at",
    ]
    list_filter = [
        ("ended_at", admin.EmptyFieldListFilter),
        "deployment__provider",
        "is_estimated",
        ("organization", AutocompleteSelectFilter),
        ("started_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["deployment", "organization"]
    search_fields = ["replica", "deployment__name", "=deployment__id", "organization__name"]
    ordering = ["-id"]
    fields = [*list_display, "is_estimated", "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return costs.whole(super().get_queryset(request))

    @display(description="Organization", ordering="organization__name")
    def owner(self, run: Run) -> str:
        return str(run.organization) if run.organization else "Shared by all"

    @display(description="An hour", ordering="price_per_hour")
    def price(self, run: Run) -> str:
        return in_usd(run.price_per_hour, places=4)

    @display(description="Cost", ordering="cost")
    def cost(self, run: Any) -> str:
        return in_usd(run.cost, places=4, is_estimated=run.is_estimated)


@admin.register(GpuPrice)
class GpuPriceAdmin(ReadOnlyAdmin):
    """In US dollars an hour, as providers told them by the hour."""

    list_display = [
        "created_at",
        "provider",
        "gpu",
        "on_demand",
        "spot",
        "serverless",
        "serverless_spot",
        "places",
    ]
    list_filter = ["provider", "gpu", ("created_at", RangeDateTimeFilter)]
    list_filter_submit = True
    search_fields = ["gpu"]
    ordering = ["-id"]

    @display(description="To be had at")
    def places(self, price: GpuPrice) -> str:
        return ", ".join(sorted({*price.locations, *price.spot_locations})) or "–"


@admin.register(BillCheck)
class BillCheckAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "provider", "verdict", "taken", "recorded", "balance"]
    list_filter = ["is_off", "provider"]
    search_fields = ["provider"]
    ordering = ["-id"]
    fields = [*list_display, "mailed_at"]

    @display(
        description="Bill", ordering="is_off", label={OFF: "danger", AGREES: "success", NOT_COMPARED: "info"}
    )
    def verdict(self, check: BillCheck) -> str:
        if check.taken is None:
            return NOT_COMPARED
        return OFF if check.is_off else AGREES


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        model = Budget
        fields = ["organization", "monthly_usd", "stops"]
        labels = {"monthly_usd": "US dollars a month"}

    def clean_monthly_usd(self) -> Any:
        try:
            return budgets.check_amount(self.cleaned_data["monthly_usd"])
        except InvalidRequest as refused:
            raise forms.ValidationError(refused.message) from refused


@admin.register(Budget)
class BudgetAdmin(ModelAdmin):
    form = BudgetForm
    list_display = ["organization", "monthly", "spent", "stops", "warned_at", "exhausted_at"]
    list_filter = ["stops", ("exhausted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["organization"]
    search_fields = ["organization__name", "organization__slug"]
    autocomplete_fields = ["organization"]
    ordering = ["organization__name"]
    new_fields = BudgetForm.Meta.fields
    shown_fields = ["organization", "spent", "warned_at", "exhausted_at"]

    def get_fields(self, request: HttpRequest, obj: Budget | None = None) -> list[str]:
        return [*self.new_fields, *self.shown_fields[1:]] if obj else self.new_fields

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> list[str]:
        return self.shown_fields if obj else []

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:
        saved = budgets.set_budget(obj.organization, monthly_usd=obj.monthly_usd, stops=obj.stops)
        obj.pk = saved.pk

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:
        budgets.remove_budget(obj.organization)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Budget]) -> None:
        for budget in queryset.select_related("organization"):
            budgets.remove_budget(budget.organization)

    @display(description="A month", ordering="monthly_usd")
    def monthly(self, budget: Budget) -> str:
        return in_usd(budget.monthly_usd)

    @display(description="Spent this month")
    def spent(self, budget: Budget) -> str:
        # A page of organizations that have a budget, each answered from an index.
        spending = costs.spending(budget.organization)
        return in_usd(spending.month_to_date, is_estimated=spending.is_estimated)
