"""An engine's samples to a format: resampled, encoded, streamed or whole."""

from __future__ import annotations

from collections.abc import Iterable

from gpu_worker.audio.pcm import Samples, to_finite
from gpu_worker.audio.resampling import Resampler
from gpu_worker.audio.writers import writer_for
from gpu_worker.formats import FORMATS, MEDIA_TYPES, Encoding, EncodingError

__all__ = ["FORMATS", "MEDIA_TYPES", "Encoder", "Encoding", "EncodingError", "WholeEncoder", "encode_whole"]

# Containers whose header stands for itself; of the others nothing comes of nothing.
_VALID_WHEN_EMPTY = frozenset({"wav", "flac"})


class Encoder:
    """One stream of audio, fed chunk by chunk. Any thread may call it, one at a time; it frees itself.

    How the audio is cut into chunks does not change the bytes.
    """

    def __init__(self, encoding: Encoding, source_rate: int) -> None:
        self.encoding = encoding
        self._resampler = Resampler(source_rate, encoding.sample_rate)
        self._writer = writer_for(encoding, whole=False)
        self._begun = False

    @property
    def media_type(self) -> str:
        """What Content-Type names."""
        return self.encoding.media_type

    def feed(self, samples: Samples) -> bytes:
        """What can be sent now, the header with the first samples; may be empty."""
        if not len(samples):
            return b""
        opening = b"" if self._begun else self._writer.opening()
        self._begun = True
        return opening + self._write(samples)

    def finish(self) -> bytes:
        """The rest; nothing can be fed after it. A stream that was fed nothing is a header or no bytes."""
        if not self._begun:
            return self._writer.opening() if self.encoding.format in _VALID_WHEN_EMPTY else b""
        rest = self._resampler.finish()
        return (self._writer.feed(rest) if len(rest) else b"") + self._writer.finish()

    def _write(self, samples: Samples) -> bytes:
        resampled = self._resampler.feed(to_finite(samples))
        return self._writer.feed(resampled) if len(resampled) else b""


class WholeEncoder:
    """A file whose headers tell its length: fed chunk by chunk, given out at the end."""

    def __init__(self, encoding: Encoding, source_rate: int) -> None:
        self._encoding = encoding
        self._resampler = Resampler(source_rate, encoding.sample_rate)
        self._writer = writer_for(encoding, whole=True)
        self._parts: list[bytes] = []
        self._begun = False

    def feed(self, samples: Samples) -> None:
        """Takes the next chunk in."""
        if len(samples):
            self._begun = True
            self._parts.append(self._writer.feed(self._resampler.feed(to_finite(samples))))

    def finish(self) -> list[bytes]:
        """The file in parts, of which none is empty; nothing can be fed after it.

        Of no samples come an empty WAV or FLAC file, or no parts.
        """
        if not self._begun:
            return [self._writer.opening()] if self._encoding.format in _VALID_WHEN_EMPTY else []
        parts = [*self._parts, self._writer.feed(self._resampler.finish()), self._writer.finish()]
        self._parts = []
        return [part for part in (self._writer.opening(), *parts) if part]


def encode_whole(encoding: Encoding, source_rate: int, chunks: Iterable[Samples]) -> bytes:
    """A file whose headers tell its length. Of no samples come an empty WAV or FLAC file, or no bytes."""
    encoder = WholeEncoder(encoding, source_rate)
    for chunk in chunks:
        encoder.feed(chunk)
    return b"".join(encoder.finish())
