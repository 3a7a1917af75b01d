"""Long texts with a cloned voice, which end with its consent."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.core import media
from apps.deployments.models import Worker
from apps.tts.jobs.models import JobPart
from apps.voices.services import withdraw_consent
from tests.gpu_worker.voices.recordings import loudest_hertz
from tests.gpu_worker.worker_process import WorkerProcess
from tests.platform import deploy
from tests.tts.jobs.conftest import anna, customer
from tests.tts.jobs.customer import Customer, fresh, work_off, work_once
from tests.tts.jobs.texts import prose
from tests.voices.recordings import actor, clone
from voiceflow.settings.media import storage

__all__ = ["anna"]


@pytest.fixture
def deployed(transactional_db: None, cloning_worker: WorkerProcess) -> Worker:
    return deploy(cloning_worker, name="cloning")


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.LIMIT_CHARACTERS_PER_REQUEST = 300
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}


def test_a_job_speaks_with_a_cloned_voice(anna: Customer, deployed: Worker) -> None:
    voice = clone(anna.organization, anna.owner, hertz=557)
    job = anna.job(prose(750), voice="Ada", format="wav")
    assert (job.voice, job.model) == (str(voice.pk), "tone")
    work_off()
    job = fresh(job)
    assert job.state == "completed"
    data = io.BytesIO(media.read(job.result_key)).getvalue()
    samples = np.frombuffer(data[44 : len(data) // 2 * 2], "<i2")
    assert loudest_hertz(samples, 24_000) == pytest.approx(557, abs=2)


def test_a_job_ends_with_the_consent_and_speaks_no_further_part(anna: Customer, deployed: Worker) -> None:
    voice = clone(anna.organization, anna.owner)
    job = anna.job(prose(750), voice=str(voice.pk))
    assert work_once() is not None
    assert work_once() is not None
    withdraw_consent(voice=voice, by=actor(anna.owner))
    work_off()
    job = fresh(job)
    assert (job.state, job.error_code) == ("failed", "consent_withdrawn")
    states = list(JobPart.objects.filter(job=job).values_list("state", flat=True))
    assert len(states) >= 3
    assert [record.state for record in anna.records()] == ["ok"]


def test_another_organizations_voice_makes_no_job(anna: Customer, deployed: Worker) -> None:
    other = customer("other")
    voice = clone(other.organization, other.owner, name="Theirs")
    for reference in (str(voice.pk), "Theirs"):
        with pytest.raises(Exception, match="There is no voice"):
            anna.job("Hello there.", voice=reference)
