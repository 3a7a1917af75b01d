"""Data sets that were given out: frozen, numbered, and the same however often they are made."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.contributions.models.campaigns import MAX_PROMPT_CHARACTERS, Campaign
from apps.contributions.models.clips import Clip
from apps.core.models import BaseModel


class Release(BaseModel):
    """What a campaign has at one moment. `seed` makes its pseudonyms and splits, for this release alone.

    What is withdrawn while it is being made begins a new `generation` of its files, without it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        MAKING = "making", "Being made"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    IN_WORK = (State.QUEUED, State.MAKING)

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="releases")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    seed = models.CharField(max_length=64, editable=False)
    notes = models.TextField(blank=True, help_text="Part of its datasheet.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    frozen_at = models.DateTimeField(help_text="What was accepted by then is in it.")
    facts = models.JSONField(
        default=dict, blank=True, editable=False, help_text="Its campaign, as it was when this was frozen."
    )
    speakers = models.JSONField(
        default=dict, blank=True, editable=False, help_text="What speakers said of themselves, by pseudonym."
    )
    clips_count = models.PositiveIntegerField(
        "clips", default=0, editable=False, help_text="That this generation of its files has."
    )
    generation = models.PositiveIntegerField(default=1, editable=False)
    steps_done = models.PositiveSmallIntegerField(default=0)
    steps_total = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Of the next step.")
    claimed_by = models.UUIDField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    problem = models.CharField(max_length=300, blank=True)
    files = models.JSONField(default=list, blank=True, help_text="Each with name, bytes and SHA-256.")
    removed_ids = models.JSONField(
        default=list, blank=True, help_text="Ids of the release before that are gone since then."
    )
    ready_at = models.DateTimeField(null=True, blank=True)
    files_gone_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Removed, since somebody in it withdrew."
    )

    class Meta:
        ordering = ["campaign", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "version"], name="release_version_once"),
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(state__in=["queued", "making"]), name="release_one_in_work"
            ),
        ]

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
    text = models.CharField(max_length=MAX_PROMPT_CHARACTERS, help_text="Its sentence, as it was then.")
    normalised = models.TextField(help_text="The sentence with numbers and the like written out.")
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
