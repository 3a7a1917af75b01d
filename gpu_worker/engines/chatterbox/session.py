"""The running batch as the worker sees it: tokens for all, and between them audio for one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeVar

import numpy as np
import torch

from gpu_worker.audio import Samples
from gpu_worker.engines.base import Chunk, DevicePoisonedError, Done, Failed, Outcome, Utterance
from gpu_worker.engines.chatterbox.conditionals import Voice
from gpu_worker.engines.chatterbox.flow import LOOKAHEAD_TOKENS, FlowNoise, Interrupted
from gpu_worker.engines.chatterbox.marking import Marking
from gpu_worker.engines.chatterbox.model import Model
from gpu_worker.engines.chatterbox.tokens import Row, TokenBatch
from gpu_worker.engines.chatterbox.vocoder import Voicing

# What a listener hears first, and next; the rest of the piece is one more chunk.
CHUNK_TOKENS: Final = (25, 75)
# What is heard again of what was said before a chunk, and of the voice's recording for all but the first.
CONTEXT_TOKENS: Final = 25
LATER_PROMPT_TOKENS: Final = 125
# After audio was made for one, all others get so many tokens before it is another's turn.
STEPS_BETWEEN: Final = 4
SILENCE_TOKEN: Final = 4299

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Speech:
    """An utterance in its slot. `row` is None until it has joined; `voiced` tokens have become audio."""

    slot: int
    utterance: Utterance
    voice: Voice
    noise: FlowNoise
    voicing: Voicing
    marking: Marking
    row: Row | None = None
    voiced: int = 0
    chunks: int = 0
    is_wanted: bool = True


class ChatterboxSession:
    """See Session."""

    def __init__(self, model: Model, capacity: int) -> None:
        self.capacity = capacity
        self._model = model
        self._batch = TokenBatch(model.t3, capacity)
        self._slots = count()
        self._joining: deque[_Speech] = deque()
        self._speeches: dict[int, _Speech] = {}
        self._steps_since_audio = 0

    def join(self, utterance: Utterance) -> int:
        """See Session. The first utterance of a voice waits until its recording is worked out."""
        model, seed = self._model, utterance.seed
        speech = _Speech(
            next(self._slots),
            utterance,
            self._guarded(lambda: model.voice(utterance)),
            FlowNoise(seed, model.device),
            Voicing(model.vocoder, model.fade, seed),
            Marking(model.watermarker, model.sample_rate),
        )
        self._speeches[speech.slot] = speech
        self._joining.append(speech)
        return speech.slot

    def step(self) -> list[tuple[int, Outcome]]:
        """See Session: one prompt read, one token for everybody, one stretch of audio for one of them."""
        outcomes: list[tuple[int, Outcome]] = []
        if self._joining:
            outcomes += self._alone(self._joining.popleft(), self._begin)
        if len(self._batch):
            self._model.stages.tokens += len(self._batch)
            self._model.stages.time("tokens", self._guarded, self._batch.step)
        self._steps_since_audio += 1
        due = self._next_due()
        if due is not None and (self._steps_since_audio > STEPS_BETWEEN or not len(self._batch)):
            outcomes += self._alone(due, self._voice)
            self._steps_since_audio = 0
        return outcomes

    def leave(self, slot: int) -> None:
        """See Session."""
        speech = self._speeches.pop(slot, None)
        if speech is None:
            return
        if speech in self._joining:
            self._joining.remove(speech)
        if speech.row is not None:
            self._batch.leave(speech.row)

    def interrupt(self, slot: int) -> None:
        """See Session."""
        speech = self._speeches.get(slot)
        if speech is not None:
            speech.is_wanted = False

    def close(self) -> None:
        """See Session."""
        for slot in list(self._speeches):
            self.leave(slot)

    def _begin(self, speech: _Speech) -> list[Outcome]:
        order = self._model.order(speech.utterance, speech.voice)
        if order is None:
            self.leave(speech.slot)
            return [Done()]
        speech.row = self._model.stages.time("prompt", self._batch.join, order)
        return []

    def _next_due(self) -> _Speech | None:
        """Whoever has said nothing yet comes first, then whoever came first."""
        due = [speech for speech in self._speeches.values() if self._is_due(speech)]
        return min(due, key=lambda speech: (speech.chunks > 0, speech.slot), default=None)

    def _is_due(self, speech: _Speech) -> bool:
        row = speech.row
        return row is not None and (row.is_done or self._cut(speech, row) is not None)

    def _cut(self, speech: _Speech, row: Row) -> int | None:
        """The token that the next chunk ends before; None where that is the rest of the piece."""
        said = speech.utterance
        if not said.goes_out_early or speech.chunks >= len(CHUNK_TOKENS):
            return None
        cut = speech.voiced + CHUNK_TOKENS[speech.chunks] + LOOKAHEAD_TOKENS
        if len(row.tokens) < cut:
            return None
        # Chunks cost more altogether: with many at work all of them would come later for it. But what is to
        # be the same again is cut in the same places whatever else there is.
        is_worth_it = not row.is_done and 2 * len(self._batch) <= max(2, self.capacity)
        return cut if said.is_repeatable or is_worth_it else None

    def _voice(self, speech: _Speech) -> list[Outcome]:
        row = speech.row
        assert row is not None  # noqa: S101 - it is due
        cut = self._cut(speech, row)
        samples = self._samples(speech, row, cut) if row.tokens else np.empty(0, np.float32)
        outcomes: list[Outcome] = [Chunk(samples)] if len(samples) else []
        if cut is None:
            self.leave(speech.slot)
            outcomes.append(Done())
        return outcomes

    def _samples(self, speech: _Speech, row: Row, cut: int | None) -> Samples:
        stages, silence = self._model.stages, self._model.kind.silence_tokens
        context = min(CONTEXT_TOKENS, speech.voiced)
        is_last = cut is None
        stop = len(row.tokens) if cut is None else cut
        tokens = row.tokens[speech.voiced - context : stop]
        mel = stages.time(
            "flow",
            self._model.flow.mel,
            tokens + [SILENCE_TOKEN] * (silence if is_last else 0),
            speech.voice,
            speech.noise,
            context=context,
            before=speech.voiced - context,
            is_last=is_last,
            prompt_tokens=LATER_PROMPT_TOKENS if speech.chunks else None,
            is_wanted=lambda: speech.is_wanted,
        )
        samples = stages.time("vocoder", speech.voicing.feed, mel, is_last=is_last).cpu().numpy()
        speech.voiced = stop if is_last else stop - LOOKAHEAD_TOKENS
        speech.chunks += 1
        return stages.time("watermark", speech.marking.mark, samples)

    def _alone(self, speech: _Speech, work: Callable[[_Speech], list[Outcome]]) -> list[tuple[int, Outcome]]:
        """What goes wrong is this utterance's alone, unless the device is gone."""
        try:
            return [(speech.slot, outcome) for outcome in self._guarded(lambda: work(speech))]
        except DevicePoisonedError:
            raise
        except Interrupted:
            return []
        except Exception as error:  # noqa: BLE001 - nothing of it outlasts the utterance
            self.leave(speech.slot)
            return [(speech.slot, Failed(error))]

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            with torch.inference_mode():
                return work()
        except RuntimeError as error:
            if is_of_the_device(error):
                raise DevicePoisonedError(str(error).partition("\n")[0]) from error
            raise


def is_of_the_device(error: RuntimeError) -> bool:
    """Whether CUDA answers nothing any more in this process, as after an assert; no lack of memory is that.

    torch names such errors from 2.8 on.
    """
    named = getattr(torch, "AcceleratorError", None)
    return (named is not None and isinstance(error, named)) or str(error).startswith("CUDA error")
