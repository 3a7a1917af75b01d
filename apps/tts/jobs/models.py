"""Long texts made into one file: the job, and the parts that it is made in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.models import BaseModel, OrganizationOwned, OrganizationQuerySet
from apps.keys.models import ApiKey
from apps.tts.request import SpeechBody
from gpu_worker.formats import FORMATS, MEDIA_TYPES, Encoding

MAX_TITLE_CHARACTERS = 200
CLAIMED = Q(claimed_until__gt=Now())
UNCLAIMED = Q(claimed_until=None) | Q(claimed_until__lte=Now())


class Claimable(BaseModel):
    """Work that one task at a time does. A claim that is not renewed lapses: its task is taken for dead."""

    claimed_by = models.UUIDField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


class SpeechJobQuerySet(OrganizationQuerySet):
    def present(self) -> SpeechJobQuerySet:
        """Without those that were deleted and wait for their files to go."""
        return self.filter(deleted_at=None)

    def active(self) -> SpeechJobQuerySet:
        return self.present().filter(state__in=SpeechJob.ACTIVE)


class SpeechJob(OrganizationOwned, Claimable):
    """A long text that becomes one file, part by part, in Celery.

    `options` are the fields of a speech request beside text, model, voice and format, as they were checked.
    Without a `key` it was made in the console and speaks for the organization.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    ACTIVE = (State.QUEUED, State.RUNNING)
    ENDED = (State.COMPLETED, State.FAILED, State.CANCELLED)

    # RESTRICT: without its key it would speak with the organization's rights.
    key = models.ForeignKey(ApiKey, null=True, on_delete=models.RESTRICT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    mode = models.CharField(max_length=4, choices=ApiKey.Mode)
    idempotency_key = models.CharField(max_length=255, blank=True, default="", editable=False)
    body_hash = models.BinaryField(max_length=32, editable=False)
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    title = models.CharField(max_length=MAX_TITLE_CHARACTERS, blank=True, default="")
    model = models.CharField(max_length=80, blank=True, default="")
    voice = models.CharField(max_length=80, blank=True, default="")
    format = models.CharField(max_length=5, choices=[(name, name) for name in FORMATS])
    options = models.JSONField(default=dict)

    characters = models.PositiveIntegerField()
    characters_done = models.PositiveIntegerField(default=0)
    characters_charged = models.PositiveIntegerField(default=0)
    parts_total = models.PositiveIntegerField(null=True, help_text="Empty until the text was split.")
    parts_done = models.PositiveIntegerField(default=0)
    audio_ms = models.PositiveBigIntegerField(default=0)

    result_key = models.CharField(max_length=200, blank=True, default="", editable=False)
    result_bytes = models.PositiveBigIntegerField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="When its files are removed.")
    text_erased_at = models.DateTimeField(null=True)

    error_code = models.CharField(max_length=64, blank=True, default="")
    error_message = models.TextField(blank=True, default="")
    waits_for = models.CharField(max_length=64, blank=True, default="", help_text="Why it is not going on.")
    waiting_since = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="In a row, without getting on.")
    not_before = models.DateTimeField(default=timezone.now)
    turn_at = models.DateTimeField(null=True, help_text="When a task last took on some of it.")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = SpeechJobQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "-id"], name="job_by_organization"),
            models.Index(
                fields=["turn_at"], condition=Q(state__in=["queued", "running"]), name="job_active_by_turn"
            ),
            models.Index(
                fields=["claimed_until"], condition=Q(claimed_until__isnull=False), name="job_claimed"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["key", "idempotency_key"],
                condition=~Q(idempotency_key="") & Q(deleted_at=None),
                name="job_once_by_idempotency_key",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "completed", "failed", "cancelled"]),
                name="job_state_known",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state__in=["queued", "running"], ended_at=None)
                    | Q(state__in=["completed", "failed", "cancelled"], ended_at__isnull=False)
                ),
                name="job_ended_when_over",
            ),
            models.CheckConstraint(
                condition=Q(characters_charged__lte=F("characters")), name="job_charged_at_most_asked"
            ),
            models.CheckConstraint(
                condition=Q(characters_done__lte=F("characters")), name="job_done_at_most_asked"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What people call it: its title, else the end of its id."""
        return self.title or f"Job {str(self.id)[-6:]}"

    def body_of(self, text: str) -> SpeechBody:
        """What a worker is asked for one part: samples as its engine makes them."""
        asked = self.options | {"format": "pcm", "sample_rate": None, "bitrate": None}
        return SpeechBody(text=text, model=self.model or None, voice=self.voice or None, **asked)

    def encoding(self, source_rate: int) -> Encoding:
        """Of the file that it becomes; checked when the job was made."""
        return Encoding.resolve(
            self.format,
            source_rate=source_rate,
            sample_rate=self.options.get("sample_rate"),
            bitrate=self.options.get("bitrate"),
        )

    @property
    def speed(self) -> float:
        return float(self.options.get("speed", 1.0))

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def stage(self) -> str:
        """What an active job is at: queued, splitting, speaking, assembling, or waiting."""
        if self.waits_for:
            return "waiting"
        if self.state == self.State.QUEUED:
            return "queued"
        if self.parts_total is None:
            return "splitting"
        return "speaking" if self.parts_done < self.parts_total else "assembling"

    @property
    def progress(self) -> float:
        """From 0 to 1, by characters."""
        return self.characters_done / self.characters

    @property
    def elapsed_ms(self) -> float | None:
        """From its first work to its end, or to now."""
        if self.started_at is None:
            return None
        return ((self.ended_at or timezone.now()) - self.started_at).total_seconds() * 1000

    @property
    def remaining_ms(self) -> float | None:
        """By its pace so far; None while that is not known."""
        if self.elapsed_ms is None or self.waits_for or self.progress < 0.02:
            return None
        return self.elapsed_ms * (1 - self.progress) / self.progress

    @property
    def has_result(self) -> bool:
        """Completed, and its file is still kept."""
        return self.state == self.State.COMPLETED and bool(self.result_key) and not self.is_expired

    @property
    def can_resume(self) -> bool:
        """Failed, with its text and parts still there."""
        return self.state == self.State.FAILED and not self.is_expired and self.text_erased_at is None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def content_type(self) -> str:
        return MEDIA_TYPES[self.format]

    @property
    def filename(self) -> str:
        """What its file is saved as: the title where it holds letters or digits."""
        kept = "".join(c if c.isalnum() or c in "-_ " else " " for c in self.title)
        return f"{'-'.join(kept.split())[:80] or f'speech-{self.id}'}.{self.extension}"

    @property
    def extension(self) -> str:
        return {"mulaw": "ulaw", "alaw": "alaw", "opus": "ogg"}.get(self.format, self.format)


class JobText(models.Model):
    """The text of a job, apart from it: rows of jobs are read and written often. Gone once it was erased."""

    job = models.OneToOneField(SpeechJob, primary_key=True, on_delete=models.CASCADE, related_name="source")
    text = models.TextField()

    def __str__(self) -> str:
        return f"Text of {self.job_id}"


class JobPart(Claimable):
    """text[start:stop] of a job: one request to a worker, one usage record, one file of 16-bit PCM.

    `ending` says which pause follows; empty where the text asks for the silence itself. A part is `kept` from
    when its audio is being stored until its usage record is closed; only then it is `done`.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        KEPT = "kept", "Kept"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Skipped"

    job = models.ForeignKey(SpeechJob, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    stop = models.PositiveIntegerField()
    ending = models.CharField(max_length=9, blank=True)
    state = models.CharField(max_length=7, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    record_id = models.UUIDField(null=True, help_text="The usage record of the request that made it.")
    has_media = models.BooleanField(default=False)
    sample_rate = models.PositiveIntegerField(null=True)
    samples = models.PositiveIntegerField(default=0)
    lead = models.PositiveIntegerField(default=0, help_text="Samples of silence at its beginning.")
    tail = models.PositiveIntegerField(default=0, help_text="Samples of silence at its end.")
    ends_in_sound = models.BooleanField(default=False)
    characters_charged = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["job", "number"]
        indexes = [
            models.Index(
                fields=["claimed_until"], condition=Q(claimed_until__isnull=False), name="jobpart_claimed"
            ),
            models.Index(fields=["job"], condition=Q(has_media=True), name="jobpart_with_media"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="jobpart_once"),
            models.CheckConstraint(condition=Q(start__lt=F("stop")), name="jobpart_has_text"),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "skipped"]) | Q(record_id__isnull=False),
                name="jobpart_kept_has_record",
            ),
        ]

    def __str__(self) -> str:
        return f"Part {self.number}"

    @property
    def characters(self) -> int:
        return self.stop - self.start

    @property
    def audio_ms(self) -> int:
        return self.samples * 1000 // self.sample_rate if self.sample_rate else 0

    @property
    def media_key(self) -> str:
        """Of the attempt that the row names, so that no file is left without a row that knows it."""
        return f"jobs/{self.job_id}/{self.number}-{self.record_id}.pcm"
