"""What was asked, what came of it, and what it is charged: one row a speech request."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.accounts.models import Organization
from apps.core.ids import uuid7, uuid7_floor, uuid7_time
from apps.core.models import BaseModel, OrganizationQuerySet
from apps.deployments.models import Deployment
from apps.keys.models import ApiKey
from apps.keys.restrictions import MAX_NAME, MAX_NETWORK
from apps.usage.rollup_models import RollupState as RollupState
from apps.usage.rollup_models import UsageDay as UsageDay
from apps.usage.rollup_models import UsageHour as UsageHour
from apps.usage.rollup_models import UsageMonth as UsageMonth
from apps.usage.rollup_models import UsageNotice as UsageNotice


class UsageRecordQuerySet(OrganizationQuerySet):
    def between(self, start: datetime, end: datetime) -> UsageRecordQuerySet:
        """Started in [start, end); by id, so that only the partitions of that time are read."""
        return self.filter(id__gte=uuid7_floor(start), id__lt=uuid7_floor(end))


class UsageRecord(models.Model):
    """A speech request, from its admission to its settlement.

    The table is partitioned by month on the UUIDv7 id (`apps.core.partitions`). Rows outlive the keys and
    deployments they name: those references are not enforced by the database.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        OK = "ok", "OK"
        FAILED = "failed", "Failed"
        CUT = "cut", "Cut"
        CANCELLED = "cancelled", "Cancelled"

    class Surface(models.TextChoices):
        GENERATE = "generate", "Generate"
        PLAYGROUND = "playground", "Playground"
        OPENAI = "openai", "OpenAI"
        ELEVENLABS = "elevenlabs", "ElevenLabs"
        JOB = "job", "Job"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.ForeignKey(
        ApiKey, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    deployment = models.ForeignKey(
        Deployment,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    owner_id = models.UUIDField(help_text="The speech process that settles it.")
    request_id = models.CharField(max_length=128)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    mode = models.CharField(max_length=4, choices=ApiKey.Mode)
    surface = models.CharField(max_length=16, choices=Surface)
    model = models.CharField(max_length=80)
    voice = models.CharField(max_length=80)
    characters = models.PositiveIntegerField()
    characters_charged = models.PositiveIntegerField(default=0)
    characters_credited = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Not charged: an earlier attempt that was cut has been charged for them.",
    )
    credited_to = models.UUIDField(null=True, help_text="The retry that used what this cut was charged.")
    body_hash = models.UUIDField(null=True, help_text="The same for the same body sent to the same path.")
    audio_ms = models.PositiveIntegerField(default=0)
    engine_ms = models.PositiveIntegerField(default=0)
    ttfb_ms = models.FloatField(null=True, help_text="From the request's arrival to its first audio.")
    total_ms = models.FloatField(null=True)
    error_code = models.CharField(max_length=64, blank=True, default="")
    closed_at = models.DateTimeField(null=True)

    objects = UsageRecordQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "-id"], name="usage_by_organization"),
            models.Index(fields=["owner_id"], condition=Q(state="open"), name="usage_open_by_owner"),
            models.Index(fields=["request_id"], name="usage_by_request_id"),
            # What a retry looks for. Cuts are rare, so that this costs other requests next to nothing.
            models.Index(
                fields=["key", "body_hash"],
                condition=Q(state="cut", credited_to=None, body_hash__isnull=False),
                name="usage_cut_to_credit",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["open", "ok", "failed", "cut", "cancelled"]), name="usage_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="usage_closed_when_settled",
            ),
            models.CheckConstraint(
                condition=Q(
                    characters__gte=models.F("characters_charged") + models.F("characters_credited"),
                ),
                name="usage_charged_at_most_asked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} ({self.state})"

    @property
    def started_at(self) -> datetime:
        return uuid7_time(self.id)


class SpeechProcess(models.Model):
    """A process that admits and settles; where its heartbeat stops, the reconciler closes its open rows."""

    id = models.UUIDField(primary_key=True)
    hostname = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "speech processes"

    def __str__(self) -> str:
        return f"{self.hostname}:{self.pid}"


class OrganizationLimits(BaseModel):
    """What staff allow one organization beyond or below the platform's limits; empty means the platform's."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="limits")
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    concurrent_requests = models.PositiveIntegerField(null=True, blank=True)
    characters_per_request = models.PositiveIntegerField(null=True, blank=True)
    characters_per_month = models.PositiveBigIntegerField(null=True, blank=True)
    allowed_voices = ArrayField(models.CharField(max_length=MAX_NAME), default=list, blank=True)
    allowed_ips = ArrayField(models.CharField(max_length=MAX_NETWORK), default=list, blank=True)
    may_use_shared_pool = models.BooleanField(
        default=True, help_text="Whether its requests may be spoken by deployments of the platform."
    )

    class Meta:
        verbose_name = verbose_name_plural = "organization limits"
        constraints = [
            models.CheckConstraint(
                condition=Q(characters_per_request=None) | Q(characters_per_request__range=(1, 10_000)),
                name="limits_characters_fit_the_wire",
            ),
        ]

    def __str__(self) -> str:
        return f"Limits of {self.organization}"
