"""Recordings, what the pipeline found, and what people decided."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.contributions.models.campaigns import Campaign, Prompt
from apps.contributions.models.people import ConsentRecord, Contributor
from apps.core.models import BaseModel

CLIPS_FOLDER = "clips"


class ClipQuerySet(models.QuerySet["Clip"]):
    def counting(self) -> Self:
        """Those that stand for their prompt: accepted, or not decided yet."""
        return self.filter(state__in=Clip.COUNTING)


class Clip(BaseModel):
    """One recording of one prompt by one person. Its original is kept beside what was decoded from it.

    `round` rises each time what was decided is taken back, so that each decision is paid for once at most.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        CHECKING = "checking", "Being checked"
        ACCEPTED = "accepted", "Accepted"
        IN_REVIEW = "in_review", "In review"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    COUNTING = (State.UPLOADED, State.CHECKING, State.IN_REVIEW, State.ACCEPTED)
    UNDECIDED = (State.UPLOADED, State.CHECKING, State.IN_REVIEW)

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="clips")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="clips")
    contributor = models.ForeignKey(Contributor, on_delete=models.PROTECT, related_name="clips")
    consents = models.ManyToManyField(ConsentRecord, related_name="clips")
    upload_id = models.UUIDField(help_text="By the recorder, the same each time it sends this recording.")
    state = models.CharField(max_length=9, choices=State, default=State.UPLOADED)
    round = models.PositiveSmallIntegerField(default=1)

    original_key = models.CharField(max_length=200, blank=True, editable=False)
    original_sha256 = models.CharField(max_length=64, editable=False)
    original_bytes = models.PositiveIntegerField(editable=False)
    flac_key = models.CharField(max_length=200, blank=True, editable=False)
    told_duration_ms = models.PositiveIntegerField(help_text="How long it was by the recorder's count.")
    duration_ms = models.PositiveIntegerField(null=True)
    speech_ms = models.PositiveIntegerField(null=True, help_text="Of detected speech: what is paid.")
    cents_per_minute = models.PositiveIntegerField(help_text="As it was when this was recorded.")

    figures = models.JSONField(
        default=dict, blank=True, editable=False, help_text="As measured: judged again when gates change."
    )
    report = models.JSONField(default=list, blank=True, help_text="Each measure with its verdict.")
    transcript = models.TextField(blank=True, help_text="What a recogniser heard.")
    fingerprint = models.BinaryField(null=True, editable=False)
    voice = models.BinaryField(null=True, editable=False)
    reason = models.CharField(
        max_length=500, blank=True, help_text="Why it was rejected or is in review, for its contributor."
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.UUIDField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    checks = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Begun, in this round.")
    files_gone_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ClipQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["contributor", "-id"], name="clip_by_contributor"),
            models.Index(fields=["campaign", "state"], name="clip_by_campaign_state"),
            models.Index(fields=["prompt", "state"], name="clip_by_prompt_state"),
            models.Index(fields=["id"], condition=Q(state="in_review"), name="clip_in_review"),
            models.Index(
                fields=["state", "claimed_until"],
                condition=Q(state__in=["uploaded", "checking"]),
                name="clip_to_check",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["contributor", "upload_id"], name="clip_upload_once"),
            # Whoever's it is: the same file twice is one recording.
            models.UniqueConstraint(
                fields=["campaign", "original_sha256"],
                condition=~Q(state__in=["rejected", "withdrawn"]),
                name="clip_file_once_in_campaign",
            ),
            # Of one sentence a person has one recording that counts.
            models.UniqueConstraint(
                fields=["contributor", "prompt"],
                condition=Q(state__in=["uploaded", "checking", "accepted", "in_review"]),
                name="clip_once_for_prompt",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["uploaded", "checking", "accepted", "in_review", "rejected", "withdrawn"]
                ),
                name="clip_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(speech_ms__isnull=False, duration_ms__isnull=False),
                name="clip_accepted_was_measured",
            ),
        ]

    def __str__(self) -> str:
        return f"clip {self.pk.hex[-8:]}"

    @property
    def folder(self) -> str:
        """Where its files lie, those too that a process stored and did not live to write down."""
        return f"{CLIPS_FOLDER}/{self.campaign_id}/{self.pk}"

    @property
    def earned_cents(self) -> int:
        """What its speech comes to at its rate, rounded half up."""
        return earned_cents(self.speech_ms or 0, self.cents_per_minute)


def earned_cents(speech_ms: int, cents_per_minute: int) -> int:
    return (speech_ms * cents_per_minute + 30_000) // 60_000


class ClipPrint(models.Model):
    """A part of a clip's fingerprint, by which clips that may be the same recording find each other."""

    clip = models.ForeignKey(Clip, on_delete=models.CASCADE, related_name="prints")
    value = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["value", "clip"], name="clip_print_by_value")]

    def __str__(self) -> str:
        return f"{self.value:08x}"


class Vote(BaseModel):
    """What one person says of another's clip, in the round in which it was asked."""

    clip = models.ForeignKey(Clip, on_delete=models.CASCADE, related_name="votes")
    voter = models.ForeignKey(Contributor, on_delete=models.CASCADE, related_name="votes")
    round = models.PositiveSmallIntegerField()
    is_valid = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clip", "voter", "round"], name="vote_once")]

    def __str__(self) -> str:
        return "valid" if self.is_valid else "invalid"


class ClipReport(BaseModel):
    """A listener says that something else is wrong with a clip; it is not played to them again."""

    clip = models.ForeignKey(Clip, on_delete=models.CASCADE, related_name="reports")
    reporter = models.ForeignKey(Contributor, on_delete=models.CASCADE, related_name="clip_reports")
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clip", "reporter"], name="clip_report_once")]

    def __str__(self) -> str:
        return self.reason


class Decision(BaseModel):
    """One verdict on a clip, by the pipeline, by votes or by staff; taken back by the one that names it."""

    class Source(models.TextChoices):
        PIPELINE = "pipeline", "Quality pipeline"
        VOTES = "votes", "Listeners"
        STAFF = "staff", "Staff"

    clip = models.ForeignKey(Clip, on_delete=models.CASCADE, related_name="decisions")
    round = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=8, choices=Source)
    from_state = models.CharField(max_length=9, choices=Clip.State)
    to_state = models.CharField(max_length=9, choices=Clip.State)
    reason = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(F("clip"), F("id"), name="decision_by_clip")]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"
