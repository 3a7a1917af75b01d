"""A cloned voice through OpenAI's surface, also where it is called as one of OpenAI's."""

from __future__ import annotations

from typing import Any

import httpx

from apps.deployments.models import Worker
from tests.platform import Tenant
from tests.tts.voices.conftest import add_voice


def speak(tenant: Tenant, voice: Any) -> httpx.Response:
    return tenant.client.post(
        "/v1/audio/speech",
        json={"model": "tts-1", "voice": voice, "input": "Hello there.", "response_format": "pcm"},
        headers={"Authorization": f"Bearer {tenant.live}"},
    )


def test_a_voice_of_ones_own_goes_before_openais_of_that_name(
    acme: Tenant, rival: Tenant, cpu: Worker, cloning: Worker
) -> None:
    own = add_voice(acme, name="nova")
    for voice in ("nova", own, {"id": own}):
        assert speak(acme, voice).headers["X-Voice"] == own
    assert speak(acme, "alloy").headers["X-Voice"] == "heart"
    assert speak(rival, "nova").headers["X-Voice"] == "heart"
    assert speak(rival, own).status_code == 404
