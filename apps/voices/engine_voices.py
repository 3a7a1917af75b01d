"""The voices that come with engines: learned from what deployments say of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.voices import services
from apps.voices.models import Voice


@dataclass(frozen=True, slots=True)
class Offer:
    """What one deployment can speak."""

    models: tuple[str, ...]
    voices: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(slots=True)
class _Told:
    models: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def learn_engine_voices(offers: Mapping[UUID | None, Iterable[Offer]]) -> None:
    """Writes down what all deployments that nobody ended offer, by their owner, `None` being the platform.

    Voices that nobody offers any more are kept for when they come back, and are not shown meanwhile. Writes
    only what has changed, and may run at several places at once.
    """
    shared = _by_voice(offers.get(None, ()))
    told = {
        (owner, name): facts
        for owner, theirs in offers.items()
        for name, facts in _by_voice(theirs).items()
        if owner is None or name not in shared  # one name is one voice
    }
    known = {
        (voice.organization_id, voice.engine_voice): voice
        for voice in Voice.objects.filter(category=Voice.Category.PREMADE)
    }
    for key, facts in told.items():
        if key not in known:
            _add(*key, facts)
        elif (known[key].engine_models, known[key].languages, known[key].is_offered) != (
            list(facts.models),
            list(facts.languages),
            True,
        ):
            _change(
                known[key], engine_models=list(facts.models), languages=list(facts.languages), is_offered=True
            )
    for key, voice in known.items():
        if key not in told and voice.is_offered:
            _change(voice, is_offered=False)


def _by_voice(offers: Iterable[Offer]) -> dict[str, _Told]:
    found: dict[str, _Told] = {}
    for offer in offers:
        for name in offer.voices:
            facts = found.setdefault(name, _Told())
            facts.models = tuple(dict.fromkeys((*facts.models, *offer.models)))
            facts.languages = tuple(dict.fromkeys((*facts.languages, *offer.languages)))
    return found


def _add(organization_id: UUID | None, name: str, facts: _Told) -> None:
    with transaction.atomic():
        # Another process may learn the same at this moment: what it wrote is as good.
        made = Voice.objects.bulk_create(
            [
                Voice(
                    organization_id=organization_id,
                    category=Voice.Category.PREMADE,
                    engine_voice=name,
                    name=name.replace("_", " ").replace("-", " ").title()[:80],
                    engine_models=list(facts.models),
                    languages=list(facts.languages),
                )
            ],
            ignore_conflicts=True,
        )
        for voice in made:
            transaction.on_commit(partial(services.ask_for_preview, voice))


def _change(voice: Voice, **fields: object) -> None:
    Voice.objects.filter(pk=voice.pk).update(**fields, updated_at=timezone.now())
