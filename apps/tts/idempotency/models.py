"""Answers that are kept to be given again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.core.models import OrganizationOwned
from apps.keys.models import ApiKey

MEDIA_FOLDER = "idempotency"
MAX_KEY_CHARACTERS = 255


class IdempotentAnswer(OrganizationOwned):
    """The answer to one call under one idempotency key of one API key, or the call that is making it.

    A call that takes the key over makes a row of its own, so that the id names the call, too.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        TOO_LARGE = "too_large", "Too large"
        LOST = "lost", "Lost"

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, db_index=False, related_name="+")
    idempotency_key = models.CharField(max_length=MAX_KEY_CHARACTERS)
    body_hash = models.BinaryField(max_length=32, help_text="Of method, path, query and body.")
    owner_id = models.UUIDField(help_text="The speech process that makes it.")
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    size_bytes = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["api_key", "idempotency_key"], name="idempotent_once_by_key"),
            models.CheckConstraint(
                condition=Q(state__in=["running", "done", "too_large", "lost"]), name="idempotent_state_known"
            ),
            models.CheckConstraint(
                condition=Q(status__isnull=False) | ~Q(state="done"), name="idempotent_done_has_status"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.idempotency_key} ({self.state})"

    @property
    def media_key(self) -> str:
        """Of the encrypted answer; derived, so that no row is ever without the name of its file."""
        return f"{MEDIA_FOLDER}/{self.organization_id}/{self.id}"
