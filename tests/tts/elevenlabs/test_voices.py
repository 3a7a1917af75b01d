"""Voices with ElevenLabs' own clients: lists, searches, pages, clones and their ends."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from elevenlabs import AsyncElevenLabs, ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.errors import UnprocessableEntityError

from apps.deployments.models import Worker
from apps.voices import statements
from apps.voices.consents import accept_terms
from apps.voices.engine_voices import Offer, learn_engine_voices
from apps.voices.models import Voice, VoiceConsent
from apps.voices.services import suspend_voice
from tests.gpu_worker.voices.recordings import loudest_hertz, recording
from tests.platform import Tenant
from tests.tts.elevenlabs.conftest import client_of
from tests.voices.recordings import actor, clone

PLATFORM = ["echo", "heart", "kore"]


@pytest.fixture
def platform_voices(transactional_db: None) -> None:
    learn_engine_voices({None: [Offer(("hibari",), tuple(PLATFORM), ("en",))]})


@pytest.fixture
def terms(acme: Tenant) -> None:
    accept_terms(
        organization=acme.organization, version=statements.current_terms().version, by=actor(acme.owner)
    )


@pytest.fixture
def rivals_client(rival: Tenant) -> Iterator[ElevenLabs]:
    with httpx.Client(timeout=60) as http:
        yield client_of(rival, http)


def create(client: ElevenLabs, **changed: Any) -> Any:
    fields: dict[str, Any] = {"name": "Ada", "files": [io.BytesIO(recording())]}
    return client.voices.ivc.create(**fields | changed)


def refusal_of(client: ElevenLabs, **changed: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        create(client, **changed)
    return caught.value


def test_all_voices_are_listed(acme: Tenant, platform_voices: None, client: ElevenLabs) -> None:
    own = clone(acme.organization, acme.owner, labels={"accent": "Scottish"}, languages=["en-GB"])
    first, *others = client.voices.get_all().voices
    assert (first.voice_id, first.name, first.category) == (str(own.pk), "Ada", "cloned")
    assert first.labels == {"language": "en-GB", "accent": "Scottish"}
    assert first.is_owner
    assert first.created_at_unix == int(own.created_at.timestamp())
    assert sorted(voice.voice_id for voice in others) == PLATFORM
    assert {voice.category for voice in others} == {"premade"}
    assert others[0].settings is not None
    assert others[0].settings.stability == 0.5
    assert client.voices.get("heart").name == "Heart"


def test_a_voice_that_may_not_be_spoken_is_not_listed(
    acme: Tenant, platform_voices: None, client: ElevenLabs
) -> None:
    own = clone(acme.organization, acme.owner)
    suspend_voice(voice=own, reason="Checked.")
    assert str(own.pk) not in {voice.voice_id for voice in client.voices.get_all().voices}
    assert client.voices.get(str(own.pk)).safety_control == "BAN"


def test_pages_in_every_order(acme: Tenant, platform_voices: None, client: ElevenLabs) -> None:
    for name in ("Zoe", "ada", "Bea"):
        clone(acme.organization, acme.owner, name=name)
    everything = [voice.name for voice in client.voices.get_all().voices]
    by_name = sorted(everything, key=lambda name: str(name).casefold())
    for fields, expected in (
        ({}, everything),
        ({"sort": "created_at_unix", "sort_direction": "asc"}, everything[::-1]),
        ({"sort": "name"}, by_name),
        ({"sort": "name", "sort_direction": "desc"}, by_name[::-1]),
    ):
        names: list[Any] = []
        token: str | None = None
        while True:
            page = client.voices.search(page_size=4, next_page_token=token, **fields)  # type: ignore[arg-type]
            names += [voice.name for voice in page.voices]
            assert page.total_count == 6
            assert page.has_more is (page.next_page_token is not None)
            token = page.next_page_token
            if token is None:
                break
        assert names == expected, fields


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"search": "sCoTTish"}, ["Ada"]),
        ({"search": "hea"}, ["Heart"]),
        ({"search": "reads the news"}, ["Bea"]),
        ({"search": "nobody"}, []),
        ({"voice_type": "default"}, ["Echo", "Heart", "Kore"]),
        ({"voice_type": "personal"}, ["Ada", "Bea"]),
        ({"voice_type": "workspace"}, ["Ada", "Bea"]),
        ({"voice_type": "non-default"}, ["Ada", "Bea"]),
        ({"voice_type": "community"}, []),
        ({"category": "cloned"}, ["Ada", "Bea"]),
        ({"category": "premade", "search": "o"}, ["Echo", "Kore"]),
        ({"category": "professional"}, []),
        ({"voice_ids": ["heart", "kore", "nobody"]}, ["Heart", "Kore"]),
        ({"voice_ids": "heart"}, ["Heart"]),
        ({"accent": "scottish"}, ["Ada"]),
        ({"language": ["de", "fr"]}, ["Bea"]),
        ({"use_cases": ["narration"]}, ["Bea"]),
        ({"collection_id": "one"}, []),
        ({"high_quality": True}, []),
        ({"include_total_count": False, "page_size": 100}, ["Ada", "Bea", "Echo", "Heart", "Kore"]),
    ],
)
def test_searches(
    acme: Tenant, platform_voices: None, client: ElevenLabs, fields: dict[str, Any], names: list[str]
) -> None:
    clone(acme.organization, acme.owner, name="Ada", labels={"accent": "Scottish"})
    clone(
        acme.organization,
        acme.owner,
        name="Bea",
        description="Reads the news.",
        labels={"use_case": "narration"},
        languages=["de"],
    )
    assert [voice.name for voice in client.voices.search(sort="name", **fields).voices] == names


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"page_size": 0}, 422),
        ({"page_size": 101}, 422),
        ({"page_size": "many"}, 422),
        ({"sort": "age"}, 422),
        ({"voice_type": "nobody's"}, 422),
        ({"search": "\x00"}, 422),
        ({"voice_ids": ["x"] * 101}, 422),
        ({"next_page_token": "nonsense"}, 400),
        ({"next_page_token": "bnVsbA=="}, 400),
        ({"next_page_token": "é"}, 400),
    ],
)
def test_a_wrong_search_is_refused(
    acme: Tenant, client: ElevenLabs, fields: dict[str, Any], status: int
) -> None:
    with pytest.raises(ApiError) as caught:
        client.voices.search(**fields)
    assert caught.value.status_code == status
    assert isinstance(caught.value, UnprocessableEntityError) is (status == 422)


def test_a_voice_from_its_recording_to_its_end(acme: Tenant, terms: None, client: ElevenLabs) -> None:
    made = create(
        client,
        name="Ada",
        description="Reads the news.",
        labels={"accent": "Scottish", "language": "en"},
        files=[io.BytesIO(recording()), io.BytesIO(recording(hertz=500))],
    )
    assert made.requires_verification is False
    voice = client.voices.get(made.voice_id)
    assert (voice.name, voice.category, voice.description) == ("Ada", "cloned", "Reads the news.")
    assert voice.labels == {"accent": "Scottish", "language": "en"}
    row = Voice.objects.get(pk=made.voice_id)
    assert row.organization == acme.organization
    assert row.reference_seconds > 8
    assert VoiceConsent.objects.get(voice=row).via == VoiceConsent.Via.TERMS
    assert client.voices.delete(made.voice_id).status == "ok"
    with pytest.raises(ApiError) as caught:
        client.voices.get(made.voice_id)
    assert (caught.value.status_code, caught.value.body["detail"]["status"]) == (404, "voice_not_found")


def test_a_clone_speaks_at_its_own_pitch_until_its_end(
    acme: Tenant, cloning: Worker, terms: None, client: ElevenLabs, rivals_client: ElevenLabs
) -> None:
    voice = create(client, files=[io.BytesIO(recording(hertz=431))]).voice_id
    fields: dict[str, Any] = {"text": "Hello there.", "output_format": "pcm_24000"}
    for model_id in ("eleven_multilingual_v2", "tone"):
        audio = b"".join(client.text_to_speech.convert(voice, model_id=model_id, **fields))
        assert loudest_hertz(np.frombuffer(audio, "<i2"), 24_000) == pytest.approx(431, abs=2)
    timed = client.text_to_speech.convert_with_timestamps(voice, **fields)
    assert timed.alignment is not None
    assert timed.alignment_source == "engine"
    with pytest.raises(ApiError) as caught:
        b"".join(rivals_client.text_to_speech.convert(voice, **fields))
    assert caught.value.body["detail"]["status"] == "voice_not_found"
    client.voices.delete(voice)
    with pytest.raises(ApiError) as caught:
        b"".join(client.text_to_speech.convert(voice, **fields))
    assert (caught.value.status_code, caught.value.body["detail"]["status"]) == (404, "voice_not_found")


def test_without_the_terms_no_voice_is_cloned(acme: Tenant, client: ElevenLabs) -> None:
    error = refusal_of(client)
    assert (error.status_code, error.body["detail"]["status"]) == (403, "consent_required")
    assert "/voices/terms" in error.body["detail"]["message"]
    assert not Voice.objects.cloned().exists()


def test_clones_are_never_refused_in_a_way_that_is_tried_again(
    acme: Tenant, terms: None, client: ElevenLabs
) -> None:
    """A client that tries again has lost the voice's name."""
    create(client)
    attempts: list[int] = []
    with httpx.Client(
        event_hooks={"response": [lambda response: attempts.append(response.status_code)]}
    ) as http:
        watched = client_of(acme, http)
        for changed, status, word in (
            ({}, 400, "voice_name_taken"),
            ({"name": "Bea", "files": [io.BytesIO(b"no recording")]}, 400, "recording_format"),
            ({"name": "Bea", "files": [io.BytesIO(recording(seconds=1))]}, 400, "recording_too_short"),
        ):
            error = refusal_of(watched, **changed)
            assert (error.status_code, error.body["detail"]["status"]) == (status, word)
            assert error.body["detail"]["param"] == ("files" if "files" in changed else "name")
        for changed in ({"name": ""}, {"name": "x" * 81}, {"files": []}, {"labels": {"accent": 5}}):
            assert isinstance(refusal_of(watched, **changed), UnprocessableEntityError)
    assert len(attempts) == 7


def test_a_form_is_read_with_care(acme: Tenant, terms: None) -> None:
    for content, kind in (
        (b"", "multipart/form-data"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"{}", "application/json"),
        (b"\xff\xfe", 'multipart/form-data; boundary="'),
    ):
        response = acme.client.post(
            "/elevenlabs/v1/voices/add",
            content=content,
            headers={"xi-api-key": acme.live, "Content-Type": kind},
        )
        assert response.status_code in {400, 422}, response.text
        assert response.json()["detail"]


def test_a_recording_may_be_larger_than_other_bodies(acme: Tenant, terms: None, client: ElevenLabs) -> None:
    create(client, files=[io.BytesIO(recording(seconds=25))])
    response = acme.client.post(
        "/elevenlabs/v1/voices/add",
        files={"files": b"\0" * 20_200_000},
        data={"name": "Bea"},
        headers={"xi-api-key": acme.live},
    )
    assert response.status_code == 413
    assert response.json()["detail"]["status"] == "payload_too_large"


def test_tenants_see_and_end_their_own_voices_only(
    acme: Tenant, platform_voices: None, client: ElevenLabs, rivals_client: ElevenLabs
) -> None:
    own = clone(acme.organization, acme.owner)
    assert {voice.voice_id for voice in rivals_client.voices.get_all().voices} == set(PLATFORM)
    assert rivals_client.voices.search(search="Ada").voices == []
    for call in (rivals_client.voices.get, rivals_client.voices.delete):
        with pytest.raises(ApiError) as caught:
            call(str(own.pk))
        assert caught.value.status_code == 404
    with pytest.raises(ApiError) as caught:
        client.voices.delete("heart")
    assert (caught.value.status_code, caught.value.body["detail"]["status"]) == (403, "platform_voice")
    assert client.voices.delete(str(own.pk)).status == "ok"


@pytest.mark.parametrize("voice_id", ["nobody", "%00", "%FF", "a" * 300, "0" * 32, "..", "%F0%9F%91%8B"])
def test_no_id_breaks_anything(acme: Tenant, voice_id: str) -> None:
    for method in ("GET", "DELETE"):
        response = acme.client.request(
            method, f"/elevenlabs/v1/voices/{voice_id}", headers={"xi-api-key": acme.live}
        )
        assert response.status_code in {404, 405}, response.text
        assert response.json()["detail"]["status"]


async def test_the_asynchronous_client_manages_voices(
    acme: Tenant, terms: None, platform_voices: None, async_client: AsyncElevenLabs
) -> None:
    made = await async_client.voices.ivc.create(name="Ada", files=[io.BytesIO(recording())])
    assert (await async_client.voices.get(made.voice_id)).name == "Ada"
    assert len((await async_client.voices.search(voice_type="personal")).voices) == 1
    assert len((await async_client.voices.get_all()).voices) == 4
    await async_client.voices.delete(made.voice_id)
    assert len((await async_client.voices.get_all()).voices) == 3
