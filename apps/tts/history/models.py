"""Requests that an organization has asked to keep."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.ids import uuid7_floor, uuid7_time
from apps.core.models import OrganizationQuerySet
from apps.keys.models import ApiKey
from apps.usage.models import UsageRecord

MEDIA_FOLDER: Final = "history"
# What is kept of each format, and its ending. Bare samples are kept as a WAV, which every player knows.
FILES: Final = {
    "wav": ("audio/wav", "wav"),
    "pcm": ("audio/wav", "wav"),
    "mulaw": ("audio/wav", "wav"),
    "alaw": ("audio/wav", "wav"),
    "mp3": ("audio/mpeg", "mp3"),
    "opus": ("audio/ogg", "ogg"),
    "aac": ("audio/aac", "aac"),
    "flac": ("audio/flac", "flac"),
}


class HistoryItemQuerySet(OrganizationQuerySet):
    def shown(self, organization: Organization) -> HistoryItemQuerySet:
        """Of the organization, those whose days are not over; they may be removed a little later."""
        items: HistoryItemQuerySet = self.for_organization(organization).filter(expires_at__gt=timezone.now())
        if organization.history_days:
            items = items.younger_than(organization.history_days)
        return items

    def younger_than(self, days: int) -> HistoryItemQuerySet:
        return self.filter(id__gte=uuid7_floor(timezone.now() - timedelta(days=days)))

    def older_than(self, days: int) -> HistoryItemQuerySet:
        return self.filter(id__lt=uuid7_floor(timezone.now() - timedelta(days=days)))


class HistoryItemManager(models.Manager.from_queryset(HistoryItemQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> Any:
        return super().get_queryset().defer("search")


class HistoryItem(models.Model):
    """One request and the audio it was answered with. Its id is that of the usage record, and so its time.

    Words are found by a tsvector of the text as it stands: 'simple', since texts come in any language. It
    needs no extension that a managed database might withhold, unlike trigrams, and finds whole words and
    their beginnings. A search reads its organization's items newest first, or the index of words where that
    promises less; so it never costs more than a walk through the organization's own.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, db_index=False, related_name="+")
    # Items outlive the keys they name.
    key = models.ForeignKey(
        ApiKey, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    request_id = models.CharField(max_length=128)
    mode = models.CharField(max_length=4, choices=ApiKey.Mode)
    surface = models.CharField(max_length=16, choices=UsageRecord.Surface)
    model = models.CharField(max_length=80)
    voice = models.CharField(max_length=80)
    format = models.CharField(max_length=5, choices=[(name, name) for name in FILES])
    options = models.JSONField(default=dict, help_text="What else was asked for, where it was not usual.")
    text = models.TextField()
    characters = models.PositiveIntegerField()
    audio_ms = models.PositiveIntegerField()
    size_bytes = models.PositiveIntegerField(help_text="Of the audio; 0 where that was too large to be kept.")
    expires_at = models.DateTimeField()
    search = models.GeneratedField(
        expression=SearchVector("text", config="simple"), output_field=SearchVectorField(), db_persist=True
    )

    objects = HistoryItemManager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "-id"], name="history_by_organization"),
            models.Index(fields=["expires_at"], name="history_by_expiry"),
            GinIndex(fields=["search"], name="history_by_words"),
        ]

    def __str__(self) -> str:
        return self.request_id

    @property
    def created_at(self) -> datetime:
        """When the request was admitted."""
        return uuid7_time(self.id)

    @property
    def has_audio(self) -> bool:
        return self.size_bytes > 0

    @property
    def content_type(self) -> str:
        return FILES[self.format][0]

    @property
    def filename(self) -> str:
        return f"speech-{self.created_at:%Y%m%d-%H%M%S}.{FILES[self.format][1]}"

    @property
    def media_key(self) -> str:
        return f"{MEDIA_FOLDER}/{self.organization_id}/{self.id}"
