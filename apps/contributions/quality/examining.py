"""One clip, examined: what the ingest's task calls."""

from __future__ import annotations

from collections.abc import Iterable

from apps.contributions.quality import fingerprint, speaker
from apps.contributions.quality.gates import Gates, Verdict
from apps.contributions.quality.judging import judge
from apps.contributions.quality.measuring import Measured, measure
from apps.contributions.quality.report import Measure, Report


def examine(
    data: bytes,
    *,
    prompt: str,
    language: str,
    stated_seconds: float | None = None,
    gates: Gates | None = None,
    others: Iterable[bytes] = (),
    voices: Iterable[bytes] = (),
) -> Report:
    """The report of one uploaded file. Raises what `measure` raises, never for what the file holds.

    `others` are fingerprints that this clip may repeat (found by `fingerprint.index_keys`), `voices` those of
    the same contributor's accepted clips.
    """
    gates = gates or Gates()
    measured = measure(data, prompt=prompt, language=language, stated_seconds=stated_seconds)
    return report_of(measured, gates, others=others, voices=voices)


def report_of(
    measured: Measured, gates: Gates, *, others: Iterable[bytes] = (), voices: Iterable[bytes] = ()
) -> Report:
    """The same for a clip that was measured before."""
    measures = [*judge(measured.figures, gates)]
    if measured.fingerprint is not None:
        measures.append(replay(measured.fingerprint, others, gates))
    if measured.voice is not None:
        measures.append(same_speaker(measured.voice, voices, gates))
    return Report(
        measures=tuple(measures),
        audio=measured.audio,
        fingerprint=measured.fingerprint,
        voice=measured.voice,
        transcript=measured.figures.transcript,
    )


def replay(print_of_clip: bytes, others: Iterable[bytes], gates: Gates) -> Measure:
    """Whether a clip is one of the `others` again. Raises `ValueError` for what is no fingerprint."""
    values = fingerprint.deserialise(print_of_clip)
    rates = [fingerprint.bit_error_rate(values, fingerprint.deserialise(other)) for other in others]
    nearest = min(rates, default=None)
    if nearest is None or nearest >= gates.replay_under_bit_error_rate:
        return Measure("replay", nearest, "share", Verdict.ACCEPT, "This recording is new.")
    words = "This recording was sent before: please record the sentence anew."
    return Measure("replay", nearest, "share", Verdict.REJECT, words)


def same_speaker(voice: bytes, voices: Iterable[bytes], gates: Gates) -> Measure:
    """Whether a clip is of who spoke the other `voices`; not compared where there are too few of them."""
    likeness = speaker.likeness(voice, voices)
    if likeness is None:
        words = "Not compared: there are too few of your recordings yet."
        return Measure("speaker", None, "cosine", Verdict.ACCEPT, words)
    if likeness < gates.review_under_likeness:
        words = "This sounds like someone else than in your other recordings: a person listens to it."
        return Measure("speaker", likeness, "cosine", Verdict.REVIEW, words)
    return Measure("speaker", likeness, "cosine", Verdict.ACCEPT, "This is your voice.")
