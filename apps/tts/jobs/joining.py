"""Parts of a long text as one even stream, joined as a worker joins the pieces of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from gpu_worker.audio.joining import PAUSE_MS
from gpu_worker.audio.leveling import Leveler
from gpu_worker.audio.pcm import EMPTY, Samples
from gpu_worker.audio.resampling import Resampler
from gpu_worker.text import Ending

__all__ = ["Edges", "Part", "Samples", "edges_of", "joined", "samples_of"]

# As the worker's own: what is silent, and how long a cut takes to fade.
_FRAME_SECONDS: Final = 0.005
_SILENT_POWER: Final = 1e-6
_SILENT_SHARE: Final = 10 ** (-42 / 10)
_FULL_SHARE: Final = 0.01
_FADE_SECONDS: Final = 0.005
# The sounds that silence at an edge is told from.
_NEAR_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Edges:
    """Silence at the two ends of a part, in samples, to 5 ms; `ends_in_sound`: it stops amid full sound."""

    lead: int
    tail: int
    ends_in_sound: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part to be joined. `chunks` begins to read it anew; `ending` is None where no pause follows."""

    sample_rate: int
    edges: Edges
    ending: Ending | None
    chunks: Callable[[], Iterable[Samples]]


def edges_of(samples: Samples, sample_rate: int) -> Edges:
    """Measured once, when a part is made: joining then reads each part a single time."""
    near = round(_NEAR_SECONDS * sample_rate)
    frame = round(_FRAME_SECONDS * sample_rate)
    lead = _silent_frames(samples[:near], frame) * frame
    last = samples[-near:][::-1]
    tail = _silent_frames(last, frame) * frame
    return Edges(lead, tail, tail == 0 and _is_full(last, frame))


def samples_of(pcm: bytes) -> Samples:
    """16-bit little-endian PCM as floats in [-1, 1]."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32767.0)


def joined(parts: Iterable[Part], *, speed: float) -> Iterator[Samples]:
    """All parts at the rate of the first one, as loud as that, with natural pauses between them."""
    leveler: Leveler | None = None
    before: Part | None = None
    first_rate = 0
    for part in parts:
        if leveler is None:
            first_rate = part.sample_rate
            leveler = Leveler(first_rate)
        gap, skipped = _seam(before, part, speed) if before else (0, 0)
        if gap:
            yield np.zeros(round(gap * first_rate / part.sample_rate), np.float32)
        resampler = Resampler(part.sample_rate, first_rate)
        for chunk in _without(skipped, part):
            yield leveler.feed(resampler.feed(chunk))
        yield leveler.feed(resampler.finish())
        leveler.end_piece()
        before = part


def _silent_frames(samples: Samples, frame: int) -> int:
    """How many frames at the beginning are silent beside the loudest of them all."""
    powers = _powers(samples, frame)
    loud = np.flatnonzero(powers >= max(_SILENT_POWER, _SILENT_SHARE * powers.max(initial=0.0)))
    return int(loud[0]) if len(loud) else len(powers)


def _is_full(samples: Samples, frame: int) -> bool:
    powers = _powers(samples, frame)
    return len(powers) > 0 and float(powers[0]) > _FULL_SHARE * float(powers.max())


def _powers(samples: Samples, frame: int) -> Samples:
    count = len(samples) // frame
    frames = samples[: count * frame].reshape(count, frame)
    powers: Samples = np.einsum("ij,ij->i", frames, frames) / np.float32(frame)
    return powers


def _seam(before: Part, part: Part, speed: float) -> tuple[int, int]:
    """Samples of silence that are missing between two parts, and of those that are too many after it."""
    if before.ending is None or (before.edges.ends_in_sound and not part.edges.lead):
        return 0, 0
    pause = round(PAUSE_MS[before.ending] / min(max(speed, 0.5), 2.0) * part.sample_rate / 1000)
    missing = pause - before.edges.tail - part.edges.lead
    return max(0, missing), min(max(0, -missing), part.edges.lead)


def _without(skipped: int, part: Part) -> Iterator[Samples]:
    """The part without its first samples, faded in where it was cut."""
    left = skipped
    fade = round(_FADE_SECONDS * part.sample_rate) if skipped else 0
    for chunk in part.chunks():
        kept = chunk[left:]
        left -= len(chunk) - len(kept)
        if fade and len(kept):
            rising = np.linspace(0, 1, fade + 1, dtype=np.float32)[1:][: len(kept)]
            kept = np.concatenate([kept[: len(rising)] * rising, kept[len(rising) :]])
            fade = 0
        yield kept if len(kept) else EMPTY
