"""The replicas that serve deployments, what is asked of them, and how that went minute by minute."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.crypto import EncryptedTextField
from apps.core.ids import uuid7, uuid7_time
from apps.core.models import BaseModel
from apps.deployments.models.deployments import Deployment
from apps.deployments.states import State


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
    url = EncryptedTextField(blank=True, editable=False, help_text="Empty until its address is known.")
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


class Sample(models.Model):
    """A deployment as it was in one minute. `in_flight` and `waiting` are requests."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    deployment = models.ForeignKey(
        Deployment, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    state = models.CharField(max_length=16, choices=State)
    ready = models.PositiveSmallIntegerField()
    desired = models.PositiveSmallIntegerField()
    in_flight = models.PositiveIntegerField()
    waiting = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["deployment", "id"], name="sample_by_deployment")]

    def __str__(self) -> str:
        return f"{self.ready} of {self.desired} ready"

    @property
    def taken_at(self) -> datetime:
        return uuid7_time(self.id)
