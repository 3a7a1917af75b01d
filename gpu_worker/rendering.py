"""A job's events become one even run of samples, and the marks that say what they speak."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from gpu_worker.audio import Joiner, Samples, Stretcher
from gpu_worker.jobs import Audio, Event, PieceSpoken, Spoken
from gpu_worker.protocol import Mark
from gpu_worker.text import Piece


@dataclass(slots=True)
class Rendered:
    """Samples at the engine's rate, and the marks that are due once they were sent."""

    samples: list[Samples] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    is_last: bool = False


class Renderer:
    """Stretches what the engine speaks too slowly or too fast, joins pieces, adds silences.

    `speed` is the pace that was asked for, `engine_speed` what the engine was told. Any thread may call it,
    one at a time.
    """

    def __init__(self, sample_rate: int, *, speed: float, engine_speed: float) -> None:
        self.sample_rate = sample_rate
        self.has_speech = False
        self._stretch = speed / engine_speed
        self._joiner = Joiner(sample_rate, speed=speed)
        self._stretcher: Stretcher | None = None
        self._piece: Piece | None = None
        self._unmarked: deque[Piece] = deque()

    @property
    def audio_ms(self) -> int:
        """How long what was rendered plays."""
        return self._ms(self._joiner.samples_out)

    @property
    def stretches(self) -> bool:
        """Whether it changes the engine's pace."""
        return self._stretch != 1

    def render(self, events: Iterable[Event]) -> Rendered:
        """Takes events in the order in which the job told them."""
        rendered = Rendered()
        for event in events:
            if isinstance(event, Audio):
                self._begin(event.piece, rendered)
                self._speak(event.samples, rendered)
            elif isinstance(event, PieceSpoken):
                self._begin(event.piece, rendered)
                self._end(event.piece, rendered)
            elif isinstance(event, Spoken):
                rendered.samples.append(self._joiner.finish())
                rendered.is_last = True
            self._mark_ends(rendered)
        rendered.samples = [samples for samples in rendered.samples if len(samples)]
        return rendered

    def _begin(self, piece: Piece, rendered: Rendered) -> None:
        if self._piece is piece:
            return
        self._piece = piece
        if self.stretches:
            self._stretcher = Stretcher(self.sample_rate, self._stretch)
        if piece.silence_before_ms:
            rendered.samples.append(self._joiner.silence(piece.silence_before_ms))

    def _speak(self, samples: Samples, rendered: Rendered) -> None:
        self.has_speech = True
        if self._stretcher:
            samples = self._stretcher.feed(samples)
        rendered.samples.append(self._joiner.feed(samples))

    def _end(self, piece: Piece, rendered: Rendered) -> None:
        if self._stretcher:
            rendered.samples.append(self._joiner.feed(self._stretcher.finish()))
            self._stretcher = None
        rendered.samples.append(self._joiner.end_piece(piece.ending))
        self._unmarked.append(piece)
        if piece.silence_after_ms:
            rendered.samples.append(self._joiner.silence(piece.silence_after_ms))

    def _mark_ends(self, rendered: Rendered) -> None:
        for end in self._joiner.take_ends():
            piece = self._unmarked.popleft()
            silence = round(piece.silence_after_ms * self.sample_rate / 1000)
            rendered.marks.append(Mark(self._ms(end + silence), piece.start, piece.stop))

    def _ms(self, samples: int) -> int:
        return samples * 1000 // self.sample_rate
