"""Voices: the platform's, an organization's own, and who agreed that one may be cloned."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.accounts.models import Organization
from apps.core.models import BaseModel, OrganizationQuerySet


class VoiceQuerySet(OrganizationQuerySet):
    """`for_organization` gives an organization's own, never the platform's."""

    def visible_to(self, organization: Organization) -> Self:
        """What an organization is shown: the platform's voices that are offered, and its own."""
        return self.shown().filter(Q(organization=organization) | Q(organization=None))

    def shown(self) -> Self:
        """Without deleted voices, and without those of engines that nobody runs any more."""
        return self.exclude(state=Voice.State.DELETED).filter(is_offered=True)

    def cloned(self) -> Self:
        return self.filter(category=Voice.Category.CLONED)

    def live(self) -> Self:
        """All that count: against the limit of voices, and for the names that are taken."""
        return self.exclude(state=Voice.State.DELETED)


class Voice(BaseModel):
    """A voice of an engine (`premade`), or one cloned from a recording (`cloned`).

    A premade voice without an organization is the platform's; with one, its own deployments speak it alone.
    """

    class Category(models.TextChoices):
        PREMADE = "premade", "Premade"
        CLONED = "cloned", "Cloned"

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        WITHDRAWN = "withdrawn", "Consent withdrawn"
        DELETED = "deleted", "Deleted"

    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        # Its recordings and consents must be seen to before their owner can go.
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty for the platform's own.",
    )
    category = models.CharField(max_length=16, choices=Category)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=500, blank=True)
    labels = models.JSONField(default=dict, blank=True, help_text="Words by word, such as accent: Scottish.")
    languages = ArrayField(models.CharField(max_length=35), default=list, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE, editable=False)
    suspended_reason = models.CharField(max_length=500, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    # Of a premade voice.
    engine_voice = models.CharField(max_length=128, blank=True, editable=False)
    engine_models = ArrayField(models.CharField(max_length=128), default=list, blank=True, editable=False)
    is_offered = models.BooleanField(
        "offered", default=True, editable=False, help_text="A deployment that nobody ended has it."
    )

    # Of a cloned voice: its reference, a WAV file that is named by its own SHA-256.
    reference_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    reference_bytes = models.PositiveIntegerField(default=0, editable=False)
    reference_seconds = models.FloatField(default=0, editable=False)
    reference_sample_rate = models.PositiveIntegerField(default=0, editable=False, help_text="In Hz.")

    preview_key = models.CharField(max_length=200, blank=True, editable=False)
    preview_problem = models.CharField(
        max_length=200, blank=True, editable=False, help_text="Why there is no preview, once nobody tries."
    )

    files_removed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Recording and clip of a voice that has ended."
    )

    objects = VoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                condition=Q(category="cloned") & ~Q(state="deleted"),
                name="voice_name_once_in_organization",
            ),
            models.UniqueConstraint(
                fields=["engine_voice"],
                condition=Q(category="premade", organization=None),
                name="voice_once_on_platform",
            ),
            models.UniqueConstraint(
                fields=["organization", "engine_voice"],
                condition=Q(category="premade"),
                name="voice_once_in_organization",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["active", "suspended", "withdrawn", "deleted"]),
                name="voice_state_known",
            ),
            models.CheckConstraint(
                condition=Q(category="premade") & ~Q(engine_voice="") & Q(state__in=["active", "suspended"])
                | Q(category="cloned", organization__isnull=False, engine_voice="", is_offered=True)
                & Q(reference_sha256__regex="^[0-9a-f]{64}$"),
                name="voice_whole_for_its_category",
            ),
        ]
        indexes = [models.Index(fields=["organization", "reference_sha256"], name="voice_by_reference")]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """What requests name it by: the engine's own name, or the id of an organization's own."""
        return self.engine_voice or str(self.pk)

    @property
    def is_cloned(self) -> bool:
        return self.category == self.Category.CLONED

    @property
    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE

    @property
    def own_preview_key(self) -> str:
        """Where its clip lies in media, once there is one (`preview_key`)."""
        return f"voices/{self.organization_id or 'platform'}/previews/{self.pk}.mp3"

    @property
    def reference_key(self) -> str:
        return reference_key(self.organization_id, self.reference_sha256)


ENDED = (Voice.State.WITHDRAWN, Voice.State.DELETED)


def reference_key(organization_id: UUID | None, sha256: str) -> str:
    """One recording is kept once in an organization, and never shared with another."""
    return f"voices/{organization_id}/references/{sha256}.wav"


class AgreementQuerySet(OrganizationQuerySet):
    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("what somebody agreed to is never deleted")


class Agreement(BaseModel):
    """Who agreed to which text, when and from where. Rows are never deleted.

    Names are kept as they were: a person may be renamed or gone, a key revoked.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    person_name = models.CharField(max_length=200)
    person_email = models.CharField(max_length=254, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    text_version = models.CharField(max_length=32)
    text_sha256 = models.CharField(max_length=64)
    given_at = models.DateTimeField()

    objects = AgreementQuerySet.as_manager()

    class Meta:
        abstract = True

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise TypeError("what somebody agreed to is never deleted")


class CloningTerms(Agreement):
    """That an organization answers for the voices which its keys add without showing a statement."""

    class Meta:
        ordering = ["-given_at"]
        verbose_name_plural = "cloning terms"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "text_version"], name="terms_once_in_organization"
            )
        ]

    def __str__(self) -> str:
        return f"{self.text_version} by {self.person_name}"


class VoiceConsent(Agreement):
    """That one voice may be cloned; withdrawn for good."""

    class Via(models.TextChoices):
        CONSOLE = "console", "Console"
        API = "api", "API"
        TERMS = "terms", "API, under the organization's terms"
        COLLECTION = "collection", "Voice collection, by the speaker"

    voice = models.ForeignKey(Voice, on_delete=models.PROTECT, related_name="consents")
    reference_sha256 = models.CharField(max_length=64, help_text="Of the recording that is consented to.")
    via = models.CharField(max_length=16, choices=Via)
    terms = models.ForeignKey(
        CloningTerms, null=True, blank=True, on_delete=models.PROTECT, related_name="consents"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    withdrawn_by_name = models.CharField(max_length=200, blank=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["voice"], condition=Q(withdrawn_at=None), name="consent_once_for_a_voice"
            ),
            models.CheckConstraint(
                condition=Q(via="terms", terms__isnull=False)
                | Q(via__in=["console", "api", "collection"], terms=None),
                name="consent_names_its_terms",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.text_version} by {self.person_name}"
