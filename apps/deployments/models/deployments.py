"""Deployments, and the timeline of what happened to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
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
    stopped_by_budget = models.BooleanField(
        default=False,
        editable=False,
        help_text="Whether it ran until its organization's budget was used up, and nobody started it since.",
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
    provider_failures = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Looks in a row at which its provider failed."
    )
    provider_waits_until = models.DateTimeField(
        null=True, editable=False, help_text="Until then the schedule does not ask its provider again."
    )
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
        help_text="Empty where no person did it.",
    )
    key_prefix = models.CharField(
        max_length=32, blank=True, help_text="The API key that did it; empty where none did."
    )

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["deployment", "id"], name="event_by_deployment")]

    def __str__(self) -> str:
        return f"{self.from_state or 'nothing'} → {self.to_state}"
