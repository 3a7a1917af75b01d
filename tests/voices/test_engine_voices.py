"""Voices that come with engines: as long as a deployment offers them, to whom it offers them."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Organization
from apps.voices.engine_voices import Offer, learn_engine_voices
from apps.voices.models import Voice

HIBARI = Offer(models=("hibari",), voices=("heart", "kore"), languages=("en",))
TURBO = Offer(models=("turbo",), voices=("default", "heart"), languages=("en", "fr"))

pytestmark = pytest.mark.django_db


def names(organization: Organization) -> dict[str, list[str]]:
    found = Voice.objects.visible_to(organization).order_by("engine_voice")
    return {voice.engine_voice: voice.engine_models for voice in found}


def test_what_is_offered_is_shown_to_those_it_is_offered_to(acme: Organization, globex: Organization) -> None:
    learn_engine_voices({None: [HIBARI], acme.pk: [TURBO]})
    assert names(acme) == {"default": ["turbo"], "heart": ["hibari"], "kore": ["hibari"]}
    assert names(globex) == {"heart": ["hibari"], "kore": ["hibari"]}
    voice = Voice.objects.get(engine_voice="heart")
    assert (voice.organization, voice.name, voice.public_id, voice.languages) == (
        None,
        "Heart",
        "heart",
        ["en"],
    )


def test_one_name_is_one_voice_of_several_models(acme: Organization) -> None:
    learn_engine_voices({None: [HIBARI, TURBO]})
    assert names(acme)["heart"] == ["hibari", "turbo"]
    assert Voice.objects.get(engine_voice="heart").languages == ["en", "fr"]


def test_what_nobody_offers_any_more_is_not_shown_and_comes_back_as_it_was(acme: Organization) -> None:
    learn_engine_voices({None: [HIBARI]})
    known = Voice.objects.get(engine_voice="kore")
    known.description = "Written by staff"
    known.save()
    learn_engine_voices({None: [TURBO]})
    assert names(acme) == {"default": ["turbo"], "heart": ["turbo"]}
    learn_engine_voices({None: [HIBARI]})
    back = Voice.objects.get(engine_voice="kore")
    assert (back.pk, back.description) == (known.pk, "Written by staff")
    assert names(acme) == {"heart": ["hibari"], "kore": ["hibari"]}


def test_to_learn_nothing_new_costs_one_query(django_assert_num_queries: Any) -> None:
    learn_engine_voices({None: [HIBARI, TURBO]})
    with django_assert_num_queries(1):
        learn_engine_voices({None: [HIBARI, TURBO]})
