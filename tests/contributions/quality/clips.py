"""Clips for these tests: speech to files, and what goes wrong on the way."""

from __future__ import annotations

import io
from dataclasses import dataclass

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# FFmpeg's container, encoder and sample rate.
FORMATS = {
    "webm opus": ("webm", "libopus", 48_000),
    "ogg opus": ("ogg", "libopus", 48_000),
    "m4a aac": ("ipod", "aac", 48_000),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "flac": ("flac", "flac", 96_000),
    "wav": ("wav", "pcm_s16le", 16_000),
}


@dataclass(frozen=True)
class Spoken:
    """A sentence as it was said: samples at `rate` Hz, a moment of the room before and after."""

    text: str
    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    def file(self, name: str = "webm opus", samples: Samples | None = None) -> bytes:
        """The sentence, or other samples of the same rate, in one of FORMATS."""
        container, codec, rate = FORMATS[name]
        return encoded(self.samples if samples is None else samples, self.rate, container, codec, rate)


def encoded(samples: Samples, rate: int, container: str, codec: str, to_rate: int) -> bytes:
    """A mono file."""
    into = io.BytesIO()
    pcm = np.round(samples.clip(-1, 1) * 32767).astype(np.int16).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
    frame.sample_rate = rate
    with av.open(into, "w", format=container) as file:
        stream = file.add_stream(codec, rate=to_rate, layout="mono")
        stream.codec_context.open()
        context = stream.codec_context
        resampler = AudioResampler(context.format, "mono", to_rate, context.frame_size or 4096)
        for given in (frame, None):
            for part in resampler.resample(given):
                file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return into.getvalue()


def decoded(data: bytes) -> Samples:
    """Mono at the file's own rate."""
    with av.open(io.BytesIO(data)) as file:
        frames = [frame.to_ndarray() for frame in file.decode(audio=0)]
    samples = np.concatenate(frames, axis=1)[0]
    return samples.astype(np.float32) / 32768 if samples.dtype == np.int16 else samples.astype(np.float32)


def noise(count: int, decibels: float, seed: int = 1) -> Samples:
    """White noise of this RMS, in dB of full scale."""
    chance = np.random.default_rng(seed).standard_normal(count)
    return (chance * 10 ** (decibels / 20)).astype(np.float32)


def rms_decibels(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(samples**2)))
