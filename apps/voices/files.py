"""Removes what is kept of voices that have ended."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core import media
from apps.voices import hooks
from apps.voices.models import ENDED, Voice

AT_ONCE = 500


def left_behind() -> list[UUID]:
    """Voices that have ended and whose files may still be there."""
    voices = Voice.objects.filter(state__in=ENDED, files_removed_at=None).order_by("updated_at")
    return list(voices.values_list("pk", flat=True)[:AT_ONCE])


def remove_files_of(voice_id: UUID) -> None:
    """The clip, and the recording unless another voice has the same. Safe to repeat.

    Raises `Unavailable` or OSError where media are away: it is for the schedule then.
    """
    voice: Voice = Voice.objects.get(pk=voice_id, state__in=ENDED)
    assert voice.organization_id is not None  # noqa: S101 - a voice that can end has one
    media.delete(voice.own_preview_key)
    with transaction.atomic():
        # As long as this is held no other voice is added with the same recording.
        Organization.objects.select_for_update(no_key=True).only("pk").get(pk=voice.organization_id)
        same = Voice.objects.filter(
            organization_id=voice.organization_id, reference_sha256=voice.reference_sha256
        )
        is_last = not same.exclude(state__in=ENDED).exists()
        if is_last:
            media.delete(voice.reference_key)
        Voice.objects.filter(pk=voice_id).update(files_removed_at=timezone.now())
    if is_last and hooks.forget_reference is not None:
        hooks.forget_reference(voice.organization_id, voice.reference_sha256)
