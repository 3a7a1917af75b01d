"""API keys: found by a public prefix, proved by a keyed hash, never stored."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.models import OrganizationOwned, OrganizationQuerySet
from apps.keys.restrictions import MAX_NAME, MAX_NETWORK, MAX_ORIGIN, MAXIMA, NAMES, Restrictions


class ApiKeyQuerySet(OrganizationQuerySet):
    def usable(self, now: datetime | None = None) -> ApiKeyQuerySet:
        now = now or timezone.now()
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=now))


class ApiKey(OrganizationOwned):
    class Mode(models.TextChoices):
        LIVE = "live", "Live"
        TEST = "test", "Test"

    class Scope(models.TextChoices):
        SPEECH = "speech", "Speech"
        MANAGE = "manage", "Manage"

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        ROTATING = "rotating", "Rotating"
        EXPIRED = "expired", "Expired"
        REVOKED = "revoked", "Revoked"

    name = models.CharField(max_length=80)
    mode = models.CharField(max_length=4, choices=Mode)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    hash = models.BinaryField(max_length=32, editable=False)
    pepper_id = models.PositiveSmallIntegerField(editable=False)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope))
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    rotated_to = models.OneToOneField(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="rotated_from"
    )
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL
    )
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    concurrent_requests = models.PositiveIntegerField(null=True, blank=True)
    characters_per_month = models.PositiveBigIntegerField(null=True, blank=True)
    characters_per_request = models.PositiveIntegerField(null=True, blank=True)
    allowed_voices = ArrayField(models.CharField(max_length=MAX_NAME), default=list, blank=True)
    allowed_ips = ArrayField(models.CharField(max_length=MAX_NETWORK), default=list, blank=True)
    allowed_origins = ArrayField(models.CharField(max_length=MAX_ORIGIN), default=list, blank=True)

    objects = ApiKeyQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = "API key"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "-id"], name="apikey_by_organization"),
            GinIndex(fields=["allowed_origins"], name="apikey_by_origin"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(mode__in=["live", "test"]), name="apikey_mode_known"),
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="apikey_has_scope"),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=["speech", "manage"]), name="apikey_scopes_known"
            ),
            models.CheckConstraint(
                condition=Q(rotated_to=None) | Q(expires_at__isnull=False), name="apikey_rotated_expires"
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{name: None}) | Q(**{f"{name}__range": (1, maximum)}),
                    name=f"apikey_{name}_in_range",
                )
                for name, maximum in MAXIMA.items()
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.masked})"

    @property
    def masked(self) -> str:
        return f"{self.prefix}…{self.last4}"

    @property
    def restrictions(self) -> Restrictions:
        return Restrictions.from_row(getattr(self, name) for name in NAMES)

    @property
    def state(self) -> State:
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return self.State.EXPIRED
        return self.State.ROTATING if self.rotated_to_id else self.State.ACTIVE

    @property
    def is_usable(self) -> bool:
        return self.state in {self.State.ACTIVE, self.State.ROTATING}
