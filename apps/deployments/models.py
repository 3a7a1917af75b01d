"""Deployments, the workers that serve them, and the timeline of what happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.crypto import EncryptedTextField
from apps.core.models import BaseModel, OrganizationQuerySet
from apps.deployments.states import AT_REST, State

NAME_PATTERN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"


class DeploymentQuerySet(OrganizationQuerySet):
    """`for_organization` gives an organization's own, never the shared ones."""

    def speakable_by(self, organization: Organization) -> Self:
        """What an organization's requests may be spoken by: its own deployments and the shared ones."""
        return self.filter(Q(organization=organization) | Q(organization=None))

    def shared(self) -> Self:
        return self.filter(organization=None)

    def kept(self) -> Self:
        """Those that nobody deleted, and those that are still being taken down."""
        return self.exclude(deleted_at__isnull=False, state__in=AT_REST)

    def active(self) -> Self:
        """Those whose provider is meant to run something, or to be about to stop it."""
        return self.exclude(state__in=AT_REST)


class Deployment(BaseModel):
    """Workers of one engine at one provider; without an organization it is shared by all."""

    class Provider(models.TextChoices):
        LOCAL = "local", "This machine"
        VERDA = "verda", "Verda"

    class Kind(models.TextChoices):
        DEDICATED = "dedicated", "Dedicated instance"
        SERVERLESS = "serverless", "Serverless container"

    class Engine(models.TextChoices):
        CPU = "cpu", "CPU (hibari)"
        CHATTERBOX = "chatterbox", "Chatterbox"
        CHATTERBOX_TURBO = "chatterbox-turbo", "Chatterbox Turbo"
        CHATTERBOX_MULTILINGUAL = "chatterbox-multilingual", "Chatterbox Multilingual"
        TONE = "tone", "Tone (benches and tests)"

    State = State

    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        # Machines must be stopped before their owner can go.
        on_delete=models.PROTECT,
        related_name="deployments",
        help_text="Empty for a deployment shared by all organizations.",
    )
    name = models.CharField(
        max_length=63,
        validators=[RegexValidator(rf"^{NAME_PATTERN}\Z", "Lower-case letters, digits and hyphens.")],
    )
    provider = models.CharField(max_length=16, choices=Provider, default=Provider.LOCAL)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.DEDICATED)
    engine = models.CharField(max_length=32, choices=Engine)
    capabilities = models.JSONField(
        default=dict, blank=True, editable=False, help_text="What its workers could speak when last asked."
    )
    state = models.CharField(max_length=16, choices=State, default=State.REQUESTED, editable=False)
    state_changed_at = models.DateTimeField(default=timezone.now, editable=False)
    image = models.CharField(
        max_length=255, blank=True, help_text="With its tag; empty where the provider runs our own worker."
    )
    gpu = models.CharField(max_length=32, blank=True, help_text="Of the GPU catalogue; empty for none.")
    gpu_count = models.PositiveSmallIntegerField(default=1)
    is_spot = models.BooleanField(default=True, help_text="Cheaper, and may be reclaimed at any time.")
    location = models.CharField(max_length=16, blank=True, help_text="Empty for wherever there is room.")
    environment = models.JSONField(default=dict, blank=True, help_text="Variables of its workers.")
    secrets = EncryptedTextField(blank=True, editable=False)
    worker_token = EncryptedTextField(
        blank=True,
        editable=False,
        help_text="What its workers ask of their callers; empty: theirs to say.",
    )
    told = models.CharField(
        max_length=64, blank=True, editable=False, help_text="A digest of what its provider was last told."
    )
    price_per_hour = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="US dollars for one replica when it was created; empty where nothing is known.",
    )
    min_replicas = models.PositiveSmallIntegerField(default=1)
    max_replicas = models.PositiveSmallIntegerField(default=1)
    desired_replicas = models.PositiveSmallIntegerField(default=1)
    scale_up_delay_seconds = models.PositiveIntegerField(default=30)
    scale_down_delay_seconds = models.PositiveIntegerField(default=900)
    concurrent_per_replica = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Empty for as many as its workers say that they speak at once."
    )
    last_used_at = models.DateTimeField(
        null=True, editable=False, help_text="When a request was last spoken or waited for."
    )
    scaled_up_at = models.DateTimeField(null=True, editable=False)
    busy_since = models.DateTimeField(
        null=True, editable=False, help_text="Since when it has had more to do than its replicas are for."
    )
    idle_since = models.DateTimeField(
        null=True, editable=False, help_text="Since when fewer replicas would have done."
    )
    idle_replicas = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="The most that were needed since `idle_since`."
    )
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    generation = models.PositiveIntegerField(
        default=1, editable=False, help_text="Raised to have every worker replaced."
    )
    start_seconds = models.FloatField(
        null=True,
        editable=False,
        help_text="How long its workers take from a wake to ready, by its own history; empty without one.",
    )
    error_code = models.CharField(max_length=64, blank=True, editable=False)
    error_message = models.TextField(blank=True, editable=False)
    looked_at = models.DateTimeField(null=True, editable=False, help_text="When a task last looked at it.")
    claimed_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="A task is at work on it until then at the latest."
    )

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state"], name="deployment_by_state")]
        constraints = [
            # A name is free again once its deployment is deleted.
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=Q(deleted_at=None),
                name="deployment_name_once_in_organization",
            ),
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(organization=None, deleted_at=None),
                name="deployment_name_once_shared",
            ),
            models.CheckConstraint(
                condition=Q(name__regex=f"^{NAME_PATTERN}$"), name="deployment_name_shape"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="deployment_state_known"),
            models.CheckConstraint(
                condition=Q(provider__in=["local", "verda"]), name="deployment_provider_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["dedicated", "serverless"]), name="deployment_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(min_replicas__lte=F("max_replicas"))
                & Q(desired_replicas__lte=F("max_replicas"))
                & Q(max_replicas__gte=1),
                name="deployment_replicas_ordered",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | (~Q(error_code="") & ~Q(error_message="")),
                name="deployment_failed_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        return self.organization_id is None

    @property
    def sleeps_alone(self) -> bool:
        """Whether its provider ends and starts its replicas by itself, so that a question may start one."""
        return self.provider == self.Provider.VERDA and self.kind == self.Kind.SERVERLESS

    @property
    def scales(self) -> bool:
        """Whether how many replicas it has follows what there is to do."""
        return self.min_replicas < self.max_replicas

    @property
    def concurrency(self) -> int:
        """Requests that one replica speaks at once; one while nothing is known of its workers."""
        stated: int = self.concurrent_per_replica or self.capabilities.get("max_batch") or 1
        return stated

    @property
    def secret_values(self) -> dict[str, str]:
        values: dict[str, str] = json.loads(self.secrets) if self.secrets else {}
        return values

    def keep_secrets(self, values: Mapping[str, str]) -> None:
        """Encrypted with the row when it is saved."""
        self.secrets = json.dumps(dict(values)) if values else ""

    @property
    def price_per_hour_of_all(self) -> Decimal | None:
        """Of all replicas that are wanted now."""
        return None if self.price_per_hour is None else self.price_per_hour * self.desired_replicas


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


class Orphan(BaseModel):
    """Something at a provider that is ours by its name, and that no deployment here accounts for."""

    provider = models.CharField(max_length=16, choices=Deployment.Provider)
    provider_id = models.UUIDField(help_text="The deployment that its name tells of.")
    seen_at = models.DateTimeField(help_text="When it was last there.")
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_id"], name="orphan_once_at_provider")
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_id}"


class ProviderKey(BaseModel):
    """What a provider's own front asks of requests to the workers behind it; set and changed by staff."""

    provider = models.CharField(max_length=16, choices=Deployment.Provider, unique=True)
    inference_key = EncryptedTextField()

    def __str__(self) -> str:
        return self.get_provider_display()


class Demand(models.Model):
    """What one process of the speech API had for a deployment when it last told; stale after seconds."""

    STALE_SECONDS = 10.0

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="demands")
    process = models.UUIDField()
    in_flight = models.PositiveIntegerField()
    waiting = models.PositiveIntegerField(help_text="Requests without a slot that it could speak.")
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deployment", "process"], name="demand_once_by_process")
        ]

    def __str__(self) -> str:
        return f"{self.in_flight} in flight, {self.waiting} waiting"


class DeploymentEvent(BaseModel):
    """One step of a deployment's life; written with the change it tells of, never changed."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="events")
    from_state = models.CharField(max_length=16, choices=State, blank=True)
    to_state = models.CharField(max_length=16, choices=State)
    reason = models.TextField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Empty where the platform did it by itself.",
    )

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["deployment", "id"], name="event_by_deployment")]

    def __str__(self) -> str:
        return f"{self.from_state or 'nothing'} → {self.to_state}"


class Worker(BaseModel):
    """A replica, as the platform last knew it. Its process is the provider's business."""

    class State(models.TextChoices):
        STARTING = "starting", "Starting"
        READY = "ready", "Ready"
        UNREACHABLE = "unreachable", "Not answering"
        INCOMPATIBLE = "incompatible", "Incompatible"
        DRAINING = "draining", "Draining"
        LOST = "lost", "Lost"

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="workers")
    provider_id = models.CharField(max_length=128, help_text="The provider's name for this replica.")
    url = models.CharField(max_length=255, blank=True)
    token = EncryptedTextField(blank=True, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.STARTING)
    state_changed_at = models.DateTimeField(default=timezone.now, editable=False)
    message = models.TextField(
        blank=True, help_text="Why it is not ready, in its own or the provider's words."
    )
    capabilities = models.JSONField(default=dict, blank=True, help_text="The body of its /ready.")
    in_flight = models.PositiveIntegerField(default=0, help_text="Requests it said it had, begun or waiting.")
    generation = models.PositiveIntegerField(default=1)
    last_seen_at = models.DateTimeField(null=True, blank=True, help_text="When it last answered as ready.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["deployment", "provider_id"], name="worker_once_in_deployment"),
            models.CheckConstraint(
                condition=Q(
                    state__in=["starting", "ready", "unreachable", "incompatible", "draining", "lost"]
                ),
                name="worker_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="ready") | (~Q(url="") & Q(last_seen_at__isnull=False)),
                name="worker_ready_was_seen",
            ),
        ]
        indexes = [models.Index(fields=["state"], name="worker_by_state")]

    def __str__(self) -> str:
        return self.provider_id
