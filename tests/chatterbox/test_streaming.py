"""A piece in chunks that grow: the same words, joined without a click, and not dearer than agreed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from gpu_worker.audio import Samples
from gpu_worker.engines.base import Utterance
from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
from gpu_worker.engines.chatterbox.session import CHUNK_TOKENS
from gpu_worker.engines.chatterbox.vocoder import OVERLAP_FRAMES, SAMPLES_A_FRAME, Voicing
from tests.chatterbox import tiny
from tests.chatterbox.speaking import Listener, hear_alone, same, utterance

TEXT = "It was a long way home, and nobody had thought of the rain, which came in the evening."
OVERLAP = OVERLAP_FRAMES * SAMPLES_A_FRAME
# With it no model ends early, as random weights may.
SEED = 1


def said(text: str = TEXT, *, goes_out_early: bool = False) -> Utterance:
    return utterance(text, seed=SEED, goes_out_early=goes_out_early)


def voiced(engine: ChatterboxEngine, mel: Tensor, cuts: list[int], *, anew: bool = False) -> Samples:
    """Mel frames through the vocoder in parts; `anew` forgets between them what was before."""
    parts, model = [], engine._model
    voicing = Voicing(model.vocoder, model.fade, seed=3)
    for first, stop in pairwise([0, *cuts, mel.shape[2]]):
        if anew and first:
            voicing = Voicing(model.vocoder, model.fade, seed=3)
        parts.append(voicing.feed(mel[:, :, first:stop], is_last=anew or stop == mel.shape[2]).numpy())
    return np.concatenate(parts)


def alike(first: Samples, second: Samples, place: int) -> float:
    """The correlation of two sounds within 50 ms of a place."""
    around = slice(place - 1200, place + 1200)
    return float(np.corrcoef(first[around], second[around])[0, 1])


def test_streamed_and_whole_are_the_same_tokens_and_length(engine: ChatterboxEngine) -> None:
    whole = hear_alone(engine, said())
    streamed = hear_alone(engine, said(goes_out_early=True))
    assert streamed.tokens == whole.tokens
    assert (len(whole.chunks), len(streamed.chunks)) == (1, 3)
    assert len(streamed.samples) == len(whole.samples)


def test_chunks_grow(engine: ChatterboxEngine) -> None:
    streamed = hear_alone(engine, said(goes_out_early=True))
    first, second, rest = (len(chunk) for chunk in streamed.chunks)
    samples_a_token = 2 * SAMPLES_A_FRAME
    assert first == CHUNK_TOKENS[0] * samples_a_token - OVERLAP
    assert second == CHUNK_TOKENS[1] * samples_a_token
    assert rest > second


def test_a_first_chunk_comes_while_the_others_are_still_drawn(engine: ChatterboxEngine) -> None:
    listener = Listener(engine)
    slot = listener.join(said(goes_out_early=True))
    while not listener.heard[slot].chunks:
        listener.step()
    assert len(listener.heard[slot].tokens) < sum(CHUNK_TOKENS)


def test_joints_sound_as_if_there_were_none(engine: ChatterboxEngine) -> None:
    """Source and filters go on across them; a vocoder that begins anew there is the control."""
    mel = torch.cumsum(0.2 * torch.randn(1, 80, 220, generator=torch.Generator().manual_seed(2)), dim=2) - 4
    cuts = [50, 130]
    whole, parts, anew = (
        voiced(engine, mel, []),
        voiced(engine, mel, cuts),
        voiced(engine, mel, cuts, anew=True),
    )
    assert len(whole) == len(parts) == len(anew) == 220 * SAMPLES_A_FRAME
    for cut in cuts:
        given_out = (cut - OVERLAP_FRAMES) * SAMPLES_A_FRAME
        for place in (given_out, given_out + OVERLAP // 2, cut * SAMPLES_A_FRAME):
            assert alike(whole, parts, place) > 0.9
        place = cut * SAMPLES_A_FRAME
        assert alike(whole, anew, place) < alike(whole, parts, place) - 0.05
    assert float(np.abs(np.diff(parts)).max()) < 1.1 * float(np.abs(np.diff(whole)).max())


def test_what_was_said_before_a_joint_stays_much_the_same(engine: ChatterboxEngine) -> None:
    """Of the same tokens a chunk makes the sound that the whole piece has there, if not to the sample."""
    whole = hear_alone(engine, said()).samples
    streamed = hear_alone(engine, said(goes_out_early=True)).samples
    half = len(whole) // 2
    loud = np.sqrt(np.mean(whole[:half] ** 2)), np.sqrt(np.mean(streamed[:half] ** 2))
    assert 0.5 < loud[0] / loud[1] < 2


@pytest.mark.parametrize(("others", "chunks"), [(2, 3), (6, 1)])
def test_a_full_batch_makes_no_chunks(engines: dict[str, ChatterboxEngine], others: int, chunks: int) -> None:
    """They cost more altogether: over half full, all would come later for it."""
    listener = Listener(engines[tiny.CLASSIC])
    for seed in range(others):
        listener.join(utterance("It is said that " * 10, seed=seed))
    slot = listener.join(said(goes_out_early=True))
    listener.finish()
    assert len(listener.heard[slot].chunks) == chunks


def test_with_a_seed_of_its_callers_it_is_cut_alike_in_any_batch(
    engines: dict[str, ChatterboxEngine],
) -> None:
    engine = engines[tiny.CLASSIC]
    wanted = replace(said(goes_out_early=True), is_repeatable=True)
    alone = hear_alone(engine, wanted)
    listener = Listener(engine)
    for seed in range(7):
        listener.join(utterance("It is said that " * 2, seed=seed))
    slot = listener.join(wanted)
    listener.finish()
    among_others = listener.heard[slot]
    assert [len(chunk) for chunk in among_others.chunks] == [len(chunk) for chunk in alone.chunks]
    assert len(alone.chunks) == 3
    assert same(alone, among_others)


def test_a_new_request_is_heard_before_a_long_one_is_through(engine: ChatterboxEngine) -> None:
    listener = Listener(engine)
    long = listener.join(utterance("And so it went on and on, " * 10, goes_out_early=True))
    listener.step(60)
    new = listener.join(said(goes_out_early=True))
    while not listener.heard[new].chunks:
        listener.step()
    assert not listener.heard[long].is_done
    assert len(listener.heard[new].tokens) < CHUNK_TOKENS[0] + 12


def test_the_extra_flow_work_of_a_ten_second_text(engine: ChatterboxEngine) -> None:
    """In frames, prompts included; at most 1.8 times that of the whole."""
    flow = engine._model.flow
    text = TEXT + " Then they slept."
    frames = []
    for early in (False, True):
        before = flow.frames_worked
        hear_alone(engine, said(text, goes_out_early=early))
        frames.append(flow.frames_worked - before)
    assert 1 < frames[1] / frames[0] <= 1.8
