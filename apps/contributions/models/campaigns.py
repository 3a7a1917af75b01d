"""What is collected: a campaign, its sentences, and the texts that contributors agree to."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import User
from apps.core.models import BaseModel, OrganizationOwned, OrganizationQuerySet

MAX_PROMPT_CHARACTERS = 300
# Of one mail that the mail server refuses.
MAX_MAIL_TRIES = 6


class Purpose(models.TextChoices):
    """What a voice may be used for; each is agreed to apart."""

    TRAIN = "train", "Train speech models"
    PUBLIC_DATASET = "public_dataset", "Publish recordings in a data set"
    COMMERCIAL_SPEECH = "commercial_speech", "Commercial speech products"
    VOICE_CLONING = "voice_cloning", "Make a synthetic voice that sounds like me"


class CampaignQuerySet(OrganizationQuerySet):
    def open_to(self, user: User, now: datetime | None = None) -> Self:
        """Those in which this person may record now."""
        invited = Q(access=Campaign.Access.OPEN) | Q(invitations__email__iexact=user.email)
        return self.running(now).filter(invited).distinct()

    def running(self, now: datetime | None = None) -> Self:
        """Those in which somebody may record now."""
        now = now or timezone.now()
        begun = Q(starts_at=None) | Q(starts_at__lte=now)
        going_on = Q(ends_at=None) | Q(ends_at__gt=now)
        return self.filter(begun, going_on, state=Campaign.State.OPEN)


class Campaign(OrganizationOwned):
    """Sentences of one language that people are asked to read, and how that is judged and paid.

    Events about it go to its organization, without personal data. Money is in US dollars.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        OPEN = "open", "Open"
        PAUSED = "paused", "Paused"
        CLOSED = "closed", "Closed"

    class Access(models.TextChoices):
        OPEN = "open", "Everybody"
        INVITED = "invited", "Who was invited"

    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, help_text="What contributors read before they begin.")
    language = models.CharField(max_length=35, help_text="A tag such as en or de-AT.")
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    access = models.CharField(max_length=8, choices=Access, default=Access.OPEN)
    purposes = ArrayField(
        models.CharField(max_length=20, choices=Purpose),
        help_text="What everybody must agree to.",
    )
    optional_purposes = ArrayField(
        models.CharField(max_length=20, choices=Purpose),
        default=list,
        blank=True,
        help_text="What people may agree to as well.",
    )
    licence = models.CharField(max_length=80, help_text="Of its releases, such as CC-BY-4.0.")
    clips_per_prompt = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    clips_per_speaker = models.PositiveIntegerField(
        null=True, blank=True, help_text="That one person may have accepted; empty for any number."
    )
    gates = models.JSONField(
        default=dict, blank=True, help_text="Quality gates that differ from the usual ones."
    )
    cents_per_minute = models.PositiveIntegerField(
        default=0, help_text="For speech that was accepted, pauses left out, in US cents."
    )
    budget_cents = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="For all speech; nobody is asked for more once it is used up."
    )
    hold_days = models.PositiveSmallIntegerField(
        default=7, help_text="How long what was earned can still be taken back."
    )
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    objects = CampaignQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="campaign_name_once"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "open", "paused", "closed"]), name="campaign_state_known"
            ),
            models.CheckConstraint(condition=Q(access__in=["open", "invited"]), name="campaign_access_known"),
            models.CheckConstraint(condition=Q(purposes__len__gt=0), name="campaign_has_purpose"),
            models.CheckConstraint(condition=Q(clips_per_prompt__gte=1), name="campaign_wants_clips"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        now = timezone.now()
        return (
            self.state == self.State.OPEN
            and (self.starts_at is None or self.starts_at <= now)
            and (self.ends_at is None or now < self.ends_at)
        )


class Prompt(BaseModel):
    """A sentence to read. One that is no longer wanted stays with the clips that were made of it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="prompts")
    number = models.PositiveIntegerField()
    text = models.CharField(max_length=MAX_PROMPT_CHARACTERS)
    is_wanted = models.BooleanField(default=True)

    class Meta:
        ordering = ["campaign", "number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="prompt_number_once"),
            models.UniqueConstraint(fields=["campaign", "text"], name="prompt_text_once"),
        ]

    def __str__(self) -> str:
        return self.text


class ConsentText(BaseModel):
    """What people agree to, for one purpose in one locale. It never changes: a new text is a new version."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="consent_texts")
    purpose = models.CharField(max_length=20, choices=Purpose)
    locale = models.CharField(max_length=35)
    version = models.PositiveIntegerField()
    text = models.TextField()
    sha256 = models.CharField(max_length=64, editable=False)

    class Meta:
        ordering = ["campaign", "purpose", "locale", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "purpose", "locale", "version"], name="consent_text_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, {self.locale}, version {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sha256 = hashlib.sha256(self.text.encode()).hexdigest()
        super().save(*args, **kwargs)


class CampaignInvitation(BaseModel):
    """An address whose owner may record in a campaign that is not open to everybody."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    is_mail_wanted = models.BooleanField(default=False)
    mailed_at = models.DateTimeField(null=True, blank=True, editable=False)
    mail_tries = models.PositiveSmallIntegerField(default=0, editable=False, help_text="That failed.")
    mail_due_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="After a try that failed, when the next one is."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "email"], name="campaign_invitation_once")]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(is_mail_wanted=True, mailed_at=None),
                name="invitation_mail_waiting",
            )
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def mail_state(self) -> Literal["unwanted", "sent", "waiting", "failed"]:
        if not self.is_mail_wanted:
            return "unwanted"
        if self.mailed_at is not None:
            return "sent"
        return "waiting" if self.mail_tries < MAX_MAIL_TRIES else "failed"


class PromptReport(BaseModel):
    """A contributor says that a sentence should not be read; it is not shown to them again."""

    class Reason(models.TextChoices):
        OFFENSIVE = "offensive", "Offensive"
        GRAMMAR = "grammar", "Grammar or spelling"
        LANGUAGE = "language", "Another language"
        HARD = "hard", "Hard to pronounce"
        SKIPPED = "skipped", "Skipped"

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="reports")
    contributor = models.ForeignKey(
        "contributions.Contributor", on_delete=models.CASCADE, related_name="prompt_reports"
    )
    reason = models.CharField(max_length=12, choices=Reason)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prompt", "contributor"], name="prompt_report_once")]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.prompt_id}"
