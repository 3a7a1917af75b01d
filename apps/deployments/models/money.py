"""What runs, what it costs, and what it may cost."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Organization
from apps.core.models import BaseModel
from apps.deployments.models.deployments import Deployment


class Run(BaseModel):
    """One replica's time at its provider, from when it was first seen there until it was seen no more.

    Where it `is_estimated`, its provider starts and ends it by itself: what is known of it are samples.
    """

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="runs")
    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="+")
    replica = models.CharField(max_length=128)
    gpu = models.CharField(max_length=32, blank=True)
    price_per_hour = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    is_estimated = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["deployment", "replica"], condition=Q(ended_at=None), name="run_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="run_ends_after_its_start"
            ),
        ]
        indexes = [models.Index(fields=["organization", "started_at"], name="run_by_organization")]

    def __str__(self) -> str:
        return self.replica


class GpuPrice(BaseModel):
    """What a provider asked for one GPU, in US dollars an hour, and where there were any."""

    provider = models.CharField(max_length=16, choices=Deployment.Provider)
    gpu = models.CharField(max_length=32)
    on_demand = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    spot = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    serverless = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    serverless_spot = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    locations = models.JSONField(default=list, help_text="Where a machine was to be had on demand.")
    spot_locations = models.JSONField(default=list)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["provider", "gpu", "-id"], name="price_newest_first")]

    def __str__(self) -> str:
        return f"{self.gpu} at {self.provider}"


class BillCheck(BaseModel):
    """A day's costs by our own record beside what the provider took from the balance."""

    provider = models.CharField(max_length=16, choices=Deployment.Provider)
    balance = models.DecimalField(max_digits=14, decimal_places=4, help_text="When the day was over.")
    taken = models.DecimalField(
        max_digits=14,
        decimal_places=4,
        null=True,
        help_text="Since the check before; empty for the first one and where somebody paid in.",
    )
    recorded = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    is_off = models.BooleanField(default=False, help_text="The two differ by more than 5 %.")
    mailed_at = models.DateTimeField(
        null=True, editable=False, help_text="When staff were told by mail that it is off."
    )

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.provider} on {self.created_at:%d %b %Y}"


class Budget(BaseModel):
    """What an organization's deployments may cost in a UTC month, in US dollars."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="budget")
    monthly_usd = models.DecimalField(
        max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    stops = models.BooleanField(
        default=False, help_text="Whether its deployments are stopped before they cost more."
    )
    warned_at = models.DateTimeField(null=True, editable=False)
    exhausted_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when its own deployments take no requests."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(monthly_usd__gt=0), name="budget_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.monthly_usd} $ a month"
