"""What the pages tell of an organization's money: this month's cost, and the budget that it may come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Self

from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.partitions import month_after
from apps.deployments import budgets, costs
from apps.deployments.budgets import WARNED_AT
from apps.deployments.costs import Spending
from apps.deployments.models import Budget


@dataclass(frozen=True)
class Money:
    """`spending` is looked up where it is shown, in one query."""

    organization: Organization
    budget: Budget | None
    now: datetime

    @classmethod
    def of(cls, organization: Organization) -> Self:
        return cls(organization, budgets.budget_of(organization), timezone.now())

    @cached_property
    def spending(self) -> Spending:
        return costs.spending(self.organization, self.now)

    @cached_property
    def may_resume(self) -> int:
        """How many deployments may be started again that the budget stopped; none while it is used up."""
        return 0 if self.is_exhausted else budgets.stopped_by_budget(self.organization).count()

    @property
    def month_begins(self) -> datetime:
        return costs.month_of(self.now)

    @property
    def month_ends(self) -> datetime:
        return month_after(self.month_begins)

    @property
    def share(self) -> Decimal | None:
        """Of the budget, 1 where all of it is spent."""
        return self.spending.month_to_date / self.budget.monthly_usd if self.budget else None

    @property
    def is_exhausted(self) -> bool:
        """Whether deployments are refused requests and stopped for it."""
        return self.budget is not None and self.budget.exhausted_at is not None

    @property
    def says(self) -> str:
        """How the budget stands, in words."""
        if self.budget is None or self.share is None:
            return ""
        if self.is_exhausted:
            return "used up, deployments are stopped"
        if self.share >= 1:
            return "over budget" if not self.budget.stops else "used up"
        if self.share >= WARNED_AT:
            return "nearly used up"
        return "then they are stopped" if self.budget.stops else "only warns"
