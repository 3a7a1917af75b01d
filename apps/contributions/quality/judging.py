"""Figures and gates to verdicts, in words that help a contributor to do better next time."""

from __future__ import annotations

from collections.abc import Iterator

from apps.contributions.quality.gates import Gates, Verdict
from apps.contributions.quality.measuring import Figures
from apps.contributions.quality.refusals import WORDS
from apps.contributions.quality.report import Measure

_ACCEPT, _REVIEW, _REJECT = Verdict


def judge(figures: Figures, gates: Gates) -> tuple[Measure, ...]:
    """Every measure with its verdict. Pure and quick: for all clips again when a campaign's gates change."""
    if figures.refusal is not None:
        words = WORDS.get(figures.refusal, WORDS["not_audio"])
        return (Measure("decoding", None, "", _REJECT, words),)
    return tuple(_measures(figures, gates))


def _measures(figures: Figures, gates: Gates) -> Iterator[Measure]:
    yield Measure("decoding", 1.0, "", _ACCEPT, "The recording could be read.")
    yield _duration(figures, gates)
    yield _missing(figures, gates)
    yield _clipping(figures, gates)
    yield _loudness(figures, gates)
    yield _speech(figures, gates)
    if figures.speech_seconds:
        yield _edge("lead_silence", figures.lead_seconds, gates, "start", "before you speak")
        yield _edge("tail_silence", figures.tail_seconds, gates, "end", "after the last word")
    yield from _opinions(figures, gates)
    if figures.background_mos is not None:
        yield _transcript(figures, gates)


def _over(value: float, review: float, reject: float) -> Verdict:
    return _REJECT if value > reject else _REVIEW if value > review else _ACCEPT


def _under(value: float, review: float, reject: float) -> Verdict:
    return _REJECT if value < reject else _REVIEW if value < review else _ACCEPT


def _duration(figures: Figures, gates: Gates) -> Measure:
    seconds = figures.seconds or 0.0
    verdict = _over(seconds, gates.review_over_seconds, gates.reject_over_seconds)
    words = "The length is good."
    if verdict is not _ACCEPT:
        words = f"The recording is long ({seconds:.0f} s): read only the sentence shown, then stop."
    return Measure("duration", seconds, "s", verdict, words)


def _missing(figures: Figures, gates: Gates) -> Measure:
    """What the client recorded and the file does not hold; a file may be longer, by encoders' padding."""
    if figures.stated_seconds is None:
        return Measure(
            "missing", None, "s", _ACCEPT, "Not compared: the app did not say how long it recorded."
        )
    missing = figures.stated_seconds - (figures.seconds or 0.0)
    verdict = _over(missing, gates.review_missing_seconds, gates.reject_missing_seconds)
    words = "The recording has arrived whole."
    if verdict is not _ACCEPT:
        words = f"{missing:.1f} s of the recording did not arrive: please send it again."
    return Measure("missing", missing, "s", verdict, words)


def _clipping(figures: Figures, gates: Gates) -> Measure:
    share = figures.clipped_share or 0.0
    verdict = _over(share, gates.review_clipped_share, gates.reject_clipped_share)
    words = {
        _ACCEPT: "Nothing is distorted.",
        _REVIEW: "Some of it may be distorted: move a little away from the microphone.",
        _REJECT: "The sound is distorted: move away from the microphone or turn its level down.",
    }
    return Measure("clipping", share, "share", verdict, words[verdict])


def _loudness(figures: Figures, gates: Gates) -> Measure:
    level = figures.loudness_lufs or 0.0
    if level > gates.review_over_lufs:
        words = "Very loud: move away from the microphone or turn its level down."
        return Measure("loudness", level, "LUFS", _REVIEW, words)
    verdict = _under(level, gates.review_under_lufs, gates.reject_under_lufs)
    words_by_verdict = {
        _ACCEPT: "The loudness is good.",
        _REVIEW: "A little quiet: move closer to the microphone.",
        _REJECT: "Much too quiet: move closer to the microphone and check that it is the right one.",
    }
    return Measure("loudness", level, "LUFS", verdict, words_by_verdict[verdict])


def _speech(figures: Figures, gates: Gates) -> Measure:
    seconds = figures.speech_seconds or 0.0
    if seconds < gates.reject_under_speech_seconds:
        words = "No speech was heard: check the microphone, then read the sentence aloud."
        return Measure("speech", seconds, "s", _REJECT, words)
    return Measure("speech", seconds, "s", _ACCEPT, f"{seconds:.1f} s of speech were heard.")


def _edge(name: str, value: float | None, gates: Gates, side: str, when: str) -> Measure:
    seconds = value or 0.0
    if seconds < gates.review_edge_under_seconds:
        words = f"The {side} may be cut off: leave a short pause {when}."
        return Measure(name, seconds, "s", _REVIEW, words)
    if seconds > gates.review_edge_over_seconds:
        words = f"{seconds:.1f} s of silence at the {side}: a short pause is enough."
        return Measure(name, seconds, "s", _REVIEW, words)
    return Measure(name, seconds, "s", _ACCEPT, f"The {side} is whole.")


def _opinions(figures: Figures, gates: Gates) -> Iterator[Measure]:
    if figures.background_mos is not None:
        review, reject = gates.review_under_background_mos, gates.reject_under_background_mos
        verdict = _under(figures.background_mos, review, reject)
        words = {
            _ACCEPT: "The room is quiet.",
            _REVIEW: "There is some noise: close the window, turn off fans, move closer to the microphone.",
            _REJECT: "There is too much noise: find a quieter place and record again.",
        }
        yield Measure("background", figures.background_mos, "MOS", verdict, words[verdict])
    for name, value, gate, good, bad in (
        (
            "voice", figures.signal_mos, gates.review_under_signal_mos, "The voice is clear.",
            "The voice is not clear: speak towards the microphone and uncover it.",
        ),
        (
            "overall", figures.overall_mos, gates.review_under_overall_mos, "It sounds good.",
            "It does not sound as good as it could: a quiet room and a closer microphone help.",
        ),
    ):  # fmt: skip
        if value is not None:
            poor = value < gate
            yield Measure(name, value, "MOS", _REVIEW if poor else _ACCEPT, bad if poor else good)


def _transcript(figures: Figures, gates: Gates) -> Measure:
    rate = figures.word_error_rate
    if rate is None:
        words = "Not checked: what you said is listened to by a person in this language."
        if gates.unchecked_transcript is _ACCEPT:
            words = "Not checked in this language."
        return Measure("transcript", None, "share", gates.unchecked_transcript, words)
    verdict = _over(rate, gates.review_over_word_error_rate, gates.reject_over_word_error_rate)
    by_verdict = {
        _ACCEPT: "You said what was asked.",
        _REVIEW: f"Some words were heard differently: “{figures.transcript}”.",
        _REJECT: f"This was heard: “{figures.transcript}”. Read the sentence exactly as it is shown.",
    }
    return Measure("transcript", rate, "share", verdict, by_verdict[verdict])
