"""What is answered about a clip."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.contributions.quality.gates import Verdict, worst


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that was looked at; `value` is None where it could not be, and `words` then say why."""

    name: str
    value: float | None
    unit: str
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Audio:
    """What is kept of a clip: 48 kHz mono, 16 bits, without anything else that was in the file."""

    flac: bytes = field(repr=False)
    sha256: str
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """All measures in the order they are made, what was heard, and the audio unless it was refused."""

    measures: tuple[Measure, ...]
    audio: Audio | None = None
    # Serialised; see fingerprint.py. None where nothing is spoken.
    fingerprint: bytes | None = field(default=None, repr=False)
    # A unit vector of 256 numbers; see speaker.py. None where too little is spoken, or no model is there.
    voice: bytes | None = field(default=None, repr=False)
    transcript: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of its measures."""
        return worst([measure.verdict for measure in self.measures])

    def measure(self, name: str) -> Measure:
        """Raises `LookupError` for one that was not made."""
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise LookupError(f"This report has no {name}.")

    def complaints(self) -> tuple[Measure, ...]:
        """What stands against the clip, the worst first."""
        against = [measure for measure in self.measures if measure.verdict is not Verdict.ACCEPT]
        return tuple(sorted(against, key=lambda measure: measure.verdict is not Verdict.REJECT))
