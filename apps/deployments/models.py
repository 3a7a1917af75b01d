"""Deployments, the workers that serve them, and the timeline of what happened."""

from __future__ import annotations

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

    def active(self) -> Self:
        """Those whose provider is meant to run something, or to be about to stop it."""
        return self.exclude(state__in=AT_REST)


class Deployment(BaseModel):
    """Workers of one engine at one provider; without an organization it is shared by all."""

    class Provider(models.TextChoices):
        LOCAL = "local", "This machine"

    class Kind(models.TextChoices):
        DEDICATED = "dedicated", "Dedicated"
        SERVERLESS = "serverless", "Serverless"

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
    min_replicas = models.PositiveSmallIntegerField(default=1)
    max_replicas = models.PositiveSmallIntegerField(default=1)
    desired_replicas = models.PositiveSmallIntegerField(default=1)
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
    claimed_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="A task is at work on it until then at the latest."
    )

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state"], name="deployment_by_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"], name="deployment_name_once_in_organization"
            ),
            models.UniqueConstraint(
                fields=["name"], condition=Q(organization=None), name="deployment_name_once_shared"
            ),
            models.CheckConstraint(
                condition=Q(name__regex=f"^{NAME_PATTERN}$"), name="deployment_name_shape"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="deployment_state_known"),
            models.CheckConstraint(condition=Q(provider__in=["local"]), name="deployment_provider_known"),
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
