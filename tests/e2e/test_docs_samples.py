"""Every sample of the docs is run as it stands there, against the platform itself."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from apps.console.docs.samples import FOLDER, samples_of
from apps.deployments.models import Worker
from apps.deployments.voices import tell_of_voices
from tests.e2e.docs_samples import run_sample
from tests.platform import Tenant
from tests.sdk import node_programs

# Those of voices and jobs need an engine that clones and a running Celery, the others speak nothing: they
# have tests of their own.
ELSEWHERE = {"voices", "jobs", "deployments", "budgets", "webhooks", "recovering"}
NAMES = sorted({path.stem for path in FOLDER.iterdir()} - ELSEWHERE)
CASES = [
    pytest.param(name, sample.language, marks=[pytest.mark.node] if sample.language == "javascript" else [])
    for name in NAMES
    for sample in samples_of(name, "")
]


@pytest.mark.timeout(node_programs.INSTALL_SECONDS + 60)
@pytest.mark.parametrize(("name", "language"), CASES)
def test_it_speaks(acme: Tenant, cpu: Worker, tmp_path: Path, name: str, language: str) -> None:
    tell_of_voices()
    if (name, language) == ("openai", "javascript"):
        (tmp_path / "node_modules").symlink_to(node_programs.install() / "node_modules")
    printed = run_sample(acme, name, language, folder=tmp_path)
    if name == "timestamps":
        assert next(iter(printed.split())) == "0.00"
        return
    (made,) = tmp_path.glob("speech.*")
    with av.open(str(made)) as file:
        seconds = sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))
    assert seconds > 0.8
