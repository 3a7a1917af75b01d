"""Tells the room of voices which of them deployments offer."""

from __future__ import annotations

from uuid import UUID

from apps.deployments.models import Deployment
from apps.deployments.states import ENDED
from apps.voices.engine_voices import Offer, learn_engine_voices


def tell_of_voices() -> None:
    """All that deployments offer which nobody ended; those of an organization's own are for it alone."""
    offers: dict[UUID | None, list[Offer]] = {}
    for owner, told in Deployment.objects.exclude(state__in=ENDED).values_list(
        "organization_id", "capabilities"
    ):
        lists = (told.get(name, ()) for name in ("models", "voices", "languages"))
        offers.setdefault(owner, []).append(Offer(*map(tuple, lists)))
    learn_engine_voices(offers)
