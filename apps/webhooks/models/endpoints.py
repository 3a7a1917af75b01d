"""Where an organization wants its events, and what they are signed with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.crypto import EncryptedTextField
from apps.core.models import BaseModel, OrganizationOwned, OrganizationQuerySet

MAX_URL = 2000
MAX_DESCRIPTION = 200
MAX_EVENT_NAME = 64


class EndpointQuerySet(OrganizationQuerySet):
    def kept(self) -> Self:
        """Without those that were deleted, whose log goes with the rest of its time."""
        return self.filter(deleted_at=None)

    def enabled(self) -> Self:
        return self.kept().filter(disabled_at=None)


class Endpoint(OrganizationOwned):
    """A receiver of an organization. One that is disabled gets nothing; what waits for it keeps waiting."""

    class Disabled(models.TextChoices):
        BY_PERSON = "by_person", "By a person"
        BY_STAFF = "by_staff", "By the platform's staff"
        FAILING = "failing", "Nothing was received for days"
        GONE = "gone", "It answered 410 Gone"

    class State(models.TextChoices):
        ENABLED = "enabled", "Enabled"
        FAILING = "failing", "Failing"
        DISABLED = "disabled", "Disabled"

    url = models.CharField(max_length=MAX_URL)
    description = models.CharField(max_length=MAX_DESCRIPTION, blank=True)
    events = ArrayField(
        models.CharField(max_length=MAX_EVENT_NAME),
        default=list,
        blank=True,
        help_text="Names, or beginnings such as deployment.*; empty for every event.",
    )
    headers = EncryptedTextField(blank=True, editable=False)
    rate_limit_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Attempts a minute at most; empty for as fast as it answers."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_because = models.CharField(max_length=16, choices=Disabled, blank=True, editable=False)
    mail_due = models.BooleanField(
        default=False, editable=False, help_text="Its owners are yet to be told that it was disabled."
    )
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when no attempt has succeeded."
    )
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="To the minute.")
    slow_until = models.DateTimeField(
        null=True, editable=False, help_text="Until then it shares the threads of slow ones."
    )
    send_from = models.DateTimeField(
        null=True, editable=False, help_text="When its rate limit admits the next attempt."
    )

    objects = EndpointQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["organization"], condition=Q(deleted_at=None), name="endpoint_by_organization"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled_because__in=["", "by_person", "by_staff", "failing", "gone"]),
                name="endpoint_disabled_known",
            ),
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_because="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_because="")),
                name="endpoint_disabled_says_why",
            ),
            models.CheckConstraint(
                condition=Q(rate_limit_per_minute=None) | Q(rate_limit_per_minute__gte=1),
                name="endpoint_rate_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url

    @property
    def state(self) -> State:
        if self.disabled_at is not None:
            return self.State.DISABLED
        return self.State.FAILING if self.failing_since is not None else self.State.ENABLED

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url

    @property
    def is_slow(self) -> bool:
        return self.slow_until is not None and self.slow_until > timezone.now()

    @property
    def own_headers(self) -> dict[str, str]:
        values: dict[str, str] = json.loads(self.headers) if self.headers else {}
        return values

    def keep_headers(self, values: Mapping[str, str]) -> None:
        """Encrypted with the row when it is saved."""
        self.headers = json.dumps(dict(values)) if values else ""


class EndpointSecret(BaseModel):
    """What deliveries to an endpoint are signed with: all that have not expired, side by side."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="secrets")
    secret = EncryptedTextField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty for the one in use.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(expires_at=None), name="endpoint_secret_one_in_use"
            )
        ]

    def __str__(self) -> str:
        return f"secret of {self.endpoint_id}"


class Lane(models.Model):
    """One of the few leases on an endpoint: who holds it sends there, one delivery after another."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="lanes")
    number = models.PositiveSmallIntegerField()
    owner = models.UUIDField(null=True, editable=False)
    held_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "number"], name="lane_once")]

    def __str__(self) -> str:
        return f"lane {self.number}"
