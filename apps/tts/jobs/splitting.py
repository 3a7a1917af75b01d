"""A long text cut into parts that are asked for one by one: runs of the worker's own pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from apps.core.errors import CannotSpeak, InvalidRequest
from gpu_worker.text import Ending, Piece, UnknownTagError, expected_seconds, prepare
from gpu_worker.text.tags import find_tags

PART_CHARACTERS: Final = 2_000
# A part that has come so far ends with its paragraph.
_ENOUGH_CHARACTERS: Final = 1_400
# Both well within what a worker makes in one request, whatever the text is.
_MAX_SECONDS: Final = 600.0
_MAX_SILENCE_MS: Final = 60_000
_SPACE: Final = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Span:
    """text[start:stop], and how what is said there ends: which pause follows.

    `ending` is None where the silence after it was asked for in the text, and is in the audio already.
    """

    start: int
    stop: int
    ending: Ending | None


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring pieces with the time they take."""

    start: int
    stop: int
    ending: Ending | None
    seconds: float
    silence_ms: int

    def joined(self, other: _Run) -> _Run:
        return _Run(
            self.start,
            other.stop,
            other.ending,
            self.seconds + other.seconds,
            self.silence_ms + other.silence_ms,
        )


def refuse_unspeakable(text: str, *, unknown_tags: Any) -> None:
    """What can be known of a text without reading all of it closely.

    Raises `InvalidRequest` for an unknown tag where those are errors, `CannotSpeak` for a text without words.
    """
    try:
        find_tags(text, unknown=unknown_tags, performs=False)
    except UnknownTagError as error:
        raise InvalidRequest(str(error), param="text") from error
    if not any(map(str.isalnum, text)):
        raise _nothing_to_say()


def spans_of(
    text: str,
    *,
    normalize: Any = "auto",
    language: str | None = None,
    unknown_tags: Any = "speak",
    speed: float = 1.0,
    longest: int = PART_CHARACTERS,
) -> list[Span]:
    """Spans from 0 to the end of the text without a gap, none longer than `longest`.

    They end where sentences end, at paragraphs where those come in time; within a sentence only where it is
    longer than `longest` itself. Takes some 4 s for 500,000 characters. Raises as `refuse_unspeakable`.
    """
    try:
        pieces = prepare(text, normalize=normalize, language=language or "en", unknown_tags=unknown_tags)
    except UnknownTagError as error:
        raise InvalidRequest(str(error), param="text") from error
    if not pieces:
        raise _nothing_to_say()
    sentences = _joined_to_sentences(_runs(pieces, speed))
    fitting = (run for sentence in sentences for run in _cut_to(longest, text, sentence))
    return [
        Span(run.start, run.stop, run.ending) for run in _packed(fitting, longest) if run.start < run.stop
    ]


def _runs(pieces: Iterable[Piece], speed: float) -> Iterator[_Run]:
    for piece in pieces:
        silence_ms = piece.silence_before_ms + piece.silence_after_ms
        ending = None if piece.silence_after_ms else piece.ending
        yield _Run(piece.start, piece.stop, ending, expected_seconds(piece.text) / speed, silence_ms)


def _joined_to_sentences(runs: Iterable[_Run]) -> Iterator[list[_Run]]:
    """The pieces of each sentence; one that says no more of the text belongs to the one after it."""
    sentence: list[_Run] = []
    for run in runs:
        if sentence and sentence[-1].start == sentence[-1].stop:
            run = sentence.pop().joined(run)
        sentence.append(run)
        if run.ending not in ("word", "clause") and run.start < run.stop:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _cut_to(longest: int, text: str, sentence: list[_Run]) -> Iterator[_Run]:
    """The sentence whole where it fits, else cut between its pieces; in one where even that does not fit."""
    whole = sentence[0]
    for run in sentence[1:]:
        whole = whole.joined(run)
    if _fits(whole, longest):
        yield whole
        return
    for run in _packed(sentence, longest):
        yield from [run] if run.stop - run.start <= longest else _chopped(longest, text, run)


def _chopped(longest: int, text: str, run: _Run) -> Iterator[_Run]:
    """Where one piece stands for more of the text than a request may hold: at a space, else anywhere."""
    start = run.start
    while run.stop - start > longest:
        space = next(_SPACE.finditer(text, start + longest // 2, start + longest), None)
        stop = space.end() if space else start + longest
        yield _Run(start, stop, "word", _MAX_SECONDS, 0)
        start = stop
    yield _Run(start, run.stop, run.ending, _MAX_SECONDS, run.silence_ms)


def _packed(runs: Iterable[_Run], longest: int) -> Iterator[_Run]:
    """Neighbours joined for as long as they fit, a part that has enough ended with its paragraph."""
    held: _Run | None = None
    for run in runs:
        if held is None:
            held = run
            continue
        longer = held.joined(run)
        has_enough = held.ending == "paragraph" and held.stop - held.start >= _ENOUGH_CHARACTERS
        if has_enough or not _fits(longer, longest):
            yield held
            held = run
        else:
            held = longer
    if held is not None:
        yield held


def _fits(run: _Run, longest: int) -> bool:
    return (
        run.stop - run.start <= longest and run.seconds <= _MAX_SECONDS and run.silence_ms <= _MAX_SILENCE_MS
    )


def _nothing_to_say() -> CannotSpeak:
    return CannotSpeak("There is nothing in this text to speak.", param="text")
