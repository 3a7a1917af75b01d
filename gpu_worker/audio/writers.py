"""One class a format: samples at the format's own rate to its bytes, as soon as they are complete."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

from gpu_worker.audio.codecs import Codec
from gpu_worker.audio.g711 import to_alaw, to_mulaw
from gpu_worker.audio.mpeg import MP3_DECODER_DELAY, Mp3Length, adts, mp3_info
from gpu_worker.audio.ogg import OpusFile
from gpu_worker.audio.pcm import Samples, to_int16, to_pcm16, wav_header
from gpu_worker.formats import Encoding

# Frames cannot be cut: an end that is longer by at most this is kept, else the nearer length is taken.
_MAX_EXCESS_SECONDS: Final = 0.028

# The encoders' own defaults need as much CPU as an engine, and sound no better: spectral distances to the
# source are the same or less with these, at a third to two thirds of the time.
_OPUS_OPTIONS: Final = {"compression_level": "5"}
_AAC_OPTIONS: Final = {"aac_coder": "fast"}
# Without a reservoir each frame stands alone, so that those beyond the end can be left out.
_MP3_OPTIONS: Final = {"compression_level": "7", "reservoir": "0"}


class Writer(Protocol):
    """`opening` goes before all; a stream asks for it first, a whole file when all else is made."""

    def opening(self) -> bytes:
        """The bytes before what `feed` and `finish` give."""
        ...

    def feed(self, samples: Samples) -> bytes:
        """What is complete."""
        ...

    def finish(self) -> bytes:
        """The rest."""
        ...


def writer_for(encoding: Encoding, *, whole: bool) -> Writer:
    """The writer of a stream, or of a whole file, whose headers tell its length."""
    if encoding.format == "pcm":
        return BareWriter(to_pcm16)
    if encoding.format == "mulaw":
        return BareWriter(lambda samples: to_mulaw(to_int16(samples)))
    if encoding.format == "alaw":
        return BareWriter(lambda samples: to_alaw(to_int16(samples)))
    if encoding.format == "flac":
        return FlacWriter(encoding)
    if encoding.format == "opus":
        return OpusWriter(encoding)
    if encoding.format == "aac":
        return AacWriter(encoding)
    return Mp3Writer(encoding, whole) if encoding.format == "mp3" else WavWriter(encoding, whole)


class WavWriter:
    """16-bit PCM behind a WAV header."""

    def __init__(self, encoding: Encoding, whole: bool) -> None:
        self._sample_rate = encoding.sample_rate
        self._whole = whole
        self._data_bytes = 0

    def opening(self) -> bytes:
        """See Writer."""
        return wav_header(self._sample_rate, self._data_bytes if self._whole else None)

    def feed(self, samples: Samples) -> bytes:
        """See Writer."""
        data = to_pcm16(samples)
        self._data_bytes += len(data)
        return data

    def finish(self) -> bytes:
        """See Writer."""
        return b""


class BareWriter:
    """Samples without a header."""

    def __init__(self, convert: Callable[[Samples], bytes]) -> None:
        self._convert = convert

    def opening(self) -> bytes:
        """See Writer."""
        return b""

    def feed(self, samples: Samples) -> bytes:
        """See Writer."""
        return self._convert(samples)

    def finish(self) -> bytes:
        """See Writer."""
        return b""


class FlacWriter:
    """FLAC; a whole file names its length and the MD5 of its samples."""

    def __init__(self, encoding: Encoding) -> None:
        self._codec = Codec("flac", "s16", encoding.sample_rate)

    def opening(self) -> bytes:
        """See Writer."""
        # STREAMINFO, 34 bytes, is the last and only metadata block. The encoder fills it in as it finishes.
        return b"fLaC\x80\x00\x00\x22" + self._codec.extradata

    def feed(self, samples: Samples) -> bytes:
        """See Writer."""
        return b"".join(self._codec.feed(samples))

    def finish(self) -> bytes:
        """See Writer."""
        return b"".join(self._codec.finish())


class OpusWriter:
    """Opus in Ogg, cut to the sample by its last granule position."""

    def __init__(self, encoding: Encoding) -> None:
        self._granules_a_sample = 48_000 // encoding.sample_rate
        self._codec = Codec(
            "libopus", "flt", encoding.sample_rate, bitrate=encoding.bitrate, options=_OPUS_OPTIONS
        )
        self._file = OpusFile(self._codec.extradata)

    def opening(self) -> bytes:
        """See Writer."""
        return b""

    def feed(self, samples: Samples) -> bytes:
        """See Writer."""
        return self._file.feed(self._codec.feed(samples))

    def finish(self) -> bytes:
        """See Writer."""
        return self._file.finish(self._codec.finish(), self._codec.samples_in * self._granules_a_sample)


class AacWriter:
    """AAC-LC in ADTS, which cannot name a delay: the first packet, the encoder's priming, is left out.

    What follows starts on time and fades in over its first frame (43 ms at 24 kHz): the breath before speech.
    """

    def __init__(self, encoding: Encoding) -> None:
        self._sample_rate = encoding.sample_rate
        self._codec = Codec(
            "aac", "fltp", encoding.sample_rate, bitrate=encoding.bitrate, options=_AAC_OPTIONS
        )
        self._packets = 0

    def opening(self) -> bytes:
        """See Writer."""
        return b""

    def feed(self, samples: Samples) -> bytes:
        """See Writer."""
        return self._framed(self._codec.feed(samples))

    def finish(self) -> bytes:
        """See Writer."""
        due = 1 + _frames_due(self._codec.samples_in, self._codec.frame_samples, self._sample_rate)
        return self._framed(self._codec.finish()[: max(0, due - self._packets)])

    def _framed(self, packets: list[bytes]) -> bytes:
        kept = packets if self._packets else packets[1:]
        self._packets += len(packets)
        return b"".join(adts(packet, self._sample_rate) for packet in kept)


class Mp3Writer:
    """MP3 of constant bit rate; its Info frame names the delay, in a whole file the length too."""

    _ENCODER_DELAY: Final = 576

    def __init__(self, encoding: Encoding, whole: bool) -> None:
        self._sample_rate = encoding.sample_rate
        self._bitrate = encoding.bitrate or 0
        self._whole = whole
        self._codec = Codec(
            "libmp3lame", "fltp", self._sample_rate, bitrate=self._bitrate, options=_MP3_OPTIONS
        )
        self._frames = 0
        self._audio_bytes = 0

    def opening(self) -> bytes:
        """See Writer."""
        length = None
        if self._whole:
            padding = self._frames * self._codec.frame_samples - self._codec.samples_in - self._ENCODER_DELAY
            length = Mp3Length(self._frames, self._audio_bytes, padding)
        return mp3_info(self._sample_rate, bitrate=self._bitrate, delay=self._ENCODER_DELAY, length=length)

    def feed(self, samples: Samples) -> bytes:
        """See Writer."""
        return self._counted(self._codec.feed(samples))

    def finish(self) -> bytes:
        """See Writer."""
        delayed = self._codec.samples_in + self._ENCODER_DELAY + MP3_DECODER_DELAY
        frame = self._codec.frame_samples
        due = math.ceil(delayed / frame) if self._whole else _frames_due(delayed, frame, self._sample_rate)
        return self._counted(self._codec.finish()[: max(0, due - self._frames)])

    def _counted(self, packets: list[bytes]) -> bytes:
        data = b"".join(packets)
        self._frames += len(packets)
        self._audio_bytes += len(data)
        return data


def _frames_due(samples: int, frame_samples: int, sample_rate: int) -> int:
    """How many whole frames come nearest to `samples`; rather too long than too short."""
    frames = math.ceil(samples / frame_samples)
    excess = frames * frame_samples - samples
    keep = frames <= 1 or excess <= max(_MAX_EXCESS_SECONDS * sample_rate, frame_samples / 2)
    return frames if keep else frames - 1
