"""One clip and what is said about it, good and damaged."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from apps.contributions.quality import Figures, Gates, Report, Verdict, examine, judge
from tests.contributions.quality.clips import Samples, Spoken, decoded, noise, rms_decibels


@pytest.fixture(scope="module")
def clean(spoken: Spoken) -> Report:
    return examine(spoken.file(), prompt=spoken.text, language="en-GB", stated_seconds=spoken.seconds)


def test_a_good_clip_is_accepted(clean: Report, spoken: Spoken) -> None:
    assert clean.verdict is Verdict.ACCEPT, clean.complaints()
    assert clean.measure("duration").value == pytest.approx(spoken.seconds, abs=0.1)
    assert clean.measure("missing").value == pytest.approx(0, abs=0.1)
    assert clean.measure("background").value > 3.2
    assert clean.transcript


def test_what_is_kept_is_48_khz_mono_flac(clean: Report, spoken: Spoken) -> None:
    assert clean.audio is not None
    assert clean.audio.flac.startswith(b"fLaC")
    samples = decoded(clean.audio.flac)
    assert len(samples) == pytest.approx(spoken.seconds * 48_000, rel=0.01)
    assert rms_decibels(samples) == pytest.approx(rms_decibels(spoken.samples), abs=0.5)


def test_the_same_file_is_kept_alike(clean: Report, spoken: Spoken) -> None:
    again = examine(spoken.file(), prompt="", language="xx")
    assert again.audio is not None
    assert clean.audio is not None
    assert again.audio.sha256 == clean.audio.sha256


def _noisy(decibels: float) -> Callable[[Spoken], Samples]:
    def add(spoken: Spoken) -> Samples:
        loud = spoken.samples[np.abs(spoken.samples) > 0.02]
        return spoken.samples + noise(len(spoken.samples), rms_decibels(loud) - decibels)

    return add


def _clipped(spoken: Spoken) -> Samples:
    return (spoken.samples / np.quantile(np.abs(spoken.samples), 0.95)).clip(-1, 1).astype(np.float32)


def _cut(spoken: Spoken) -> Samples:
    return spoken.samples[: int(0.6 * len(spoken.samples))]


def _padded(spoken: Spoken) -> Samples:
    return np.concatenate([noise(2 * spoken.rate, -70), spoken.samples])


DAMAGES: dict[str, tuple[Callable[[Spoken], Samples], str, Verdict]] = {
    "20 dB of noise": (_noisy(20), "background", Verdict.REVIEW),
    "0 dB of noise": (_noisy(0), "background", Verdict.REJECT),
    "clipped": (_clipped, "clipping", Verdict.REJECT),
    "30 dB too quiet": (lambda spoken: spoken.samples / 31.6, "loudness", Verdict.REJECT),
    "silence": (lambda spoken: noise(len(spoken.samples), -70), "speech", Verdict.REJECT),
    "cut end": (_cut, "tail_silence", Verdict.REVIEW),
    "2 s of nothing before": (_padded, "lead_silence", Verdict.REVIEW),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_caught_by_its_measure(name: str, spoken: Spoken) -> None:
    damage, measure, least = DAMAGES[name]
    data = spoken.file(samples=damage(spoken))
    report = examine(data, prompt=spoken.text, language="en")
    found = report.measure(measure)
    assert found.verdict in (least, Verdict.REJECT), found
    assert report.verdict in (least, Verdict.REJECT)
    assert found in report.complaints()


def test_another_sentence_is_rejected(spoken: Spoken, other: Spoken) -> None:
    report = examine(spoken.file("wav"), prompt=other.text, language="en")
    assert report.measure("transcript").verdict is Verdict.REJECT
    assert "lighthouse" in report.measure("transcript").words.lower()


def test_what_did_not_arrive_is_missed(spoken: Spoken) -> None:
    """A live WebM says nothing of its length: cut anywhere, it decodes to less without an error."""
    data = spoken.file()
    report = examine(
        data[: int(0.6 * len(data))], prompt=spoken.text, language="xx", stated_seconds=spoken.seconds
    )
    assert report.verdict is Verdict.REJECT
    assert report.complaints()[0].name in ("missing", "decoding")


def test_a_language_without_a_model_is_not_pretended_to_be_checked(spoken: Spoken) -> None:
    report = examine(spoken.file("wav"), prompt="Der alte Leuchtturmwärter.", language="de")
    found = report.measure("transcript")
    assert (found.value, found.verdict, report.transcript) == (None, Verdict.REVIEW, None)
    assert found.words.startswith("Not checked")


def test_the_same_recording_in_another_format_is_a_replay(clean: Report, spoken: Spoken) -> None:
    assert clean.fingerprint is not None
    report = examine(
        spoken.file("mp3", samples=spoken.samples / 2),
        prompt=spoken.text,
        language="xx",
        others=[clean.fingerprint],
    )
    assert report.measure("replay").verdict is Verdict.REJECT


def test_a_refused_file_has_one_measure_and_no_audio() -> None:
    report = examine(b"<html><body>Not found</body></html>", prompt="Hello.", language="en")
    assert [measure.name for measure in report.measures] == ["decoding"]
    assert (report.verdict, report.audio, report.fingerprint) == (Verdict.REJECT, None, None)


def test_figures_are_judged_again_without_the_audio(clean: Report) -> None:
    figures = Figures(
        seconds=6.0,
        clipped_share=0.0,
        loudness_lufs=-25.0,
        speech_seconds=5.0,
        lead_seconds=0.4,
        tail_seconds=0.4,
        signal_mos=3.5,
        background_mos=2.9,
        overall_mos=3.0,
        language="en",
        transcript="a b c d e f",
        word_error_rate=0.25,
    )
    assert Figures(**figures.as_dict()) == figures
    strict = {measure.name: measure.verdict for measure in judge(figures, Gates())}
    assert strict["background"] is strict["transcript"] is Verdict.REVIEW
    lenient = Gates(review_under_background_mos=2.5, review_over_word_error_rate=0.3)
    assert all(measure.verdict is Verdict.ACCEPT for measure in judge(figures, lenient))


@pytest.mark.parametrize(
    ("changed", "name", "verdict"),
    [
        ({"seconds": 31.0}, "duration", Verdict.REJECT),
        ({"seconds": 18.0}, "duration", Verdict.REVIEW),
        ({"stated_seconds": 6.6}, "missing", Verdict.REVIEW),
        ({"stated_seconds": 8.0}, "missing", Verdict.REJECT),
        ({"stated_seconds": 5.0}, "missing", Verdict.ACCEPT),
        ({"clipped_share": 0.005}, "clipping", Verdict.REVIEW),
        ({"loudness_lufs": -40.0}, "loudness", Verdict.REVIEW),
        ({"loudness_lufs": -12.0}, "loudness", Verdict.REVIEW),
        ({"tail_seconds": 2.0}, "tail_silence", Verdict.REVIEW),
        ({"speech_seconds": 0.4}, "speech", Verdict.REJECT),
        ({"background_mos": 1.9}, "background", Verdict.REJECT),
        ({"signal_mos": 2.0}, "voice", Verdict.REVIEW),
        ({"overall_mos": 2.0}, "overall", Verdict.REVIEW),
    ],
)
def test_each_gate(changed: dict[str, float], name: str, verdict: Verdict) -> None:
    good = {"seconds": 6.0, "clipped_share": 0.0, "loudness_lufs": -25.0, "speech_seconds": 5.0}
    good |= {"lead_seconds": 0.4, "tail_seconds": 0.4, "signal_mos": 3.5, "background_mos": 4.0}
    figures = Figures(**good | {"overall_mos": 3.2, "word_error_rate": 0.0} | changed)
    found = {measure.name: measure for measure in judge(figures, Gates())}
    assert found.pop(name).verdict is verdict
    assert all(measure.verdict is Verdict.ACCEPT for measure in found.values())
