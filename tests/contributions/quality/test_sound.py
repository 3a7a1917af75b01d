"""Level and clipping, against signals whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest

from apps.contributions.quality import sound
from tests.contributions.quality.clips import Spoken, decoded, noise

RATE = 48_000


def _sine(hertz: float, seconds: float, level: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.mark.parametrize("level", [1.0, 0.1, 0.01])
def test_loudness_of_the_reference_tone(level: float) -> None:
    """BS.1770: a full-scale sine of 997 Hz in one channel is -3.01 LUFS."""
    assert sound.loudness_lufs(_sine(997, 3, level)) == pytest.approx(-3.01 + 20 * np.log10(level), abs=0.05)


def test_pauses_do_not_count_as_quiet() -> None:
    tone = _sine(997, 3, 0.1)
    with_pause = np.concatenate([tone, np.zeros(6 * RATE, np.float32)])
    assert sound.loudness_lufs(with_pause) == pytest.approx(sound.loudness_lufs(tone), abs=0.3)


def test_silence_and_next_to_nothing_have_no_loudness() -> None:
    for samples in (np.zeros(RATE, np.float32), np.zeros(1, np.float32), noise(RATE, -90)):
        assert sound.loudness_lufs(samples) == -np.inf


def test_clipping_is_seen_also_when_made_quieter_since(spoken: Spoken) -> None:
    loud = (spoken.samples * 20).clip(-1, 1)
    assert sound.clipped_share(spoken.samples) < 0.0005
    assert sound.clipped_share(loud) > 0.01
    assert sound.clipped_share(loud / 4) == pytest.approx(sound.clipped_share(loud))
    assert sound.clipped_share(np.zeros(RATE, np.float32)) == 0


def test_what_is_kept_is_bit_for_bit_what_was_decoded(spoken: Spoken) -> None:
    pcm = np.round(spoken.samples * 32767).astype(np.int16)
    kept = sound.kept(pcm.astype(np.float32) / 32768)
    assert np.array_equal(np.round(decoded(kept.flac) * 32768).astype(np.int16), pcm)
    assert kept.sha256 == sound.kept(pcm.astype(np.float32) / 32768).sha256


def test_resampling_keeps_the_length() -> None:
    assert len(sound.resampled(_sine(440, 2), 16_000)) == pytest.approx(32_000, abs=20)
