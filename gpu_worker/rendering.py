"""A job's events become one even run of samples, and the marks that say what they speak."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from gpu_worker.audio import Joiner, Samples, Stretcher
from gpu_worker.engines.base import Word
from gpu_worker.jobs import Audio, Event, PieceSpoken, Spoken
from gpu_worker.protocol import Mark
from gpu_worker.text import Piece
from gpu_worker.word_spans import WordStops


@dataclass(slots=True)
class Rendered:
    """Samples at the engine's rate, and the marks that are due once they were sent."""

    samples: list[Samples] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    is_last: bool = False

    def slices(self, longest: int) -> Iterator[Rendered]:
        """The same in parts of so many samples at most, and at least one; marks come with the last."""
        held: list[Samples] = []
        room = longest
        for samples in self.samples:
            while len(samples) > room:
                held.append(samples[:room])
                yield Rendered(held)
                samples, held, room = samples[room:], [], longest
            held.append(samples)
            room -= len(samples)
        yield Rendered(held, self.marks, self.is_last)


class Renderer:
    """Stretches what the engine speaks too slowly or too fast, joins pieces, adds silences.

    `speed` is the pace that was asked for, `engine_speed` what the engine was told. With `word_stops`, those
    of each piece, words get marks of their own. Any thread may call it, one at a time.
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        speed: float,
        engine_speed: float,
        word_stops: Sequence[WordStops] | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.has_speech = False
        self._stretch = speed / engine_speed
        self._joiner = Joiner(sample_rate, speed=speed)
        self._stretcher: Stretcher | None = None
        self._piece: Piece | None = None
        self._word_stops = iter(word_stops) if word_stops is not None else None
        self._stops_of_piece: WordStops = {}
        self._words: deque[Word] = deque()
        self._marked_to = 0
        self._began_at = 0

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
        for event in _merged(events):
            if isinstance(event, Audio):
                self._begin(event.piece, rendered)
                self._speak(event, rendered)
            elif isinstance(event, PieceSpoken):
                self._begin(event.piece, rendered)
                self._end(event.piece, rendered)
            elif isinstance(event, Spoken):
                rendered.samples.append(self._joiner.finish())
                rendered.is_last = True
        rendered.samples = [samples for samples in rendered.samples if len(samples)]
        return rendered

    def _begin(self, piece: Piece, rendered: Rendered) -> None:
        if self._piece is piece:
            return
        self._piece = piece
        if self.stretches:
            self._stretcher = Stretcher(self.sample_rate, self._stretch)
        if self._word_stops is not None:
            self._stops_of_piece = next(self._word_stops)
        if piece.silence_before_ms:
            rendered.samples.append(self._joiner.silence(piece.silence_before_ms))
        self._began_at = self._joiner.samples_out

    def _speak(self, audio: Audio, rendered: Rendered) -> None:
        self.has_speech = True
        samples = self._stretcher.feed(audio.samples) if self._stretcher else audio.samples
        rendered.samples.append(self._joiner.feed(samples))
        if self._word_stops is not None:
            self._words.extend(audio.words)
            self._mark_words(rendered, is_over=False)

    def _end(self, piece: Piece, rendered: Rendered) -> None:
        if self._stretcher:
            rendered.samples.append(self._joiner.feed(self._stretcher.finish()))
            self._stretcher = None
        rendered.samples.append(self._joiner.end_piece(piece.ending))
        self._mark_words(rendered, is_over=True)
        if piece.silence_after_ms:
            rendered.samples.append(self._joiner.silence(piece.silence_after_ms))
        rendered.marks.append(Mark(self.audio_ms, self._marked_to, piece.stop))
        self._marked_to = piece.stop

    def _mark_words(self, rendered: Rendered, *, is_over: bool) -> None:
        """Marks the words whose audio is out."""
        while self._words:
            word = self._words[0]
            end = self._joiner.locate(round(word.end_sample / self._stretch))
            # Before the joiner has placed any sound of this piece it tells of the one before.
            if not is_over and not self._began_at < end <= self._joiner.samples_out:
                break
            self._words.popleft()
            source_to = self._stops_of_piece.get(word.stop, self._marked_to)
            if source_to > self._marked_to:
                rendered.marks.append(Mark(self._ms(end), self._marked_to, source_to))
                self._marked_to = source_to

    def _ms(self, samples: int) -> int:
        return samples * 1000 // self.sample_rate


def _merged(events: Iterable[Event]) -> Iterator[Event]:
    """The same with chunks of one piece that follow each other as one: many small ones cost the most."""
    run: list[Audio] = []
    for event in events:
        if isinstance(event, Audio) and (not run or event.piece is run[0].piece):
            run.append(event)
            continue
        if run:
            yield _one(run)
            run = []
        if isinstance(event, Audio):
            run = [event]
        else:
            yield event
    if run:
        yield _one(run)


def _one(run: list[Audio]) -> Audio:
    if len(run) == 1:
        return run[0]
    samples = np.concatenate([audio.samples for audio in run])
    return Audio(run[0].piece, samples, tuple(word for audio in run for word in audio.words))
