"""Whose voice it is; the weights come from a file that torch wrote."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from apps.contributions.quality import Gates, Verdict, same_speaker, sound, speaker
from apps.contributions.quality.decoding import decode
from apps.contributions.quality.weights import read_weights
from tests.contributions.quality.clips import Spoken


def _voice(spoken: Spoken, pitch: float = 1.0) -> bytes:
    """Played faster, a voice is higher and its tract shorter: that of somebody else."""
    samples = sound.resampled(decode(spoken.file("wav")), speaker.RATE)
    if pitch != 1:
        at = np.arange(0, len(samples) - 1, pitch)
        samples = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
    voice = speaker.voice_of(samples)
    assert voice is not None
    return voice


def test_a_voice_is_like_itself_and_not_like_another(spoken: Spoken, other: Spoken) -> None:
    mine = [_voice(spoken)] * 3
    assert same_speaker(_voice(other), mine, Gates()).verdict is Verdict.ACCEPT
    stranger = same_speaker(_voice(other, pitch=1.5), mine, Gates())
    assert stranger.verdict is Verdict.REVIEW, stranger
    assert stranger.value is not None
    assert stranger.value < 0.75


def test_few_clips_are_not_compared(spoken: Spoken) -> None:
    voice = _voice(spoken)
    found = same_speaker(voice, [voice] * (speaker.MIN_OTHERS - 1), Gates())
    assert (found.value, found.verdict) == (None, Verdict.ACCEPT)


def test_a_voice_is_a_unit_vector(spoken: Spoken) -> None:
    voice = np.frombuffer(_voice(spoken), "<f4")
    assert voice.shape == (256,)
    assert np.linalg.norm(voice) == pytest.approx(1, abs=1e-5)
    assert speaker.voice_of(np.zeros(speaker.RATE, np.float32)) is None
    with pytest.raises(ValueError, match="no voice"):
        speaker.likeness(b"\0" * 8, [b"\0" * 8] * 3)


def test_a_file_that_would_run_something_is_not_read(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("run",)

    file = tmp_path / "weights.pt"
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(pickle.UnpicklingError, match="no weights need"):
        read_weights(file, "model_state")
