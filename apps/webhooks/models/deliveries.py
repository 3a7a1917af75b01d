"""The outbox and the log: what happened, who is to hear of it, and how each attempt to tell them went.

The three tables are partitioned by month. What they refer to may be gone before they are: no constraint of
the database ties them to it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from apps.accounts.models import Organization
from apps.core.ids import uuid7, uuid7_time
from apps.core.models import OrganizationQuerySet
from apps.webhooks.models.endpoints import MAX_EVENT_NAME, Endpoint

_LOOSE: dict[str, Any] = {"on_delete": models.DO_NOTHING, "db_constraint": False, "related_name": "+"}


def message_id(event_id: UUID) -> str:
    """The `webhook-id` that receivers see, the same with each attempt."""
    return f"evt_{event_id.hex}"


class Event(models.Model):
    """Something that happened to an organization, in the very bytes that its receivers get."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, **_LOOSE)
    type = models.CharField(max_length=MAX_EVENT_NAME)
    body = models.TextField()
    is_test = models.BooleanField(default=False, help_text="Made up, at the wish of a person or a program.")

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organization", "-id"], name="event_by_organization")]

    def __str__(self) -> str:
        return self.type

    @property
    def happened_at(self) -> datetime:
        return uuid7_time(self.id)

    @property
    def message_id(self) -> str:
        return message_id(self.id)


class Delivery(models.Model):
    """An event on its way to one endpoint. Its id follows from both, so that there is no second one."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        SENDING = "sending", "Being sent"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN = (State.PENDING, State.SENDING)

    id = models.UUIDField(primary_key=True, editable=False)
    event = models.ForeignKey(Event, **_LOOSE)
    endpoint = models.ForeignKey(Endpoint, **_LOOSE)
    organization = models.ForeignKey(Organization, **_LOOSE)
    event_type = models.CharField(max_length=MAX_EVENT_NAME)
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    due_at = models.DateTimeField(
        help_text="When it is to be attempted, or while being sent, when its task is taken for dead."
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts since it was last begun anew: where it stands in the schedule."
    )
    attempt_id = models.UUIDField(null=True, help_text="The latest attempt.")
    last_status = models.PositiveSmallIntegerField(null=True)
    last_problem = models.CharField(max_length=32, blank=True, default="")

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            # Holds what is open alone, so that its size is that of what is left to do.
            models.Index(fields=["endpoint", "due_at"], condition=Q(state="pending"), name="delivery_due"),
            models.Index(fields=["due_at"], condition=Q(state="sending"), name="delivery_in_hand"),
            models.Index(fields=["endpoint", "-id"], name="delivery_by_endpoint"),
            models.Index(fields=["endpoint", "-id"], condition=Q(state="failed"), name="delivery_failed"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "sending", "delivered", "failed", "cancelled"]),
                name="delivery_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(attempt_id__isnull=False),
                name="delivery_sending_is_logged",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} → {self.endpoint_id}"

    @property
    def created_at(self) -> datetime:
        return uuid7_time(self.id)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class Attempt(models.Model):
    """One request to an endpoint; written before it is made, so that one that nobody ended is known too."""

    class Outcome(models.TextChoices):
        SENDING = "sending", "Being sent"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(Delivery, **_LOOSE)
    number = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=11, choices=Outcome, default=Outcome.SENDING)
    status = models.PositiveSmallIntegerField(null=True, help_text="Of the answer; empty where none came.")
    problem = models.CharField(max_length=32, blank=True, default="")
    problem_words = models.CharField(max_length=300, blank=True, default="")
    duration_ms = models.PositiveIntegerField(null=True)
    request_headers = models.JSONField(default=dict)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True, default="", help_text="Its first 20,000 bytes.")
    is_cut = models.BooleanField(default=False, help_text="Whether there was more of the answer.")
    next_attempt_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["delivery", "id"], name="attempt_by_delivery"),
            models.Index(fields=["id"], condition=Q(outcome="sending"), name="attempt_in_hand"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["sending", "delivered", "failed", "interrupted"]),
                name="attempt_outcome_known",
            )
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}"

    @property
    def began_at(self) -> datetime:
        return uuid7_time(self.id)
