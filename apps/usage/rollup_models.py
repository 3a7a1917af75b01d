"""Requests summed up by hour, day and month, how far that has come, and limits that were reached."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.accounts.models import Organization
from apps.core.models import OrganizationOwned, OrganizationQuerySet
from apps.deployments.models import Deployment
from apps.keys.models import ApiKey

KIND = ("organization", "key", "mode", "surface", "voice", "model", "deployment")


class Sums(models.Model):
    """Closed requests of one kind that began in one span of time; open ones are in no sum.

    Rows are made and made again from usage records (`apps.usage.rollups`), never changed. Like those they
    outlive the keys and deployments they name.
    """

    id = models.BigAutoField(primary_key=True)
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
    mode = models.CharField(max_length=4)
    surface = models.CharField(max_length=16)
    voice = models.CharField(max_length=80)
    model = models.CharField(max_length=80)
    requests = models.PositiveBigIntegerField()
    ok = models.PositiveBigIntegerField()
    failed = models.PositiveBigIntegerField()
    cut = models.PositiveBigIntegerField()
    cancelled = models.PositiveBigIntegerField()
    characters = models.PositiveBigIntegerField()
    characters_charged = models.PositiveBigIntegerField()
    characters_credited = models.PositiveBigIntegerField()
    audio_ms = models.PositiveBigIntegerField()
    engine_ms = models.PositiveBigIntegerField()
    ttfb_buckets = ArrayField(
        models.IntegerField(), help_text="Numbers of the buckets of apps.usage.histogram, ascending."
    )
    ttfb_counts = ArrayField(models.IntegerField(), help_text="How many first audios each of them holds.")

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        abstract = True


class UsageHour(Sums):
    """One UTC hour; kept for a time only."""

    hour = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "hour", *KIND[1:]], nulls_distinct=False, name="usage_hour_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}:00 {self.voice} ({self.requests})"


class UsageDay(Sums):
    """One whole UTC day, the sum of its hours; kept for ever."""

    day = models.DateField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "day", *KIND[1:]], nulls_distinct=False, name="usage_day_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.voice} ({self.requests})"


class UsageMonth(Sums):
    """One whole UTC month, the sum of its days; kept for ever."""

    month = models.DateField(db_index=True, help_text="Its first day.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "month", *KIND[1:]], nulls_distinct=False, name="usage_month_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.voice} ({self.requests})"


class RollupState(models.Model):
    """How far requests have been summed up; one row, locked by whoever sums."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    through = models.DateTimeField(help_text="Sums of the hours before this one are whole.")
    waiting = ArrayField(
        models.UUIDField(),
        default=list,
        help_text="Records from before that hour that were open and are in no sum yet.",
    )
    kept_from = models.DateTimeField(null=True, help_text="Hours before this one are only kept as days.")
    rolled_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="rollup_state_is_one_row")]

    def __str__(self) -> str:
        return f"Through {self.through:%Y-%m-%d %H}:00 UTC"


class UsageNotice(OrganizationOwned):
    """A share of a month's characters was reached: by a key of its own limit, or by the organization."""

    class Threshold(models.IntegerChoices):
        WARNING = 80, "80 %"
        REACHED = 100, "100 %"

    key = models.ForeignKey(
        ApiKey,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Whose limit it is; empty for the organization's.",
    )
    month = models.DateField(help_text="Its first day, in UTC.")
    threshold = models.PositiveSmallIntegerField("share", choices=Threshold)
    characters_used = models.PositiveBigIntegerField()
    characters_limit = models.PositiveBigIntegerField()
    wants_mail = models.BooleanField(default=True, help_text="Not where a higher one came with it.")
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "limit reached"
        verbose_name_plural = "limits reached"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "key", "month", "threshold"],
                nulls_distinct=False,
                name="usage_notice_once",
            ),
            models.CheckConstraint(condition=Q(threshold__in=[80, 100]), name="usage_notice_threshold_known"),
        ]

    def __str__(self) -> str:
        return f"{self.threshold} % of {self.month:%B %Y}"
