"""The samples of the docs that add a voice, run as they stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.console.docs.samples import samples_of
from apps.deployments.models import Worker
from apps.voices.models import Voice
from tests.e2e.docs_samples import run_sample
from tests.gpu_worker.voices.recordings import recording
from tests.platform import Tenant
from tests.tts.voices.conftest import hertz_of


@pytest.mark.parametrize("language", [sample.language for sample in samples_of("voices", "")])
def test_a_recording_becomes_a_voice(acme: Tenant, cloning: Worker, tmp_path: Path, language: str) -> None:
    (tmp_path / "recording.wav").write_bytes(recording(hertz=431))
    printed = run_sample(acme, "voices", language, folder=tmp_path)
    voice = Voice.objects.get(organization=acme.organization)
    assert str(voice.pk) in printed
    assert hertz_of(acme.generate(voice="Narrator", model="tone")) == pytest.approx(431, abs=2)
