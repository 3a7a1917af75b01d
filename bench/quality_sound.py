"""Samples to files and back, and what goes wrong with recordings: the damages that the bench makes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE = 16_000
# What a recorder's clip has before and after the speech, which trimmed recordings lack.
MARGIN_SECONDS = 0.3


def decoded(data: bytes, rate: int, container: str | None = None) -> Samples:
    """Mono in ±1."""
    resampler = AudioResampler(format="flt", layout="mono", rate=rate)
    with av.open(io.BytesIO(data), format=container) as file:
        frames = [*file.decode(audio=0), None]
        parts = [part.to_ndarray()[0] for frame in frames for part in resampler.resample(frame)]
    return np.concatenate(parts)


def encoded(
    samples: Samples, rate: int, container: str, codec: str, kbps: int = 0, to_rate: int = 0
) -> bytes:
    """A mono file; `rate` is that of the samples, `to_rate` that of the file where it is another."""
    into = io.BytesIO()
    pcm = np.round(samples.clip(-1, 1) * 32767).astype(np.int16).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
    frame.sample_rate = rate
    with av.open(into, "w", format=container) as file:
        stream = file.add_stream(codec, rate=to_rate or rate, layout="mono")
        assert isinstance(stream, AudioStream)
        context = stream.codec_context
        if kbps:
            context.bit_rate = kbps * 1000
        context.open()
        resampler = AudioResampler(context.format, "mono", to_rate or rate, context.frame_size or 4096)
        for given in (frame, None):
            for part in resampler.resample(given):
                file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return into.getvalue()


def as_browser(samples: Samples) -> bytes:
    """As Chrome records: WebM with Opus at 48 kHz, 64 kbit/s."""
    return encoded(samples, RATE, "webm", "libopus", kbps=64, to_rate=48_000)


def with_margins(samples: Samples, seed: int) -> Samples:
    """The recording with a moment of its own room before and after."""
    room = _room(samples, round(MARGIN_SECONDS * RATE), seed)
    return np.concatenate([room, samples, room[::-1]])


def _room(samples: Samples, count: int, seed: int) -> Samples:
    """Noise as strong as the quietest tenth of the recording, -75 dB of full scale at the least."""
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    level = max(float(np.percentile(np.sqrt((frames**2).mean(axis=1)), 10)), 10 ** (-75 / 20))
    # A speaker's breath is no room.
    level = min(level, 10 ** (-60 / 20))
    return (np.random.default_rng(seed).standard_normal(count) * level).astype(np.float32)


def white(count: int, seed: int, others: Sequence[Samples]) -> Samples:
    return np.random.default_rng(seed).standard_normal(count).astype(np.float32)


def pink(count: int, seed: int, others: Sequence[Samples]) -> Samples:
    """As of fans and traffic: each octave as strong as the next."""
    spectrum = np.fft.rfft(white(count, seed, others))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return np.fft.irfft(spectrum, count).astype(np.float32)


def babble(count: int, seed: int, others: Sequence[Samples]) -> Samples:
    """Six of the others speaking at once."""
    chance = np.random.default_rng(seed)
    picked = [others[at] for at in chance.integers(len(others), size=6)]
    return np.sum([np.resize(np.roll(one, int(chance.integers(len(one)))), count) for one in picked], axis=0)


Noise = Callable[[int, int, Sequence[Samples]], Samples]
NOISES: tuple[Noise, ...] = (white, pink, babble)


def noisy(samples: Samples, noise: Samples, decibels: float) -> Samples:
    """The signal's power is that of its louder half, so that pauses do not count as signal."""
    frames = (samples[: len(samples) // 320 * 320].reshape(-1, 320) ** 2).mean(axis=1)
    signal = float(frames[frames >= np.median(frames)].mean())
    scale = np.sqrt(signal / float((noise**2).mean()) / 10 ** (decibels / 10))
    return (samples + noise * scale).astype(np.float32)


def clipped(samples: Samples, share: float = 0.05) -> Samples:
    """So loud that this share of the samples is over full scale."""
    return (samples / max(float(np.quantile(np.abs(samples), 1 - share)), 1e-6)).clip(-1, 1)


def quieter(samples: Samples, decibels: float) -> Samples:
    return (samples * np.float32(10 ** (-decibels / 20))).astype(np.float32)


def silent(samples: Samples, seed: int) -> Samples:
    """A room at -70 dB of full scale in which nobody speaks."""
    chance = np.random.default_rng(seed).standard_normal(len(samples))
    return (chance * 10 ** (-70 / 20)).astype(np.float32)


def cut(samples: Samples) -> Samples:
    """Stopped while still speaking: at the loudest moment between 60 % and 75 %."""
    first, last = int(0.6 * len(samples)), int(0.75 * len(samples))
    strength = np.convolve(np.abs(samples[first:last]), np.ones(480), "same")
    return samples[: first + int(strength.argmax())]


def padded(samples: Samples, seed: int, *, before: float = 0.0, after: float = 0.0) -> Samples:
    """Seconds of its room around it."""
    parts = [_room(samples, round(seconds * RATE), seed) for seconds in (before, after)]
    return np.concatenate([parts[0], samples, parts[1]])
