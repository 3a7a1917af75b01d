"""All audio that leaves carries Perth's watermark, streamed audio too, and sounds as before."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_worker.audio import Samples
from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
from gpu_worker.engines.chatterbox.marking import Marking
from tests.chatterbox.speaking import hear_alone, utterance
from tests.chatterbox.voices import reference

TEXT = "It was a long way home, and nobody had thought of the rain, which came in the evening."


def mark_in(engine: ChatterboxEngine, samples: Samples) -> float:
    """How sure Perth's detector is, 0 to 1."""
    found = engine._model.watermarker.get_watermark(samples, sample_rate=24_000, round=False)
    return float(np.mean(found))


def marked_in_chunks(engine: ChatterboxEngine, samples: Samples, size: int) -> Samples:
    marking = Marking(engine._model.watermarker, 24_000)
    parts = [marking.mark(samples[at : at + size]) for at in range(0, len(samples), size)]
    return np.concatenate(parts)


@pytest.mark.parametrize("early", [False, True])
def test_what_leaves_is_marked(engine: ChatterboxEngine, early: bool) -> None:
    heard = hear_alone(engine, utterance(TEXT, goes_out_early=early))
    assert len(heard.chunks) == (3 if early else 1)
    for samples in (heard.samples, *heard.chunks):
        assert mark_in(engine, samples) > 0.9


@pytest.mark.parametrize("size", [9_600, 20_160, 72_000, 10**9])
def test_voices_are_marked_whatever_their_chunks(engine: ChatterboxEngine, size: int) -> None:
    samples = reference(150).samples
    marked = marked_in_chunks(engine, samples, size)
    assert len(marked) == len(samples)
    assert mark_in(engine, samples) < 0.5 < mark_in(engine, marked)
    assert np.corrcoef(samples, marked)[0, 1] > 0.98


def test_a_mark_goes_on_across_chunks(engine: ChatterboxEngine) -> None:
    samples = reference(150).samples
    whole, parts = marked_in_chunks(engine, samples, 10**9), marked_in_chunks(engine, samples, 24_000)
    steps = np.abs(np.diff(parts))
    for place in range(24_000, len(samples), 24_000):
        assert steps[place - 1] < 1.5 * np.abs(np.diff(whole[place - 600 : place + 600])).max()
