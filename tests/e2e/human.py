"""Real speech for a microphone to hear: ten sentences of a professional speaker, from a package of Debian's.

The package is in the contributor's way of `bench.speech_samples`, where its licence is: CC BY-SA 3.0.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hibari import SAMPLE_RATE

from bench.errors import BenchError
from bench.quality_sound import decoded
from bench.speech_samples import prepare, samples_in
from tests.e2e.heard import Samples

SENTENCES = (
    "There is currently one other participant in the conference.",
    "Please enter the number to be removed from the blacklist.",
    "The conference is currently locked and cannot be joined.",
    "Nobody is available to take your call at the moment",
    "There are no more compatible entries in the directory.",
    "You are currently the only person in this conference.",
    "I'm sorry I did not understand your response.",
    "Playback of the list of people attending is complete.",
    "That is not a valid password. Please try again.",
    "please hold while I try to locate the person you are calling",
)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Samples]:
    """Of each sentence what was said, in ±1 at the rate of `heard`, its peak far from clipping."""
    folder: Path = tmp_path_factory.mktemp("recordings")
    try:
        prepare(folder, prompts_of=("en",), books=False)
    except BenchError as error:
        message = f"no recordings of people to be had: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    found = {}
    for sample in samples_in(folder):
        if sample.text in SENTENCES:
            samples = decoded(sample.path.read_bytes(), SAMPLE_RATE, "flac")
            found[sample.text] = samples * (0.5 / abs(samples).max())
    assert set(found) == set(SENTENCES)
    return found
