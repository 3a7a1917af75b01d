"""What is spoken cut into pieces that an engine holds: sentences, or clauses where one is too long."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gpu_worker.text.cutting import SHORT_SECONDS, Cutter, Ending
from gpu_worker.text.rewriting import Spoken
from gpu_worker.text.sentences import primary_tag, sentence_ends
from gpu_worker.text.squeezing import LINE_END, PARAGRAPH_END, Squeezed, spaced, squeeze
from gpu_worker.text.tags import KNOWN_TAGS, MAX_PAUSE_MS, Pause
from gpu_worker.text.timing import Clock

MAX_PIECE_CHARACTERS: Final = 280
MAX_PIECE_SECONDS: Final = 25.0
FIRST_PIECE_CHARACTERS: Final = 100
MIN_PIECE_CHARACTERS: Final = 20

_CHARACTERS_A_SECOND: Final = 15.0
_FIRST_CLAUSE_SECONDS: Final = 2.7
_SENTENCE_CLOSED: Final = tuple('.!?…。！？।؟۔"”’»)]」』）')
_CLAUSE_CLOSED: Final = tuple(",;:—–，；：、،؛")
_SPEAKABLE: Final = re.compile(r"[^\W_]")
_KEPT_TAG: Final = re.compile(rf"\[(?:{'|'.join(KNOWN_TAGS)})\]")
_PARAGRAPH_END: Final = re.compile(PARAGRAPH_END)


@dataclass(frozen=True, slots=True)
class Piece:
    """What an engine speaks at once, and the span of the caller's text that it stands for.

    `text` is one line with something to say in it. `ending` tells how natural a pause after it is. The
    silences are those that the caller asked for, in milliseconds.
    """

    text: str
    start: int
    stop: int
    ending: Ending = "sentence"
    silence_before_ms: int = 0
    silence_after_ms: int = 0


@dataclass(frozen=True, slots=True)
class _Unit:
    """text[start:stop] of the squeezed text."""

    start: int
    stop: int
    ending: Ending


@dataclass(frozen=True, slots=True)
class _Block:
    """What nothing is joined across: a paragraph, or less of one where silence is asked for."""

    start: int
    stop: int
    ends_paragraph: bool
    silence_after_ms: int


def split(
    spoken: Spoken,
    source_characters: int,
    *,
    pauses: Sequence[Pause] = (),
    language: str = "en",
    max_characters: int = MAX_PIECE_CHARACTERS,
    first_characters: int = FIRST_PIECE_CHARACTERS,
) -> list[Piece]:
    """The pieces of what is spoken, none where there is nothing to say.

    Each has at most `max_characters`, at least 20, and takes no more than about 25 s. The spans follow each
    other without a gap from 0 to `source_characters`. A first piece much longer than `first_characters` is
    cut at its first clause, so that audio begins early.
    """
    splitter = _Splitter(spoken, language, max(max_characters, MIN_PIECE_CHARACTERS), first_characters)
    return splitter.pieces(pauses, source_characters)


class _Splitter:
    def __init__(self, spoken: Spoken, language: str, max_characters: int, first_characters: int) -> None:
        self._spoken = spoken
        self._language = primary_tag(language)
        self._squeezed: Squeezed = squeeze(spoken.text)
        self._text = self._squeezed.text
        self._clock = Clock(self._text)
        self._cutter = Cutter(self._text, self._clock, self._is_whole, max_characters, MAX_PIECE_SECONDS)
        self._first_seconds = first_characters / _CHARACTERS_A_SECOND

    def pieces(self, pauses: Sequence[Pause], source_characters: int) -> list[Piece]:
        if not _has_words(self._text):
            return []
        found: list[tuple[_Unit, int]] = []
        silence_before_ms = 0
        for block in self._blocks(pauses):
            units = self._units(block)
            if units and not found:
                units = self._with_small_first(units)
            found += ((unit, 0) for unit in units)
            if found:
                unit, silence_ms = found[-1]
                found[-1] = unit, min(silence_ms + block.silence_after_ms, MAX_PAUSE_MS)
            else:
                silence_before_ms = min(silence_before_ms + block.silence_after_ms, MAX_PAUSE_MS)
        starts = [0, *(self._source_of(unit.start) for unit, _ in found[1:]), source_characters]
        return [
            Piece(
                text=spaced(self._text[unit.start : unit.stop]).strip(),
                start=starts[number],
                stop=starts[number + 1],
                ending=unit.ending,
                silence_before_ms=0 if number else silence_before_ms,
                silence_after_ms=silence_ms,
            )
            for number, (unit, silence_ms) in enumerate(found)
        ]

    def _blocks(self, pauses: Sequence[Pause]) -> Iterator[_Block]:
        silences = ((self._index_of(pause), pause.duration_ms) for pause in pauses)
        paragraphs = ((match.end(), 0) for match in _PARAGRAPH_END.finditer(self._text))
        start = 0
        for stop, silence_ms in sorted([*silences, *paragraphs, (len(self._text), 0)]):
            ends_paragraph = stop == len(self._text) or self._text[stop - 1 : stop] == PARAGRAPH_END
            yield _Block(start, stop, ends_paragraph, silence_ms)
            start = stop

    def _index_of(self, pause: Pause) -> int:
        """Where in the squeezed text a pause falls."""
        stretches = self._spoken.stretches
        number = bisect_left(stretches, pause.start, key=lambda stretch: stretch.source_from)
        if number == len(stretches):
            return len(self._text)
        return self._squeezed.index_of(stretches[number].spoken_from)

    def _units(self, block: _Block) -> list[_Unit]:
        """What a block is spoken in; nothing where it has no sound."""
        sentences = self._merged(self._sentences(block))
        units = [unit for sentence in sentences for unit in self._parts(sentence) if self._has_sound(unit)]
        if not units:
            return []
        last = units[-1]
        closing = self._text[last.start : block.stop].rstrip()
        return [*units[:-1], replace(last, ending="paragraph" if block.ends_paragraph else _ending(closing))]

    def _sentences(self, block: _Block) -> list[_Unit]:
        """The sentences of a block; what has no sound belongs to a neighbour."""
        sentences: list[_Unit] = []
        begun = start = block.start
        while start < block.stop:
            line_stop = self._text.find(LINE_END, start, block.stop) + 1 or block.stop
            for end in self._ends_in_line(start, line_stop):
                if end < block.stop and self._is_whole(end):
                    continue
                unit = _Unit(begun, end, "sentence")
                if self._has_sound(unit):
                    sentences.append(unit)
                elif sentences:
                    sentences[-1] = replace(sentences[-1], stop=end)
                else:
                    continue
                begun = end
            start = line_stop
        return sentences

    def _ends_in_line(self, start: int, stop: int) -> list[int]:
        if self._clock.seconds(start, stop) < SHORT_SECONDS:
            return [stop]
        return [start + end for end in sentence_ends(self._text[start:stop], self._language)]

    def _merged(self, sentences: list[_Unit]) -> list[_Unit]:
        """Short sentences joined with the next, a last one with the one before."""
        merged: list[_Unit] = []
        for sentence in sentences:
            if merged and self._is_short(merged[-1]):
                merged[-1] = replace(merged[-1], stop=sentence.stop)
            else:
                merged.append(sentence)
        if len(merged) > 1 and self._is_short(merged[-1]):
            last = merged.pop()
            merged[-1] = replace(merged[-1], stop=last.stop)
        return merged

    def _parts(self, sentence: _Unit) -> Iterator[_Unit]:
        start = sentence.start
        for stop, ending in self._cutter.cuts(sentence.start, sentence.stop):
            yield _Unit(start, stop, ending)
            start = stop
        yield replace(sentence, start=start)

    def _with_small_first(self, units: list[_Unit]) -> list[_Unit]:
        first, *others = units
        if self._clock.seconds(first.start, first.stop) <= self._first_seconds:
            return units
        stop = self._cutter.first_clause(first.start, first.stop, _FIRST_CLAUSE_SECONDS)
        if stop is None:
            return units
        parts = [_Unit(first.start, stop, "clause"), replace(first, start=stop)]
        return [*parts, *others] if all(map(self._has_sound, parts)) else units

    def _is_short(self, unit: _Unit) -> bool:
        return self._clock.seconds(unit.start, unit.stop) < SHORT_SECONDS

    def _has_sound(self, unit: _Unit) -> bool:
        return _SPEAKABLE.search(self._text, unit.start, unit.stop) is not None

    def _is_whole(self, index: int) -> bool:
        """Whether the characters on both sides of `index` come from one rewrite."""
        origins = self._squeezed.origins
        stretch = self._spoken.stretch_at(origins[index])
        return not stretch.verbatim and stretch.spoken_from <= origins[index - 1]

    def _source_of(self, index: int) -> int:
        """Where in the caller's text the squeezed text from `index` on begins.

        A rewrite that is cut belongs to the piece that ends it: before that not all of it is spoken.
        """
        origin = self._squeezed.origins[index]
        stretch = self._spoken.stretch_at(origin)
        if stretch.verbatim:
            return stretch.source_from + origin - stretch.spoken_from
        return stretch.source_from


def _has_words(text: str) -> bool:
    """Whether there is anything to say beside tags."""
    return _SPEAKABLE.search(_KEPT_TAG.sub("", text) if "[" in text else text) is not None


def _ending(closing: str) -> Ending:
    """How what is followed by silence ends, by its last character."""
    if closing.endswith(_SENTENCE_CLOSED):
        return "sentence"
    return "clause" if closing.endswith(_CLAUSE_CLOSED) else "word"
