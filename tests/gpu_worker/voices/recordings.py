"""Recordings of a tone in the formats that people send, and how to tell a tone again."""

from __future__ import annotations

import hashlib
import io
import wave
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

# FFmpeg's container, its encoder, the sample rate, the channels.
FORMATS = {
    "wav": ("wav", "pcm_s16le", 16_000, "mono"),
    "wav, 24 bit, 5.1": ("wav", "pcm_s24le", 48_000, "5.1"),
    "wav, float": ("wav", "pcm_f32le", 44_100, "stereo"),
    "flac": ("flac", "flac", 96_000, "stereo"),
    "mp3": ("mp3", "libmp3lame", 44_100, "stereo"),
    "ogg opus": ("ogg", "libopus", 48_000, "mono"),
    "ogg vorbis": ("ogg", "vorbis", 44_100, "stereo"),
    "m4a": ("ipod", "aac", 44_100, "stereo"),
    "aac": ("adts", "aac", 22_050, "mono"),
    "webm opus": ("webm", "libopus", 48_000, "stereo"),
}


def tone(hertz: float, seconds: float, rate: int, level: float = 0.5) -> NDArray[np.int16]:
    """Samples of a sine."""
    phase = np.arange(round(seconds * rate)) * (2 * np.pi * hertz / rate)
    return np.round(level * 32_767 * np.sin(phase)).astype(np.int16)


def wav(samples: NDArray[np.int16], rate: int = 24_000) -> bytes:
    """A mono WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, rate, 0, "NONE", ""))
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def recording(hertz: float = 330, seconds: float = 4, level: float = 0.5) -> bytes:
    """A WAV file of a sine."""
    return wav(tone(hertz, seconds, 24_000, level))


def encoded(name: str, hertz: float = 330, seconds: float = 4) -> bytes:
    """The same in one of FORMATS."""
    container_name, codec, rate, layout = FORMATS[name]
    return encoded_as(container_name, codec, rate, layout, tone(hertz, seconds, rate))


def encoded_as(container: str, codec: str, rate: int, layout: str, mono: NDArray[np.int16]) -> bytes:
    """Samples, alike on every channel, as FFmpeg writes them."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        # FFmpeg calls its own Vorbis encoder experimental.
        stream: Any = output.add_stream(codec, rate=rate, options={"strict": "-2"})
        stream.layout = layout
        channels = stream.codec_context.channels
        frame = av.AudioFrame.from_ndarray(np.repeat(mono, channels).reshape(1, -1), "s16", layout)
        frame.sample_rate = rate
        frame.time_base = Fraction(1, rate)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            output.mux(packet)
    return file.getvalue()


def sha256_of(data: bytes) -> str:
    """The name of a recording."""
    return hashlib.sha256(data).hexdigest()


def loudest_hertz(samples: NDArray[Any], rate: int) -> float:
    """The frequency of a tone, to about a hertz a second of it."""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64)))
    return float(np.argmax(spectrum[1:]) + 1) * rate / len(samples)
