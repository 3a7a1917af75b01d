"""Workers of the older image speak through the same door."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.utils import timezone

from apps.deployments.models import Deployment, Worker
from apps.deployments.probing import Address, probe_all
from tests.fakes.older_image import OlderImage, spoken
from tests.platform import Tenant, until, wait_for_route

TOKEN = "a token of the older image"


@pytest.fixture
def image() -> Iterator[OlderImage]:
    with OlderImage(api_key=TOKEN) as image:
        yield image


@pytest.fixture
def older(acme: Tenant, image: OlderImage) -> Deployment:
    """A deployment of acme's, with what the platform learned from the image's own /ready."""
    [probe] = probe_all([Address(image.url)])
    capabilities = dict(probe.capabilities)
    deployment: Deployment = Deployment.objects.create(
        name="older",
        organization=acme.organization,
        engine="chatterbox",
        capabilities=capabilities,
        state=Deployment.State.READY,
    )
    Worker.objects.create(
        deployment=deployment,
        provider_id="older",
        url=image.url,
        token=TOKEN,
        state=Worker.State.READY,
        capabilities=capabilities,
        last_seen_at=timezone.now(),
    )
    wait_for_route(acme, model="chatterbox")
    image.texts.clear()
    return deployment


def test_its_readiness_is_understood(image: OlderImage) -> None:
    [probe] = probe_all([Address(image.url)])
    assert (probe.is_ready, probe.is_compatible, probe.message) == (True, True, "")
    image.loading_seconds = 41.5
    [probe] = probe_all([Address(image.url)])
    assert (probe.is_ready, probe.answered, probe.message) == (False, True, "It is loading.")


@pytest.mark.parametrize("stream", [False, True])
def test_its_wav_arrives_whole_and_is_charged(
    acme: Tenant, older: Deployment, image: OlderImage, stream: bool
) -> None:
    text = "The older image still speaks."
    response = acme.generate(text, model="chatterbox", stream=stream)
    assert response.status_code == 200
    assert image.texts == [text]
    with wave.open(io.BytesIO(spoken(text))) as expected:
        frames = expected.getnframes()
        assert response.content[44:] == expected.readframes(frames)
    record = acme.settled()
    assert (record.state, record.characters_charged, record.deployment_id) == ("ok", len(text), older.id)
    assert record.audio_ms == frames * 1000 // 24_000


def test_it_is_asked_for_one_text_at_a_time(acme: Tenant, older: Deployment, image: OlderImage) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda number: acme.generate(f"Number {number}.", model="chatterbox"), "123"))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert (len(image.texts), image.overlaps) == (3, 0)


@pytest.mark.parametrize("wish", [{"speed": 1.5}, {"seed": 7}])
def test_what_it_cannot_do_is_refused_before_it_is_asked(
    acme: Tenant, older: Deployment, image: OlderImage, wish: dict[str, float]
) -> None:
    response = acme.generate("Hello.", model="chatterbox", **wish)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == next(iter(wish))
    assert image.texts == []
    assert acme.settled().characters_charged == 0


def test_half_a_wav_is_not_audio(acme: Tenant, older: Deployment, image: OlderImage) -> None:
    image.breaks_off = True
    response = acme.generate("This one is cut in the middle.", model="chatterbox", stream=True)
    assert response.status_code == 503
    record = acme.settled()
    assert (record.state, record.characters_charged) == ("failed", 0)


def test_a_client_that_leaves_frees_the_turn(acme: Tenant, older: Deployment, image: OlderImage) -> None:
    image.may_answer.clear()
    with pytest.raises(httpx.ReadTimeout):
        acme.client.post(
            "/generate",
            json={"text": "Nobody waits for this.", "model": "chatterbox"},
            headers={"X-API-Key": acme.live},
            timeout=0.5,
        )
    image.may_answer.set()
    until(lambda: not image.busy.locked(), what="the image")
    assert acme.settled().state == "cancelled"
    assert acme.generate("Next.", model="chatterbox").status_code == 200


def test_a_wrong_token_is_not_the_callers_fault(acme: Tenant, older: Deployment, image: OlderImage) -> None:
    image.api_key = "another token"
    response = acme.generate("Hello.", model="chatterbox")
    assert response.status_code == 503
    assert TOKEN not in response.text
