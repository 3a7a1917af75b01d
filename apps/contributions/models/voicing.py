"""Voices that were made of a speaker's recordings."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.contributions.models.campaigns import Campaign
from apps.contributions.models.clips import Clip
from apps.contributions.models.people import ConsentRecord, Contributor
from apps.core.models import BaseModel
from apps.voices.models import Voice


class VoiceFromCollection(BaseModel):
    """Whose voice it is, by which consent, and of which recordings. It ends with that consent."""

    voice = models.OneToOneField(Voice, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="voices")
    contributor = models.ForeignKey(
        Contributor, on_delete=models.PROTECT, related_name="voices", verbose_name="speaker"
    )
    consent = models.ForeignKey(ConsentRecord, on_delete=models.PROTECT, related_name="voices")
    clips = models.ManyToManyField(Clip, related_name="voices")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "voice from collection"
        verbose_name_plural = "voices from collection"

    def __str__(self) -> str:
        return f"{self.voice}, by {self.contributor}"
