"""The figures of one clip, before anybody judges them: they stay right when a campaign's gates change."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from apps.contributions.quality import fingerprint, mos, sound, speaker, speech, transcript
from apps.contributions.quality.decoding import SAMPLE_RATE, Refused, Samples, decode
from apps.contributions.quality.report import Audio
from apps.contributions.quality.words import spoken_words, word_error_rate

# With less, the models have nothing to listen to; what is said in a shorter clip is rejected by any gate.
_MIN_SPEECH_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Figures:
    """None is what was not measured: nothing is spoken, or no model knows the language."""

    refusal: str | None = None
    seconds: float | None = None
    stated_seconds: float | None = None
    clipped_share: float | None = None
    loudness_lufs: float | None = None
    speech_seconds: float | None = None
    lead_seconds: float | None = None
    tail_seconds: float | None = None
    signal_mos: float | None = None
    background_mos: float | None = None
    overall_mos: float | None = None
    language: str = ""
    transcript: str | None = None
    word_error_rate: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """For a JSON column; `Figures(**it)` is the way back."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures, and what is kept of the clip; all None where the file was refused."""

    figures: Figures
    audio: Audio | None = None
    fingerprint: bytes | None = field(default=None, repr=False)
    voice: bytes | None = field(default=None, repr=False)


def measure(data: bytes, *, prompt: str, language: str, stated_seconds: float | None) -> Measured:
    """Listens to a clip: `data` is the whole file as uploaded, `stated_seconds` what its client counted.

    Under 2 CPU-seconds for 7 s of audio. Raises `DecodingTimedOut`, and `ModuleNotFoundError` where a model's
    package is missing; whatever the file holds ends in figures.
    """
    try:
        samples = decode(data)
    except Refused as refusal:
        figures = Figures(refusal=refusal.code, stated_seconds=stated_seconds, language=language)
        return Measured(figures)
    audio = sound.kept(samples)
    at_16_khz = sound.resampled(samples, speech.RATE)
    found = speech.find_speech(at_16_khz)
    figures = Figures(
        seconds=audio.duration_seconds,
        stated_seconds=stated_seconds,
        clipped_share=sound.clipped_share(samples),
        # JSON has no infinity.
        loudness_lufs=max(sound.loudness_lufs(samples), sound.SILENCE_LUFS),
        speech_seconds=found.seconds,
        lead_seconds=found.lead,
        tail_seconds=found.tail,
        language=language,
    )
    if found.seconds < _MIN_SPEECH_SECONDS:
        return Measured(figures, audio)
    voice = speaker.voice_of(_spoken_part(at_16_khz, found, speech.RATE))
    return Measured(_heard(figures, at_16_khz, prompt), audio, _print_of(samples, found), voice)


def _heard(figures: Figures, at_16_khz: Samples, prompt: str) -> Figures:
    """With what the models say of the speech."""
    opinion = mos.opinion(at_16_khz)
    heard = transcript.transcribe(at_16_khz) if transcript.can_transcribe(figures.language) else None
    return replace(
        figures,
        signal_mos=opinion.signal,
        background_mos=opinion.background,
        overall_mos=opinion.overall,
        transcript=heard,
        word_error_rate=_error_rate(prompt, heard),
    )


def _error_rate(prompt: str, heard: str | None) -> float | None:
    return None if heard is None else word_error_rate(spoken_words(prompt), spoken_words(heard))


def _print_of(samples: Samples, found: speech.Speech) -> bytes | None:
    part = _spoken_part(samples, found, SAMPLE_RATE)
    values = fingerprint.fingerprint(sound.resampled(part, fingerprint.RATE))
    return fingerprint.serialise(values) if len(values) else None


def _spoken_part(samples: Samples, found: speech.Speech, rate: int) -> Samples:
    return samples[round(found.lead * rate) : len(samples) - round(found.tail * rate)]
