"""Who lends a voice, and what they agreed to."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.contributions.models.campaigns import Campaign, ConsentText, Purpose
from apps.core.crypto import EncryptedTextField
from apps.core.models import BaseModel


class Contributor(BaseModel):
    """A person as a speaker. After erasure the row stays, without the person, for what the ledger says."""

    class AgeBand(models.TextChoices):
        TEENS = "18-19", "18–19"
        TWENTIES = "20-29", "20–29"
        THIRTIES = "30-39", "30–39"
        FORTIES = "40-49", "40–49"
        FIFTIES = "50-59", "50–59"
        SIXTIES = "60-69", "60–69"
        OLDER = "70+", "70 and older"

    class Gender(models.TextChoices):
        FEMALE = "female", "Female"
        MALE = "male", "Male"
        OTHER = "other", "Another one"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="contributor",
        help_text="Empty once the person was erased.",
    )
    age_band = models.CharField(max_length=8, choices=AgeBand, blank=True)
    gender = models.CharField(max_length=8, choices=Gender, blank=True)
    accent = models.CharField(max_length=80, blank=True)
    payout_account = EncryptedTextField(
        blank=True, editable=False, help_text="Where money goes to, in the payout provider's terms."
    )
    is_suspended = models.BooleanField("suspended", default=False, help_text="May not record or vote.")
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at=None) | Q(user=None), name="contributor_erased_is_nobody"
            )
        ]

    def __str__(self) -> str:
        return f"Speaker {self.pk.hex[-8:]}"


class ConsentRecord(BaseModel):
    """That somebody agreed to one text; never changed or removed. Withdrawals are records of their own."""

    contributor = models.ForeignKey(Contributor, on_delete=models.PROTECT, related_name="consents")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="+")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="records")
    purpose = models.CharField(max_length=20, choices=Purpose)
    version = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    locale = models.CharField(max_length=35)
    is_adult = models.BooleanField(help_text="The person says that they are 18 or older.")
    network = models.CharField(max_length=49, blank=True, help_text="Where it came from, truncated.")
    user_agent = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["contributor", "campaign"], name="consent_by_contributor")]
        constraints = [models.CheckConstraint(condition=Q(is_adult=True), name="consent_of_an_adult")]

    def __str__(self) -> str:
        return f"{self.purpose}, version {self.version}"


class ConsentWithdrawal(BaseModel):
    """The end of one consent. What follows from it is done by tasks, which the person can watch."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Being carried out"
        DONE = "done", "Carried out"

    consent = models.OneToOneField(ConsentRecord, on_delete=models.PROTECT, related_name="withdrawal")
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.REQUESTED)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="requested", done_at=None) | Q(state="done", done_at__isnull=False),
                name="withdrawal_done_when",
            )
        ]

    def __str__(self) -> str:
        return f"withdrawal of {self.consent_id}"
