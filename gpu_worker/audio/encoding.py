"""Samples to a format, streamed or whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gpu_worker.audio.pcm import Samples, to_pcm16, wav_header

FORMATS: Final = ("wav", "pcm")
MEDIA_TYPES: Final = {"wav": "audio/wav", "pcm": "audio/pcm"}


class EncodingError(ValueError):
    """A format that cannot be made; `param` names the field at fault (format, sample_rate, bitrate)."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param
        self.message = message


@dataclass(frozen=True, slots=True)
class Encoding:
    """A format that can be made, with its rate in Hz and its bit rate in bit/s (None: it has no choice)."""

    format: str
    sample_rate: int
    bitrate: int | None

    @classmethod
    def resolve(
        cls, format: str, *, source_rate: int, sample_rate: int | None = None, bitrate: int | None = None
    ) -> Encoding:
        """Fills in what the caller left open. Raises EncodingError, before any work."""
        if format not in FORMATS:
            raise EncodingError("format", f"format must be one of {', '.join(FORMATS)}.")
        return cls(format, source_rate, bitrate)

    @property
    def media_type(self) -> str:
        """What Content-Type names."""
        if self.format == "pcm":
            return f"{MEDIA_TYPES[self.format]};rate={self.sample_rate};channels=1"
        return MEDIA_TYPES[self.format]


class Encoder:
    """One stream of audio, fed chunk by chunk. Any thread may call it, one at a time."""

    def __init__(self, encoding: Encoding, source_rate: int) -> None:
        self.encoding = encoding
        self._source_rate = source_rate
        self._begun = False

    @property
    def media_type(self) -> str:
        """What Content-Type names."""
        return self.encoding.media_type

    def feed(self, samples: Samples) -> bytes:
        """What can be sent now, the header with the first samples; may be empty."""
        if not len(samples):
            return b""
        opening = b""
        if not self._begun and self.encoding.format == "wav":
            opening = wav_header(self.encoding.sample_rate, None)
        self._begun = True
        return opening + to_pcm16(samples)

    def finish(self) -> bytes:
        """The rest; the encoder can then take no more."""
        return b""


def encode_whole(encoding: Encoding, source_rate: int, chunks: Iterable[Samples]) -> bytes:
    """A file with exact headers."""
    data = b"".join(to_pcm16(chunk) for chunk in chunks)
    return wav_header(encoding.sample_rate, len(data)) + data if encoding.format == "wav" else data
