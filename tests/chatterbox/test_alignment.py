"""The multilingual model's place in its text: what upstream's analyzer would say, said without its hooks."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from chatterbox.models.t3.inference.alignment_stream_analyzer import (
    LLAMA_ALIGNED_HEADS,
    AlignmentStreamAnalyzer,
)
from chatterbox.models.t3.inference.t3_hf_backend import T3HuggingfaceBackend
from numpy.typing import NDArray

from gpu_worker.engines.chatterbox.alignment import Alignment, AttentionProbe, Ending
from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
from gpu_worker.engines.chatterbox.kinds import KINDS
from gpu_worker.engines.chatterbox.texts import text_tokens
from tests.chatterbox import tiny
from tests.chatterbox.speaking import Listener, utterance
from tests.chatterbox.upstream import Upstream

VOICE = 10  # positions before the text
STOP = 3
BEGIN = 7


class Theirs:
    """Upstream's analyzer without a transformer: what its hooks would bring is given to it."""

    def __init__(self, text: range) -> None:
        attention = SimpleNamespace(register_forward_hook=lambda hook: None)
        layers = [SimpleNamespace(self_attn=attention)] * 30
        self.analyzer = AlignmentStreamAnalyzer(
            SimpleNamespace(layers=layers), None, text_tokens_slice=(text.start, text.stop), eos_idx=STOP
        )

    def judge(self, weights: NDArray[Any], last_token: int) -> Ending:
        self.analyzer.last_aligned_attns = [torch.from_numpy(weights)] * len(LLAMA_ALIGNED_HEADS)
        logits = self.analyzer.step(torch.zeros(1, 8), next_token=last_token)
        if logits[0, STOP] == 2**15:
            assert (logits[0, :STOP] == -(2**15)).all()
            return Ending.NOW
        return Ending.NOT_YET if logits[0, STOP] == -(2**15) else Ending.FREE


def walk(text: range, places: list[int], *, seed: int = 0) -> Iterator[NDArray[Any]]:
    """Weights of passes that look at these places of the text; the first pass has the whole prompt's."""
    random = np.random.default_rng(seed)
    for number, place in enumerate(places):
        positions = text.stop + 2 + number
        queries = positions if number == 0 else 1
        weights = 0.02 * random.random((queries, positions), np.float32)
        weights[:, text.start + place] += 0.9
        yield weights


def through(size: int, *, each: int = 2) -> list[int]:
    return [place for place in range(size) for _ in range(each)]


def paths(size: int) -> dict[str, list[int]]:
    steady = through(size)
    jumpy = np.random.default_rng(size).integers(0, size, 60).tolist()
    return {
        "steady": steady,
        "lingers": [*steady, *[size - 1] * 20],
        "begins again": [*steady, *through(size)],
        "ends early": steady[: size // 2],
        "jumps": jumpy,
        "a glance ahead": [*steady[:6], size - 1, *steady[6:]],
        "stays": [0] * 30,
    }


@pytest.mark.parametrize("path", paths(12))
@pytest.mark.parametrize("size", [6, 12, 40])
def test_says_what_upstream_says(size: int, path: str) -> None:
    text = range(VOICE, VOICE + size)
    ours, theirs = Alignment(text), Theirs(text)
    tokens = np.random.default_rng(1).integers(8, 5000, 200).tolist()
    verdicts = []
    for number, weights in enumerate(walk(text, paths(size)[path])):
        last = BEGIN if number == 0 else tokens[number]
        verdicts.append(ours.judge(weights[-2:], last))
        assert verdicts[-1] is theirs.judge(weights, last), number
    if path in {"lingers", "begins again"} and size > 6:
        assert verdicts[-1] is Ending.NOW
    if path in {"steady", "ends early"} and size > 6:
        assert set(verdicts) == {Ending.NOT_YET, Ending.FREE} if path == "steady" else {Ending.NOT_YET}


def test_a_token_said_twice_ends_it_as_upstream() -> None:
    text = range(VOICE, VOICE + 12)
    ours, theirs = Alignment(text), Theirs(text)
    verdicts = []
    for weights, last in zip(walk(text, through(12)), [BEGIN, 20, 30, 20, 40, 40, 50], strict=False):
        verdicts.append(ours.judge(weights[-2:], last))
        assert verdicts[-1] is theirs.judge(weights, last)
    assert [verdict is Ending.NOW for verdict in verdicts] == [False] * 5 + [True, False]


def test_a_text_too_short_to_follow_may_end_at_any_time() -> None:
    """Upstream breaks there."""
    text = range(VOICE, VOICE + 4)
    alignment = Alignment(text)
    verdicts = [
        alignment.judge(weights[-2:], 8 + number) for number, weights in enumerate(walk(text, [0, 1, 2]))
    ]
    assert verdicts == [Ending.FREE] * 3


@torch.inference_mode()
def test_looks_where_upstreams_hooks_look(
    upstreams: dict[str, Upstream], engines: dict[str, ChatterboxEngine]
) -> None:
    upstream, model = upstreams[tiny.MULTILINGUAL], engines[tiny.MULTILINGUAL]._model
    tokens = text_tokens(upstream.model, KINDS[tiny.MULTILINGUAL], "Where does it look?", "en")
    spoken = [17, 4000, 6, 250]
    own = model._own_voice
    assert own is not None
    prompt = model.t3.prompt(own.conditions(0.5), tokens, is_guided=True)
    cache = model.t3.backbone.cache(2)
    for number, weights in enumerate(their_weights(upstream, prompt, spoken)):
        probe = model.t3.probe()
        assert probe is not None
        if number == 0:
            model.t3.backbone.read(prompt, cache, cache.add(2), probe)
            seen = probe.weights()[0]
            assert seen.shape == (2, prompt.shape[1])
        else:
            said = model.t3.embedded([spoken[number - 1]] * 2, [number] * 2)
            model.t3.backbone.step(said, cache, probe)
            seen = probe.weights()[0]
        assert np.abs(seen - weights[-2:]).max() < 1e-5
        assert seen.sum(1) == pytest.approx(1, abs=1e-5)


def their_weights(upstream: Upstream, prompt: torch.Tensor, spoken: list[int]) -> Iterator[NDArray[Any]]:
    """What upstream's hooks take down, pass by pass; they are taken out again."""
    t3 = upstream.model.t3
    analyzer = AlignmentStreamAnalyzer(t3.tfmr, None, text_tokens_slice=(0, 1), eos_idx=STOP)
    backend = T3HuggingfaceBackend(
        config=t3.cfg, llama=t3.tfmr, speech_enc=t3.speech_emb, speech_head=t3.speech_head
    )
    try:
        inputs, past = prompt, None
        for place, token in enumerate([*spoken, 0], start=1):
            out = backend(inputs_embeds=inputs, past_key_values=past, use_cache=True, output_attentions=True)
            yield torch.stack(analyzer.last_aligned_attns).mean(0).numpy()
            past = out.past_key_values
            said = t3.speech_emb(torch.tensor([[token]])) + t3.speech_pos_emb.get_fixed_embedding(place)
            inputs = torch.cat([said, said])
    finally:
        for layer in t3.tfmr.layers:
            layer.self_attn._forward_hooks.clear()


def test_a_row_that_may_not_end_goes_on_and_one_that_must_ends(engines: dict[str, ChatterboxEngine]) -> None:
    listener = Listener(engines[tiny.MULTILINGUAL])
    slot = listener.join(utterance(language="en"))
    listener.step(3)
    [row] = listener.session._batch._rows
    batch, stop = listener.session._batch, listener.session._batch._t3.stop
    batch._logits[:, stop] = 100.0
    row.ending = Ending.NOT_YET
    listener.step()
    assert not row.is_done
    batch._logits[:, stop] = -100.0
    row.ending = Ending.NOW
    listener.step()
    assert row.is_done
    listener.finish()
    assert listener.heard[slot].is_done


def test_heads_are_looked_at_alone() -> None:
    probe = AttentionProbe([(1, 0)])
    query, keys = torch.randn(2, 3, 1, 4), torch.randn(2, 3, 5, 4)
    for layer in range(3):
        probe(layer, query, keys, None)
    expected = torch.softmax(query[:, 0] @ keys[:, 0].transpose(-1, -2) / 2, -1)
    assert np.allclose(probe.weights(), expected.numpy())
