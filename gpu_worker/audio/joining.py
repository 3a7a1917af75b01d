"""Pieces become one even stream: pauses of natural length between them, no clicks, one loudness."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from gpu_worker.audio.leveling import Leveler
from gpu_worker.audio.pcm import EMPTY, Samples
from gpu_worker.audio.trimming import Run, SilenceFinder

Ending = Literal["word", "clause", "sentence", "paragraph"]

# From the last sound of a piece to the first of the next, at speed 1.
PAUSE_MS: Final[dict[Ending, int]] = {"word": 60, "clause": 180, "sentence": 350, "paragraph": 650}
_LEAD_MS: Final = 45
_TAIL_MS: Final = 60
_FADE_MS: Final = 5


@dataclass(frozen=True, slots=True)
class _Joint:
    """The end of a piece: the engine's silence that was not used after it, and the pause still due."""

    silence: Samples
    due: int
    in_sound: bool


class Joiner:
    """Feed the chunks of a piece, end the piece, go on with the next; each call gives what can be sent.

    An engine's own silence at the edges of a piece is cut to a natural size, and so is a longer one within
    it. A piece that ends in full sound, followed by one that begins at once, runs on without a pause. About
    10 ms of sound are held back, and silence until it is known how much of it stays.
    """

    def __init__(self, sample_rate: int, *, speed: float = 1.0) -> None:
        self._sample_rate = sample_rate
        self._speed = min(max(speed, 0.5), 2.0)
        self._fade_in = np.linspace(0, 1, self._samples(_FADE_MS) + 1, dtype=np.float32)[1:]
        self._leveler = Leveler(sample_rate)
        self._finder = SilenceFinder(sample_rate)
        self._has_sound = False
        self._silence: list[Samples] = []
        self._edge = EMPTY
        self._joint: _Joint | None = None
        self._out = 0
        self._sounds = _Places()

    @property
    def samples_out(self) -> int:
        """Samples given out so far."""
        return self._out

    def feed(self, chunk: Samples) -> Samples:
        """A chunk of the piece that is being spoken."""
        if not len(chunk):
            return EMPTY
        parts = [self._edge, *self._place(self._finder.feed(self._leveler.feed(chunk), chunk))]
        placed = np.concatenate(parts)
        # Kept so that it can fade out, should the piece end here.
        kept = 0 if self._silence else min(len(placed), len(self._fade_in))
        self._edge = placed[len(placed) - kept :]
        return self._give(placed[: len(placed) - kept])

    def end_piece(self, ending: Ending) -> Samples:
        """Ends the piece; `ending` is the natural pause before the next one, if any comes."""
        sound = np.concatenate([self._edge, *self._place(self._finder.finish())])
        silence = np.concatenate([EMPTY, *self._silence])
        if self._has_sound:
            pause = self._pause(ending)
            tail = silence[: min(self._samples(_TAIL_MS), pause)]
            in_sound = not len(silence) and self._finder.is_full_sound(sound[-len(self._fade_in) :])
            self._joint = _Joint(silence[len(tail) :], pause - len(tail), in_sound)
        else:
            tail = silence[: self._samples(_LEAD_MS)]
        placed = self._faded_out(np.concatenate([sound, tail]))
        self._leveler.end_piece()
        self._finder = SilenceFinder(self._sample_rate)
        self._has_sound, self._silence, self._edge = False, [], EMPTY
        self._sounds.close(self._out + len(placed))
        return self._give(placed)

    def silence(self, milliseconds: int) -> Samples:
        """An explicit silence before, between or after pieces; it takes the place of a natural pause."""
        if milliseconds <= 0:
            return EMPTY
        self._joint = None
        return self._give(np.zeros(round(milliseconds * self._sample_rate / 1000), np.float32))

    def finish(self) -> Samples:
        """What was held back of a piece that was not ended; nothing can be fed after it."""
        if not self._has_sound and not self._silence:
            return EMPTY
        return self.end_piece("sentence")

    def locate(self, sample: int) -> int:
        """Where a sample of the piece that is spoken, or was last, lies in the output.

        `sample` counts what was fed of that piece. One that was cut away lies where the cut is; of one whose
        place is not settled yet, the answer is the place so far.
        """
        return self._sounds.locate(sample)

    def _place(self, runs: list[Run]) -> list[Samples]:
        """Sounds with what is to stand before them; silences wait for the next sound."""
        parts: list[Samples] = []
        position = self._out + len(self._edge)
        for run in runs:
            if run.silent:
                self._silence.append(run.samples)
                continue
            before = self._before(np.concatenate([EMPTY, *self._silence]))
            sound = run.samples
            if not self._has_sound and not self._silence:
                sound = self._faded_in(sound)
            if not self._has_sound:
                self._sounds = _Places()
            self._sounds.add(run.start, position + len(before))
            position += len(before) + len(sound)
            parts += [before, sound]
            self._has_sound, self._silence = True, []
        return parts

    def _before(self, silence: Samples) -> Samples:
        """What stays of the silence before a sound, with the natural pause where a piece begins."""
        if self._has_sound:
            longest = self._pause("sentence")
            return silence if len(silence) <= longest else self._bridge(silence, silence, longest)
        joint, self._joint = self._joint, None
        if joint is None:
            return self._faded_in(silence[max(0, len(silence) - self._samples(_LEAD_MS)) :])
        if joint.in_sound and not len(silence):
            return EMPTY
        return self._bridge(joint.silence, silence, joint.due)

    def _bridge(self, first: Samples, second: Samples, length: int) -> Samples:
        """`length` samples that begin as `first` does and end as `second` does."""
        left = first[: length // 2]
        right = second[max(0, len(second) - (length - len(left))) :]
        middle = np.zeros(length - len(left) - len(right), np.float32)
        return np.concatenate([self._faded_out(left), middle, self._faded_in(right)])

    def _faded_in(self, samples: Samples) -> Samples:
        count = min(len(samples), len(self._fade_in))
        return np.concatenate([samples[:count] * self._fade_in[:count], samples[count:]])

    def _faded_out(self, samples: Samples) -> Samples:
        return self._faded_in(samples[::-1])[::-1]

    def _pause(self, ending: Ending) -> int:
        return self._samples(PAUSE_MS[ending] / self._speed)

    def _samples(self, milliseconds: float) -> int:
        return round(milliseconds * self._sample_rate / 1000)

    def _give(self, samples: Samples) -> Samples:
        self._out += len(samples)
        return samples


class _Places:
    """Where the sounds of a piece were put."""

    def __init__(self) -> None:
        self._taken_from: list[int] = []
        self._put_at: list[int] = []
        self._end: int | None = None

    def add(self, taken_from: int, put_at: int) -> None:
        self._taken_from.append(taken_from)
        self._put_at.append(put_at)

    def close(self, end: int) -> None:
        self._end = end

    def locate(self, sample: int) -> int:
        if not self._put_at:
            return self._end or 0
        index = max(0, bisect_right(self._taken_from, sample) - 1)
        place = self._put_at[index] + max(0, sample - self._taken_from[index])
        limit = self._put_at[index + 1] if index + 1 < len(self._put_at) else self._end
        return place if limit is None else min(place, limit)
