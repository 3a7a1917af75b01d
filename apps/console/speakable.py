"""What the playground offers: the models and voices that an organization may use."""

from __future__ import annotations

from dataclasses import dataclass

from apps.accounts.models import Organization
from apps.deployments.catalogue import read_table


@dataclass(frozen=True)
class SpeakableModel:
    name: str
    voices: tuple[str, ...]


def speakable(organization: Organization, *, may_use_shared: bool) -> list[SpeakableModel]:
    """Each model once, with the voices of all its deployments; the platform's shared ones first."""
    voices: dict[str, dict[str, None]] = {}
    for known in read_table().visible_deployments(organization.pk, may_use_shared=may_use_shared):
        for model in known.models:
            voices.setdefault(model, {}).update(dict.fromkeys(known.voices))
    return [SpeakableModel(model, tuple(names)) for model, names in voices.items() if names]
