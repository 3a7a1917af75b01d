"""What the playground offers: the models and voices that an organization may use."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.accounts.models import Organization
from apps.deployments.catalogue import CLONE, read_table
from apps.voices.models import Voice


@dataclass(frozen=True)
class SpeakableVoice:
    """`id` is what a request names it by."""

    id: str
    name: str


@dataclass(frozen=True)
class SpeakableModel:
    name: str
    voices: tuple[SpeakableVoice, ...]


@dataclass
class _Known:
    voices: dict[str, None] = field(default_factory=dict)
    clones: bool = False


def speakable(organization: Organization, *, may_use_shared: bool) -> list[SpeakableModel]:
    """Each model once, with the voices of all its deployments, the platform's shared ones first.

    One that clones has the organization's own voices after them.
    """
    models: dict[str, _Known] = {}
    for deployment in read_table().visible_deployments(organization.pk, may_use_shared=may_use_shared):
        for name in deployment.models:
            known = models.setdefault(name, _Known())
            known.voices.update(dict.fromkeys(deployment.voices))
            known.clones |= CLONE in deployment.features
    own = _own_voices(organization) if any(known.clones for known in models.values()) else ()
    offered = [SpeakableModel(name, _offered(known, own)) for name, known in models.items()]
    return [model for model in offered if model.voices]


def _offered(known: _Known, own: tuple[SpeakableVoice, ...]) -> tuple[SpeakableVoice, ...]:
    named = tuple(SpeakableVoice(name, name) for name in known.voices)
    return named + own if known.clones else named


def _own_voices(organization: Organization) -> tuple[SpeakableVoice, ...]:
    voices = Voice.objects.for_organization(organization).cloned().filter(state=Voice.State.ACTIVE)
    return tuple(SpeakableVoice(voice.public_id, voice.name) for voice in voices.order_by("name"))
