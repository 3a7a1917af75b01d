"""Data sets that were given out: frozen, numbered, and the same however often they are made."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.contributions.models.campaigns import Campaign
from apps.contributions.models.clips import Clip
from apps.core.models import BaseModel


class Release(BaseModel):
    """What a campaign has at one moment. `seed` makes its pseudonyms and splits, for this release alone."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        MAKING = "making", "Being made"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="releases")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    seed = models.CharField(max_length=64, editable=False)
    notes = models.TextField(blank=True, help_text="Part of its datasheet.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    frozen_at = models.DateTimeField(help_text="What was accepted by then is in it.")
    steps_done = models.PositiveSmallIntegerField(default=0)
    steps_total = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True, editable=False)
    problem = models.CharField(max_length=300, blank=True)
    files = models.JSONField(default=list, blank=True, help_text="Each with name, bytes and SHA-256.")
    removed_ids = models.JSONField(
        default=list, blank=True, help_text="Ids of the release before that are gone since then."
    )
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["campaign", "-version"]
        constraints = [models.UniqueConstraint(fields=["campaign", "version"], name="release_version_once")]

    def __str__(self) -> str:
        return f"{self.campaign} v{self.version}"


class ReleasedClip(models.Model):
    """A clip as it is in one release, under names that nothing else has."""

    class Split(models.TextChoices):
        TRAIN = "train", "Train"
        VALIDATION = "validation", "Validation"
        TEST = "test", "Test"

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="clips")
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="+")
    public_id = models.CharField(max_length=16)
    speaker = models.CharField(max_length=16)
    split = models.CharField(max_length=10, choices=Split)
    is_removed = models.BooleanField(default=False, help_text="Withdrawn before the release was made.")

    class Meta:
        ordering = ["public_id"]
        constraints = [
            models.UniqueConstraint(fields=["release", "clip"], name="released_clip_once"),
            models.UniqueConstraint(fields=["release", "public_id"], name="released_id_once"),
            models.CheckConstraint(
                condition=Q(split__in=["train", "validation", "test"]), name="released_split_known"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
