"""Voices made of collected recordings are spoken like any other, until their speaker withdraws."""

from __future__ import annotations

from typing import Any

import pytest

from apps.contributions import consenting, voicing, withdrawing
from apps.deployments.models import Worker
from tests.contributions import collecting
from tests.contributions.releasing import data
from tests.platform import Tenant
from tests.tts.test_generate import error_of
from tests.tts.voices.conftest import hertz_of
from voiceflow.settings.media import storage


@pytest.fixture(autouse=True)
def media_of_the_server(acme: Tenant, settings: Any) -> None:
    """Staff and speech reach the same files."""
    told = {"S3_BUCKET": "", "VAR_DIR": acme.server.folder}
    settings.STORAGES = settings.STORAGES | {"default": storage(told)}


@pytest.mark.parametrize("purpose", ["voice_cloning", "train"])
def test_speech_ends_with_the_speakers_consent(acme: Tenant, cloning: Worker, purpose: str) -> None:
    campaign = collecting.campaign(acme.organization)
    speaker = collecting.speaker("ada")
    collecting.agree(speaker, campaign, optional=True)
    for prompt in data.prompts(campaign)[:2]:
        data.accepted(speaker, prompt, hertz=431, seconds=7, speech_ms=6_000)
    voice = voicing.make_voice(campaign=campaign, contributor=speaker, name="Ada", by=None).voice
    assert hertz_of(acme.generate(voice=str(voice.pk))) == pytest.approx(431, abs=2)
    withdrawal = withdrawing.withdraw(consenting.in_force(speaker, campaign)[purpose])
    for reference in (str(voice.pk), "Ada"):
        response = acme.generate(voice=reference)
        assert (response.status_code, error_of(response)["code"]) == (403, "consent_withdrawn")
    withdrawing.carry_out(withdrawal.pk)
    assert acme.generate(voice="Ada").status_code == 403
