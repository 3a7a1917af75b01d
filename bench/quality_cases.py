"""The clips that the bench has examined: which, how damaged, and what came of each."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from apps.contributions.quality import Gates, Verdict, examine
from bench.quality_sound import (
    NOISES,
    RATE,
    Samples,
    as_browser,
    clipped,
    cut,
    decoded,
    encoded,
    noisy,
    padded,
    quieter,
    silent,
    with_margins,
)
from bench.speech_samples import Sample

CLEAN = "clean"
WRONG = "wrong sentence"
TRUNCATED = "upload cut at 70 %"
REPEATED = ("again, opus 24", "again, mp3 64 44.1k", "again, aac 48", "again, wav 22.05k", "again, -6 dB")
TARGETS = {
    CLEAN: 0.95,
    "noise 20 dB": 0.80,
    "noise 10 dB": 0.95,
    "noise 0 dB": 0.95,
    "clipped 5 %": 0.95,
    "30 dB too quiet": 0.95,
    "silence": 0.95,
    "cut end": 0.95,
    TRUNCATED: 0.95,
    WRONG: 0.95,
    "2 s before": 0.80,
    "2 s after": 0.80,
    **dict.fromkeys(REPEATED, 0.95),
}
# The gate that most would start with.
_LOUDEST_PEAK = 0.999
_PEAK_SHARE = 0.001
_QUIETEST_RMS = 10 ** (-45 / 20)
_SHORTEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Case:
    """A clip to examine, by numbers: the sound is made where it is examined."""

    sample: Sample
    number: int
    damage: str
    prompt: str
    others: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a clip."""

    damage: str
    speaker: str
    text: str
    verdict: Verdict
    complaints: tuple[str, ...]
    told: tuple[str, ...]
    background: float | None
    baseline_accepts: bool
    replay: float | None
    fingerprint: bytes | None = field(repr=False)
    voice: bytes | None = field(repr=False)


def plan(samples: Sequence[Sample], *, clean: int, damaged: int) -> list[Case]:
    """Clean clips of every language, and English ones among them in every damage, spread over speakers."""
    by_language: dict[str, list[Sample]] = {}
    for sample in samples:
        by_language.setdefault(sample.language, []).append(sample)
    chosen = [one for found in by_language.values() for one in _spread(found, clean)]
    english = _spread([one for one in chosen if one.language == "en"], damaged)
    everyone = tuple(samples)
    cases = [Case(one, number, CLEAN, one.text, everyone) for number, one in enumerate(chosen)]
    for damage in list(TARGETS)[1:]:
        for number, one in enumerate(english):
            # Half a round away nobody has the same sentence.
            other = english[(number + len(english) // 2) % len(english)]
            prompt = other.text if damage == WRONG else one.text
            cases.append(Case(one, number, damage, prompt, everyone))
    return cases


def _spread(samples: Sequence[Sample], most: int) -> list[Sample]:
    """As many of each speaker as there are, taken in turns."""
    by_speaker: dict[str, list[Sample]] = {}
    for sample in samples:
        by_speaker.setdefault(sample.speaker, []).append(sample)
    turns = [
        (turn / len(found), one)
        for found in by_speaker.values()
        for turn, one in enumerate(_even(found, most))
    ]
    few = sorted(turns, key=lambda turn: (len(by_speaker[turn[1].speaker]) > most, turn[0]))
    return [one for _, one in few][:most]


def _even(samples: Sequence[Sample], most: int) -> list[Sample]:
    if len(samples) <= most:
        return list(samples)
    return [samples[at] for at in np.linspace(0, len(samples) - 1, most).astype(int)]


def examined(case: Case) -> Outcome:
    """Makes the clip, and examines it as the platform would."""
    samples = with_margins(decoded(case.sample.path.read_bytes(), RATE), case.number)
    data, stated_seconds = _made(case, samples)
    gates = Gates()
    if case.sample.language != "en":
        gates = Gates(unchecked_transcript=Verdict.ACCEPT)
    known: list[bytes] = []
    if case.damage in REPEATED:
        first = examine(as_browser(samples), prompt=case.prompt, language="xx").fingerprint
        known = [first] if first else []
    report = examine(
        data,
        prompt=case.prompt,
        language=case.sample.language,
        stated_seconds=stated_seconds,
        gates=gates,
        others=known,
    )
    replays = [one.value for one in report.measures if one.name == "replay"]
    backgrounds = [one.value for one in report.measures if one.name == "background"]
    against = report.complaints()
    return Outcome(
        damage=case.damage,
        speaker=case.sample.speaker,
        text=case.prompt,
        verdict=report.verdict,
        complaints=tuple(one.name for one in against),
        told=tuple(f"{one.name} {one.value}: {one.words}" for one in against),
        background=backgrounds[0] if backgrounds else None,
        baseline_accepts=_baseline_accepts(data),
        replay=replays[0] if replays else None,
        fingerprint=report.fingerprint,
        voice=report.voice,
    )


def _made(case: Case, samples: Samples) -> tuple[bytes, float]:
    """The file, and how long its client says it is."""
    seconds = len(samples) / RATE
    if case.damage == TRUNCATED:
        whole = as_browser(samples)
        return whole[: int(0.7 * len(whole))], seconds
    if case.damage in REPEATED:
        return _ENCODERS[case.damage](samples), seconds
    damaged = _damaged(case, samples)
    return as_browser(damaged), len(damaged) / RATE


def _damaged(case: Case, samples: Samples) -> Samples:
    number, name = case.number, case.damage
    if name.startswith("noise"):
        noise = NOISES[number % len(NOISES)]
        picked = [case.others[(number * 7 + at) % len(case.others)] for at in range(8)]
        others = [decoded(one.path.read_bytes(), RATE) for one in picked]
        return noisy(samples, noise(len(samples), number, others), float(name.split()[1]))
    made: dict[str, Callable[[], Samples]] = {
        "clipped 5 %": lambda: clipped(samples),
        "30 dB too quiet": lambda: quieter(samples, 30),
        "silence": lambda: silent(samples, number),
        "cut end": lambda: cut(samples),
        "2 s before": lambda: padded(samples, number, before=2),
        "2 s after": lambda: padded(samples, number, after=2),
    }
    return made.get(name, lambda: samples)()


def _whole_frames(samples: Samples) -> Samples:
    """FFmpeg cannot end an AAC file with nearly nothing: three frames at 48 kHz are 1024 samples of ours."""
    return np.pad(samples, (0, -len(samples) % 1024))


_ENCODERS: dict[str, Callable[[Samples], bytes]] = dict(
    zip(
        REPEATED,
        (
            lambda samples: encoded(samples, RATE, "ogg", "libopus", kbps=24, to_rate=48_000),
            lambda samples: encoded(samples, RATE, "mp3", "libmp3lame", kbps=64, to_rate=44_100),
            lambda samples: encoded(_whole_frames(samples), RATE, "ipod", "aac", kbps=48, to_rate=48_000),
            lambda samples: encoded(samples, RATE, "wav", "pcm_s16le", to_rate=22_050),
            lambda samples: as_browser(quieter(samples, 6)),
        ),
        strict=True,
    )
)


def _baseline_accepts(data: bytes) -> bool:
    try:
        samples = decoded(data, 48_000)
    except (OSError, ValueError, struct.error):
        return False
    too_loud = float(np.mean(np.abs(samples) >= _LOUDEST_PEAK)) > _PEAK_SHARE
    too_quiet = float(np.sqrt(np.mean(samples**2))) < _QUIETEST_RMS
    return not too_loud and not too_quiet and len(samples) >= _SHORTEST_SECONDS * 48_000
