"""Cloned voices through the speech API: at their own pitch, for their own organization, with consent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from apps.deployments.models import Worker
from apps.voices.models import Voice
from apps.voices.services import suspend_voice, unsuspend_voice
from tests.gpu_worker.worker_process import WorkerProcess
from tests.platform import Tenant
from tests.tts.test_generate import error_of
from tests.tts.voices.conftest import add_voice, hertz_of


def test_a_voice_speaks_at_its_own_pitch_by_id_and_by_name(acme: Tenant, cloning: Worker) -> None:
    voice = add_voice(acme, name="Ada Reading", hertz=431)
    first = acme.generate(voice=voice)
    assert hertz_of(first) == pytest.approx(431, abs=2)
    assert (first.headers["X-Voice"], first.headers["X-Model"]) == (voice, "tone")
    record = acme.settled()
    assert (record.state, record.voice, record.model) == ("ok", voice, "tone")
    assert record.characters_charged == record.characters
    assert hertz_of(acme.generate(voice="Ada Reading", model="tone")) == pytest.approx(431, abs=2)
    assert hertz_of(acme.generate(voice="tone")) == pytest.approx(220, abs=2)
    streamed = acme.generate(voice=voice, stream=True)
    assert hertz_of(streamed) == pytest.approx(431, abs=2)


def test_a_worker_that_lost_it_is_given_it_again(
    acme: Tenant, cloning: Worker, cloning_worker: WorkerProcess
) -> None:
    voice = add_voice(acme, hertz=437)
    assert hertz_of(acme.generate(voice=voice)) == pytest.approx(437, abs=2)
    sha256 = Voice.objects.get(pk=voice).reference_sha256
    assert httpx.delete(f"{cloning_worker.url}/voices/{sha256}").status_code == 204
    assert hertz_of(acme.generate(voice=voice)) == pytest.approx(437, abs=2)
    assert acme.settled().state == "ok"


def test_a_voice_is_its_organizations_alone(acme: Tenant, rival: Tenant, cloning: Worker) -> None:
    """Though both have the same recording, and the worker has it by now."""
    ours, theirs = add_voice(acme, name="Ada", hertz=443), add_voice(rival, name="Bea", hertz=443)
    assert hertz_of(acme.generate(voice=ours)) == pytest.approx(443, abs=2)
    for tenant, voice in ((rival, ours), (rival, "Ada"), (acme, theirs), (acme, "Bea")):
        error = error_of(tenant.generate(voice=voice))
        assert (error["code"], error["param"]) == ("voice_not_found", "voice")
    assert hertz_of(rival.generate(voice="Bea")) == pytest.approx(443, abs=2)
    assert acme.api("POST", f"/api/voices/{ours}/consent/withdraw", json={}).status_code == 200
    assert error_of(acme.generate(voice=ours))["code"] == "consent_withdrawn"
    assert hertz_of(rival.generate(voice=theirs)) == pytest.approx(443, abs=2)


def withdraw(tenant: Tenant, voice: str) -> None:
    assert tenant.api("POST", f"/api/voices/{voice}/consent/withdraw", json={}).status_code == 200


def delete(tenant: Tenant, voice: str) -> None:
    assert tenant.api("DELETE", f"/api/voices/{voice}").status_code == 204


def suspend(tenant: Tenant, voice: str) -> None:
    suspend_voice(voice=Voice.objects.get(pk=voice), reason="A complaint.")


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        (withdraw, 403, "consent_withdrawn"),
        (delete, 404, "voice_not_found"),
        (suspend, 403, "voice_suspended"),
    ],
)
def test_the_next_request_after_its_end_is_refused(
    acme: Tenant, cloning: Worker, end: Callable[[Tenant, str], None], status: int, code: str
) -> None:
    voice = add_voice(acme, hertz=449)
    assert hertz_of(acme.generate(voice=voice)) == pytest.approx(449, abs=2)
    end(acme, voice)
    for reference in (voice, "Ada"):
        response = acme.generate(voice=reference)
        assert response.status_code == status
        assert error_of(response)["code"] == code
    acme.settled()
    assert [record.state for record in acme.records() if record.state != "failed"] == ["ok"]
    assert all(record.characters_charged == 0 for record in acme.records() if record.state == "failed")


def test_what_staff_lift_is_spoken_again(acme: Tenant, cloning: Worker) -> None:
    voice = add_voice(acme, hertz=457)
    suspend(acme, voice)
    assert acme.generate(voice=voice).status_code == 403
    unsuspend_voice(voice=Voice.objects.get(pk=voice))
    assert hertz_of(acme.generate(voice=voice)) == pytest.approx(457, abs=2)


def test_a_test_key_has_the_platforms_voices_alone(acme: Tenant, cpu: Worker, cloning: Worker) -> None:
    voice = add_voice(acme)
    response = acme.generate(voice=voice, key=acme.test)
    assert response.status_code == 403
    assert error_of(response)["code"] == "voice_not_available_in_test"
    assert acme.generate(voice="heart", key=acme.test).status_code == 200


def test_an_engine_that_cannot_clone_is_never_taken_instead(acme: Tenant, cpu: Worker) -> None:
    voice = add_voice(acme)
    response = acme.generate(voice=voice)
    assert (response.status_code, error_of(response)["code"]) == (503, "no_deployment_for_model")
    response = acme.generate(voice=voice, model="hibari")
    assert (response.status_code, error_of(response)["code"]) == (400, "model_lacks_feature")
    assert acme.records() == []


def test_the_worker_speaks_with_nobodys_voice_without_our_word(
    acme: Tenant, cloning: Worker, cloning_worker: WorkerProcess
) -> None:
    """What lies in its cache is of no use to who reaches it past the platform."""
    voice = add_voice(acme, hertz=461)
    assert acme.generate(voice=voice).status_code == 200
    sha256 = Voice.objects.get(pk=voice).reference_sha256
    body: dict[str, Any] = {"text": "Hello.", "voice": sha256, "tenant": str(acme.organization.pk)}
    response = httpx.post(f"{cloning_worker.url}/generate", json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "consent_required")


def test_a_voice_added_a_moment_ago_is_found_at_once(acme: Tenant, cloning: Worker) -> None:
    assert error_of(acme.generate(voice="Ada"))["code"] == "voice_not_found"
    voice = add_voice(acme, hertz=463)
    assert hertz_of(acme.generate(voice="Ada")) == pytest.approx(463, abs=2)
    acme.api("PATCH", f"/api/voices/{voice}", json={"name": "Bea"})
    assert hertz_of(acme.generate(voice="Bea")) == pytest.approx(463, abs=2)
    assert error_of(acme.generate(voice="Ada"))["code"] == "voice_not_found"


@pytest.mark.slow
def test_a_running_stream_ends_soon_after_its_consent(acme: Tenant, slow_cloning: Worker) -> None:
    """Cut, and charged up to the last mark that was delivered."""
    text = "One sentence of about thirty letters. " * 24
    voice = add_voice(acme, hertz=467)
    request = acme.client.build_request(
        "POST",
        "/generate",
        json={"text": text, "voice": voice, "stream": True},
        headers={"X-API-Key": acme.live},
    )
    response = acme.client.send(request, stream=True)
    assert response.status_code == 200
    parts = response.iter_raw()
    next(parts)
    withdraw(acme, voice)
    withdrawn_at = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        for _ in parts:
            pass
    assert time.monotonic() - withdrawn_at < 25
    record = acme.settled()
    assert (record.state, record.error_code) == ("cut", "consent_withdrawn")
    assert 0 < record.characters_charged < len(text)
    assert record.characters_charged / 15 == pytest.approx(record.audio_ms / 1000, rel=0.2)
