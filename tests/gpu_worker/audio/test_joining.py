"""Pieces as one even stream."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_worker.audio import Joiner, Samples
from gpu_worker.audio.joining import PAUSE_MS, Ending
from tests.gpu_worker.audio.conftest import Speak

RATE = 24_000
MS = RATE // 1000
PIECES: tuple[tuple[str, Ending], ...] = (
    ("Good morning, everyone.", "sentence"),
    ("Today we talk about the weather", "word"),
    ("in the northern part of the country,", "clause"),
    ("which is known for its storms.", "paragraph"),
    ("No.", "sentence"),
    ("And that is all!", "paragraph"),
)


@pytest.fixture(scope="module")
def pieces(speak: Speak) -> list[Samples]:
    return [speak(text, seed=number) for number, (text, _ending) in enumerate(PIECES)]


def tone(count: int, level: float = 0.3) -> Samples:
    return (level * np.sin(2 * np.pi * 220 * np.arange(count) / RATE)).astype(np.float32)


def with_silence(before_ms: int, samples: Samples, after_ms: int) -> Samples:
    parts = np.zeros(before_ms * MS, np.float32), samples, np.zeros(after_ms * MS, np.float32)
    return np.concatenate(parts)


def join(
    pieces: list[tuple[Samples, Ending]], *, step: int = 10**9, speed: float = 1.0
) -> tuple[Samples, list[int]]:
    joiner, parts, ends = Joiner(RATE, speed=speed), [], []
    for samples, ending in pieces:
        parts += [joiner.feed(samples[at : at + step]) for at in range(0, len(samples), step)]
        parts.append(joiner.end_piece(ending))
        ends.append(joiner.samples_out)
        assert sum(map(len, parts)) == joiner.samples_out
    parts.append(joiner.finish())
    assert sum(map(len, parts)) == joiner.samples_out
    return np.concatenate(parts), ends


def sounds(samples: Samples) -> list[tuple[int, int]]:
    """Beginnings and ends of what is louder than -60 dBFS, to 5 ms, in ms; gaps under 30 ms are none."""
    count = len(samples) // (5 * MS)
    frames = samples[: count * 5 * MS].reshape(count, 5 * MS)
    loud = np.flatnonzero(np.sqrt(np.mean(np.square(frames), axis=1)) > 0.001)
    breaks = np.flatnonzero(np.diff(loud) > 6)
    starts = loud[np.concatenate([[0], breaks + 1])]
    stops = loud[np.concatenate([breaks, [len(loud) - 1]])] + 1
    return [(5 * int(start), 5 * int(stop)) for start, stop in zip(starts, stops, strict=True)]


@pytest.mark.parametrize("speed", [1.0, 2.0])
@pytest.mark.parametrize("ending", ["word", "clause", "sentence", "paragraph"])
def test_pauses_are_as_long_as_the_ending_asks(ending: Ending, speed: float) -> None:
    piece = with_silence(300, tone(6000), 450)
    joined, _ = join([(piece, ending), (piece, "sentence")], speed=speed)
    (_, first_stop), (second_start, _) = sounds(joined)
    assert second_start - first_stop == pytest.approx(PAUSE_MS[ending] / speed, abs=10)


@pytest.mark.parametrize(("before_ms", "after_ms"), [(300, 450), (20, 30), (0, 400), (400, 0)])
def test_pauses_do_not_depend_on_the_engines_own_silence(before_ms: int, after_ms: int) -> None:
    piece = with_silence(before_ms, tone(6000), after_ms)
    joined, _ = join([(piece, "sentence"), (piece, "sentence")])
    (_, first_stop), (second_start, _) = sounds(joined)
    assert second_start - first_stop == pytest.approx(PAUSE_MS["sentence"], abs=10)


def test_speech_begins_soon_and_ends_soon(pieces: list[Samples]) -> None:
    joined, _ = join([(pieces[0], "sentence")])
    found = sounds(joined)
    assert found[0][0] <= 50
    assert len(joined) / MS - found[-1][1] <= 65
    assert np.abs(joined[-2:]).max() < 1e-4


def test_a_piece_alone_is_as_the_engine_made_it(pieces: list[Samples]) -> None:
    joined, ends = join([(pieces[0], "sentence")])
    start = (sounds(pieces[0])[0][0] - sounds(joined)[0][0]) * MS
    inside = slice(10 * MS, len(joined) - 10 * MS)
    assert np.array_equal(joined[inside], pieces[0][start : start + len(joined)][inside])
    assert ends == [len(joined)]


def test_a_long_silence_within_a_piece_is_cut_to_that_between_sentences() -> None:
    piece = np.concatenate([tone(6000), np.zeros(760 * MS, np.float32), tone(6000)])
    joined, _ = join([(piece, "sentence")])
    (_, first_stop), (second_start, _) = sounds(joined)
    assert second_start - first_stop == pytest.approx(PAUSE_MS["sentence"], abs=10)


def test_a_short_silence_within_a_piece_stays() -> None:
    piece = np.concatenate([tone(6000), np.zeros(200 * MS, np.float32), tone(6000)])
    assert len(join([(piece, "sentence")])[0]) == len(piece)


def test_a_tone_runs_on_and_keeps_its_length() -> None:
    joined, ends = join([(tone(12_000), "sentence"), (tone(7_777), "paragraph")], step=2400)
    assert ends == [12_000, 19_777]
    assert len(joined) == 19_777
    assert len(sounds(joined)) == 1
    assert np.abs(np.diff(joined)).max() < 1.05 * np.abs(np.diff(tone(2400))).max()


@pytest.mark.parametrize("level_db", [-70, -56])
def test_noise_in_an_engines_pauses_is_no_sound(level_db: int) -> None:
    noise = np.random.default_rng(5).normal(0, 10 ** (level_db / 20), 20_000).astype(np.float32)
    piece = np.concatenate([noise[:7_000], tone(24_000, 0.5) + noise[0], noise[7_000:]])
    joined, ends = join([(piece, "sentence"), (piece, "sentence")])
    assert ends[0] == pytest.approx((45 + 1000 + 60) * MS, abs=10 * MS)
    gap = joined[ends[0] : ends[0] + 290 * MS]
    assert np.std(gap) < 1.2 * 10 ** (level_db / 20)
    assert len(joined) == pytest.approx(ends[0] + (350 + 1000) * MS, abs=20 * MS)


def test_a_pause_follows_a_piece_that_ends_in_noise() -> None:
    noise = np.random.default_rng(5).normal(0, 10 ** (-32 / 20), 6_000).astype(np.float32)
    piece = np.concatenate([tone(24_000, 0.5), noise])
    joined, ends = join([(piece, "sentence"), (piece, "sentence")])
    assert ends[0] == 30_000
    assert len(joined) == pytest.approx(60_000 + 350 * MS, abs=5 * MS)


def test_no_join_clicks() -> None:
    rng = np.random.default_rng(3)
    pieces = [with_silence(0, tone(5000 + int(rng.integers(0, 999))), 0) for _ in range(6)]
    noisy = [(piece + rng.normal(0, 2e-4, len(piece)).astype(np.float32), "clause") for piece in pieces]
    joined, _ = join(noisy)  # type: ignore[arg-type]
    assert np.abs(np.diff(joined)).max() < 1.15 * np.abs(np.diff(pieces[0])).max()


@pytest.mark.parametrize("step", [101, 2400, 24_000])
def test_chunks_do_not_change_where_things_are(step: int, pieces: list[Samples]) -> None:
    spoken = list(zip(pieces, (ending for _text, ending in PIECES), strict=True))
    joined, ends = join(spoken, step=step)
    whole, whole_ends = join(spoken)
    assert ends == whole_ends
    assert np.corrcoef(joined, whole)[0, 1] > 0.995


def test_little_is_held_back() -> None:
    joiner = Joiner(RATE)
    for fed in range(2400, 24_000, 2400):
        joiner.feed(tone(2400))
        assert fed - joiner.samples_out <= 10 * MS


def test_explicit_silence_takes_the_place_of_the_natural_pause() -> None:
    joiner, piece = Joiner(RATE), with_silence(300, tone(6000), 450)
    parts = [joiner.feed(piece), joiner.end_piece("paragraph"), joiner.silence(1000)]
    assert len(parts[-1]) == 1000 * MS
    parts += [joiner.feed(piece), joiner.end_piece("sentence"), joiner.finish()]
    (_, first_stop), (second_start, _) = sounds(np.concatenate(parts))
    assert 1000 <= second_start - first_stop <= 1120
    assert len(joiner.silence(0)) == 0


def test_pieces_become_as_loud_as_the_first_but_not_by_more_than_3_db() -> None:
    levels = {0.2: 0.3, 0.28: 0.3, 0.02: 0.02 * 10 ** (3 / 20), 0.9: 0.9 * 10 ** (-3 / 20)}
    for level, expected in levels.items():
        joined, ends = join([(tone(48_000), "clause"), (tone(96_000, level), "clause")])
        second = joined[ends[0] + 4_800 : -4_800]
        assert np.sqrt(2) * np.std(second) == pytest.approx(expected, rel=0.12)


def test_nothing_is_clipped_by_being_made_louder() -> None:
    quiet = tone(96_000, 0.2)
    quiet[::480] = 0.95
    joined, ends = join([(tone(48_000), "clause"), (quiet, "clause")], step=4_800)
    assert np.abs(joined).max() < 1
    assert np.abs(joined[ends[0] :]).max() > 0.9


def test_loudness_changes_smoothly() -> None:
    uneven = np.concatenate([tone(24_000, 0.3), tone(72_000, 0.12)])
    joined, _ = join([(tone(48_000), "clause"), (uneven, "clause")], step=2400)
    gains = np.abs(np.diff(joined[80_000:140_000]))
    assert gains.max() < 1.5 * 0.12 * 2 * np.pi * 220 / RATE


def test_sounds_are_found_again_in_the_output() -> None:
    marks = (300 * MS, 900 * MS)
    piece = with_silence(300, tone(6000), 350)
    piece = np.concatenate([piece, tone(6000), np.zeros(2400, np.float32)])
    joiner = Joiner(RATE)
    parts = [joiner.feed(piece), joiner.end_piece("sentence")]
    parts += [joiner.feed(piece[at : at + 2400]) for at in range(0, len(piece), 2400)]
    places = [joiner.locate(mark) for mark in marks]
    parts.append(joiner.end_piece("sentence"))
    found = sounds(np.concatenate(parts))
    assert [place // MS for place in places] == pytest.approx([start for start, _ in found[2:]], abs=6)
    assert joiner.locate(0) == places[0]
    assert joiner.locate(10**9) == joiner.samples_out


def test_a_piece_without_sound_is_but_a_breath() -> None:
    joined, ends = join([(np.zeros(24_000, np.float32), "sentence"), (np.zeros(0, np.float32), "sentence")])
    assert ends == [len(joined)] * 2
    assert 0 < len(joined) <= 50 * MS


def test_a_piece_that_was_not_ended_is_given_out_by_finish(pieces: list[Samples]) -> None:
    joiner = Joiner(RATE)
    parts = [joiner.feed(pieces[0]), joiner.finish()]
    assert len(np.concatenate(parts)) == len(join([(pieces[0], "sentence")])[0])
