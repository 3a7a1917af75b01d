"""Clips of voices, made by real workers; and workers told to forget."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from django.utils import timezone

from apps.core import media
from apps.deployments.models import Deployment, Worker
from apps.tts import forgetting, previews
from apps.usage.models import UsageRecord
from apps.voices.models import Voice
from apps.voices.services import note_preview_problem, suspend_voice
from tests.gpu_worker.voices.recordings import loudest_hertz
from tests.gpu_worker.worker_process import WorkerProcess
from tests.platform import Tenant
from tests.tts.voices.conftest import add_voice
from tests.voices.recordings import clone
from voiceflow.settings.media import storage


@pytest.fixture(scope="module")
def server(lean_door: Any) -> Any:
    """Doors make no difference here."""
    return lean_door


@pytest.fixture(autouse=True)
def own_media(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}


def clip_of(voice: Voice) -> tuple[float, float]:
    """How long it plays, and at which pitch."""
    voice.refresh_from_db()
    with av.open(io.BytesIO(media.read(voice.preview_key)), format="mp3") as container:
        rate = container.streams.audio[0].rate
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    return len(samples) / rate, loudest_hertz(samples, rate)


def test_a_cloned_voice_says_its_sentence_and_nobody_pays(acme: Tenant, cloning: Worker) -> None:
    voice = clone(acme.organization, acme.owner, hertz=541)
    previews.make(voice.pk)
    seconds, hertz = clip_of(voice)
    assert 3 < seconds < 10
    assert hertz == pytest.approx(541, abs=3)
    assert UsageRecord.objects.count() == 0
    made = media.read(voice.preview_key)
    media.save(voice.preview_key, b"as it is")
    previews.make(voice.pk)
    assert media.read(voice.preview_key) == b"as it is" != made


def test_a_voice_of_an_engine_says_it_too(acme: Tenant, cpu: Worker) -> None:
    voice = Voice.objects.create(category="premade", engine_voice="heart", name="Heart", languages=["en"])
    previews.make(voice.pk)
    seconds, hertz = clip_of(voice)
    assert 2 < seconds < 10
    assert 60 < hertz < 1000


def test_what_passes_by_itself_is_tried_again_and_the_rest_is_told(acme: Tenant, cpu: Worker) -> None:
    cloned = clone(acme.organization, acme.owner)
    unknown = Voice.objects.create(category="premade", engine_voice="nobody", name="Nobody")
    platform = Voice.objects.create(category="premade", engine_voice="heart", name="Heart")
    Worker.objects.all().delete()
    for voice in (cloned, unknown, platform):
        previews.make(voice.pk)
        voice.refresh_from_db()
        assert voice.preview_key == ""
    assert "cloned voices" in cloned.preview_problem
    assert "nobody" in unknown.preview_problem
    assert platform.preview_problem == ""
    assert previews.wanted() == [platform.pk]
    before = timezone.now() - timedelta(hours=2)
    Voice.objects.filter(pk=cloned.pk).update(updated_at=before)
    assert previews.wanted() == [cloned.pk, platform.pk]


def test_only_voices_that_can_be_heard_want_a_clip(acme: Tenant) -> None:
    there = [clone(acme.organization, acme.owner, name=name) for name in ("Ada", "Bea", "Cleo")]
    suspend_voice(voice=there[0], reason="A complaint.")
    Voice.objects.filter(pk=there[1].pk).update(preview_key="x")
    Voice.objects.create(category="premade", engine_voice="gone", name="Gone", is_offered=False)
    assert previews.wanted() == [there[2].pk]
    previews.make(there[0].pk)
    note_preview_problem(voice=there[2], problem="No worker.")
    assert previews.wanted() == []


def test_a_clip_wakes_nobody(acme: Tenant, cpu: Worker) -> None:
    """Not even where that is the only way."""
    Deployment.objects.update(state=Deployment.State.ASLEEP)
    Worker.objects.all().delete()
    voice = Voice.objects.create(category="premade", engine_voice="heart", name="Heart")
    previews.make(voice.pk)
    assert Deployment.objects.get().state == Deployment.State.ASLEEP


@pytest.mark.parametrize(
    ("languages", "language"),
    [([], "en"), (["en"], "en"), (["de-AT"], "de"), (["fr", "en-GB"], "en"), (["xx", "it"], "it")],
)
def test_the_sentence_is_in_a_language_of_the_voice(languages: list[str], language: str) -> None:
    assert previews._sentence_for(languages) == (language, previews.SENTENCES[language])


def test_workers_are_told_to_forget(
    acme: Tenant, rival: Tenant, cloning: Worker, cloning_worker: WorkerProcess
) -> None:
    voice = Voice.objects.get(pk=add_voice(acme, hertz=547))
    assert acme.generate(voice=str(voice.pk)).status_code == 200
    assert forgetting.forget(rival.organization.pk, "0" * 64) == 0
    assert forgetting.forget(acme.organization.pk, voice.reference_sha256) == 1
    assert httpx.delete(f"{cloning_worker.url}/voices/{voice.reference_sha256}").status_code == 404
    Worker.objects.update(url="http://127.0.0.1:9")
    assert forgetting.forget(acme.organization.pk, voice.reference_sha256) == 0
