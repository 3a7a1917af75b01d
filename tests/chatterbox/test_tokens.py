"""Tokens are drawn as upstream draws them, and each request's are its own."""

from __future__ import annotations

import pytest

from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
from gpu_worker.engines.chatterbox.kinds import KINDS
from gpu_worker.engines.chatterbox.texts import readable, text_tokens
from tests.chatterbox import tiny
from tests.chatterbox.speaking import TEXT, Listener, hear_alone, utterance
from tests.chatterbox.upstream import Upstream

MOST = 60


def drawn(engine: ChatterboxEngine, **fields: float) -> list[int]:
    """The first tokens of a seed, those of speech alone."""
    listener = Listener(engine)
    slot = listener.join(utterance(**fields))
    listener.step(1 + MOST)
    return listener.heard[slot].tokens[:MOST]


def their_speech(upstream: Upstream, kind: str, *, seed: int, **changed: float) -> list[int]:
    """What upstream's own loop draws, those of speech alone."""
    text = text_tokens(upstream.model, KINDS[kind], readable(TEXT, KINDS[kind]), "en")
    drawn = upstream.tokens(text, seed=seed, most=MOST, **UPSTREAM[kind] | changed)
    return [token for token in drawn if token < 6561]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_seed_draws_what_upstream_draws(
    upstream: Upstream, engine: ChatterboxEngine, kind: str, seed: int
) -> None:
    speech = their_speech(upstream, kind, seed=seed)
    ours = drawn(engine, seed=seed)
    assert ours[: len(speech)] == speech
    assert len(set(speech)) > 5


UPSTREAM = {
    tiny.CLASSIC: {
        "temperature": 0.8,
        "cfg_weight": 0.5,
        "repetition_penalty": 1.2,
        "min_p": 0.05,
        "top_p": 1.0,
    },
    tiny.MULTILINGUAL: {
        "temperature": 0.8,
        "cfg_weight": 0.5,
        "repetition_penalty": 2.0,
        "min_p": 0.05,
        "top_p": 1.0,
    },
    tiny.TURBO: {"temperature": 0.8, "top_k": 1000, "top_p": 0.95, "repetition_penalty": 1.2},
}
CHANGED = {"temperature": 0.3, "repetition_penalty": 1.9, "top_p": 0.5}


@pytest.mark.parametrize("name", CHANGED)
def test_parameters_mean_what_they_mean_upstream(
    upstream: Upstream, engine: ChatterboxEngine, kind: str, name: str
) -> None:
    wanted = {name: 1.0 if (kind, name) == (tiny.MULTILINGUAL, "repetition_penalty") else CHANGED[name]}
    speech = their_speech(upstream, kind, seed=5, **wanted)
    assert drawn(engine, seed=5, **wanted)[: len(speech)] == speech
    assert drawn(engine, seed=5)[: len(speech)] != speech


def test_without_guidance_it_speaks_on_one_row(engines: dict[str, ChatterboxEngine]) -> None:
    """Upstream's classic model breaks there: its start is always doubled."""
    listener = Listener(engines[tiny.CLASSIC])
    first = listener.join(utterance(cfg_weight=0.0))
    listener.step(3)
    assert listener.session._batch._cache.count == 1
    second = listener.join(utterance(cfg_weight=0.5))
    listener.step(3)
    assert listener.session._batch._cache.count == 3
    listener.finish()
    assert listener.heard[first].tokens == hear_alone(engines[tiny.CLASSIC], utterance(cfg_weight=0.0)).tokens
    assert (
        listener.heard[second].tokens == hear_alone(engines[tiny.CLASSIC], utterance(cfg_weight=0.5)).tokens
    )


def test_what_never_ends_is_ended(engine: ChatterboxEngine) -> None:
    """A piece has no more tokens than the longest sound that passes for its text, and a second."""
    heard = hear_alone(engine, utterance("Oh!"))
    assert heard.is_done
    assert 25 < len(heard.tokens) < 150
