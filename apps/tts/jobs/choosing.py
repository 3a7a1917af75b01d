"""What a new job can be spoken with, as one choice of the form."""

from __future__ import annotations

from apps.accounts.models import Organization
from apps.tts.speakable import speakable
from apps.usage.limits import read_policy

Choices = list[tuple[str, str | list[tuple[str, str]]]]

DEFAULT = ("", "The platform's default")


def voice_choices(organization: Organization) -> Choices:
    """`model/voice`, by model, of all that the organization may use."""
    may_use_shared = read_policy(organization.pk).may_use_shared_pool
    groups: Choices = [DEFAULT]
    for model in speakable(organization, may_use_shared=may_use_shared):
        groups.append((model.name, [(f"{model.name}/{voice.id}", voice.name) for voice in model.voices]))
    return groups


def chosen(value: str) -> tuple[str | None, str | None]:
    """The model and the voice of a choice; None for what is left to the platform."""
    model, _, voice = value.partition("/")
    return model or None, voice or None
