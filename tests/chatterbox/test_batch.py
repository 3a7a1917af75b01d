"""Requests in one batch know nothing of each other."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_worker.engines.base import Utterance
from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
from tests.chatterbox.speaking import Heard, Listener, hear_alone, same, utterance
from tests.chatterbox.voices import reference

SHORT = [utterance(f"{word}!", seed=seed) for seed, word in enumerate(["Oh", "Well now", "Yes", "Who knows"])]


@pytest.fixture(scope="module")
def alone(engines: dict[str, ChatterboxEngine]) -> dict[tuple[str, str], Heard]:
    return {(kind, said.text): hear_alone(engine, said) for kind, engine in engines.items() for said in SHORT}


def all_same(
    listener: Listener, slots: dict[int, Utterance], alone: dict[tuple[str, str], Heard], kind: str
) -> bool:
    return all(same(listener.heard[slot], alone[kind, said.text]) for slot, said in slots.items())


def test_a_seed_is_the_same_alone_and_in_any_batch(
    engine: ChatterboxEngine, kind: str, alone: dict[tuple[str, str], Heard]
) -> None:
    for said in (SHORT, SHORT[::-1], SHORT[1:3]):
        for one, heard in zip(said, Listener(engine).hear(*said), strict=True):
            assert same(heard, alone[kind, one.text])


def test_another_seed_is_another_sound(
    engine: ChatterboxEngine, kind: str, alone: dict[tuple[str, str], Heard]
) -> None:
    other = hear_alone(engine, utterance(SHORT[0].text, seed=99))
    assert other.tokens != alone[kind, SHORT[0].text].tokens


@pytest.mark.parametrize("after", [0, 1, 2, 5, 20, 40])
def test_who_joins_late_disturbs_nobody(
    engine: ChatterboxEngine, kind: str, alone: dict[tuple[str, str], Heard], after: int
) -> None:
    listener = Listener(engine)
    slots = {}
    for said in SHORT:
        slots[listener.join(said)] = said
        listener.step(after)
    listener.finish()
    assert all_same(listener, slots, alone, kind)


@pytest.mark.parametrize("leaver", [0, 1, 2])
@pytest.mark.parametrize("after", [0, 1, 3, 30, 60])
def test_who_leaves_disturbs_nobody(
    engine: ChatterboxEngine, kind: str, alone: dict[tuple[str, str], Heard], after: int, leaver: int
) -> None:
    listener = Listener(engine)
    slots = {listener.join(said): said for said in SHORT}
    listener.step(after)
    left = list(slots)[leaver]
    listener.session.interrupt(left)
    listener.step()
    listener.session.leave(left)
    del slots[left]
    listener.finish()
    assert all_same(listener, slots, alone, kind)
    assert not listener.heard[left].is_done or after == 60


def test_who_fails_disturbs_nobody(
    engine: ChatterboxEngine, kind: str, alone: dict[tuple[str, str], Heard]
) -> None:
    listener = Listener(engine)
    slots = {listener.join(said): said for said in SHORT[:2]}
    listener.step(4)
    failing = listener.join(utterance("x" * 3000, seed=1, language="en"))
    slots[listener.join(SHORT[2])] = SHORT[2]
    listener.finish()
    assert listener.heard[failing].error is not None
    assert all_same(listener, slots, alone, kind)


def test_nothing_to_say_is_done_at_once(engine: ChatterboxEngine) -> None:
    for text in ("", "   ", "…", "?!"):
        heard = hear_alone(engine, utterance(text))
        assert heard.is_done
        assert not heard.chunks


def test_two_voices_at_once_never_mix(engine: ChatterboxEngine) -> None:
    """Upstream keeps the voice on the model: of two requests at once one had the other's."""
    voices = [reference(frequency) for frequency in (110, 220)]
    said = [utterance("Who am I?", seed=3, voice=voice.sha256, reference=voice) for voice in voices]
    apart = [hear_alone(engine, one) for one in said]
    assert not np.array_equal(apart[0].samples[:20_000], apart[1].samples[:20_000])
    together = Listener(engine).hear(*said, *said)
    for heard, expected in zip(together, apart * 2, strict=True):
        assert same(heard, expected)


def test_a_voice_is_worked_out_once(engine: ChatterboxEngine) -> None:
    voice, stages = reference(150), engine._model.stages
    before = (stages.voices_made, stages.voices_found)
    said = [utterance("Yes.", seed=seed, voice=voice.sha256, reference=voice) for seed in range(3)]
    Listener(engine).hear(*said)
    assert (stages.voices_made - before[0], stages.voices_found - before[1]) == (1, 2)
