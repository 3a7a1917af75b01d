"""One file in any format out of joined samples, written piece by piece in memory that does not grow."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import IO, Final

from gpu_worker.audio.pcm import Samples, to_finite
from gpu_worker.audio.resampling import Resampler
from gpu_worker.audio.writers import writer_for
from gpu_worker.formats import Encoding

_LARGEST_WAV_BYTES: Final = 0xFFFFFFFF - 36
_SAMPLE_BYTES: Final = 2


def write_file(
    file: IO[bytes], chunks: Iterable[Samples], *, encoding: Encoding, source_rate: int, most_samples: int
) -> int:
    """Writes the whole file, whose headers tell its length; answers how many samples of the source it holds.

    `most_samples` is a bound of what comes, by which a WAV learns whether it will pass 4 GB. The file must
    be empty and able to seek.
    """
    resampler = Resampler(source_rate, encoding.sample_rate)
    writer = writer_for(encoding, whole=True)
    is_large = (
        encoding.format == "wav" and _wav_bytes(encoding, source_rate, most_samples) > _LARGEST_WAV_BYTES
    )
    # A stream's opening is as long as a whole file's, which is known only when all else is made.
    opening = (
        rf64_header(encoding.sample_rate, 0) if is_large else writer_for(encoding, whole=False).opening()
    )
    file.write(opening)
    taken = 0
    for chunk in chunks:
        taken += len(chunk)
        file.write(writer.feed(resampler.feed(to_finite(chunk))))
    file.write(writer.feed(resampler.finish()))
    file.write(writer.finish())
    stop = file.tell()
    file.seek(0)
    file.write(rf64_header(encoding.sample_rate, stop - len(opening)) if is_large else writer.opening())
    file.seek(0)
    return taken


def rf64_header(sample_rate: int, data_bytes: int) -> bytes:
    """What stands before mono 16-bit samples of more than 4 GB (EBU Tech 3306)."""
    sizes = struct.pack("<QQQI", data_bytes + 72, data_bytes, data_bytes // _SAMPLE_BYTES, 0)
    form = struct.pack("<HHIIHH", 1, 1, sample_rate, sample_rate * _SAMPLE_BYTES, _SAMPLE_BYTES, 16)
    return (
        struct.pack("<4sI4s", b"RF64", 0xFFFFFFFF, b"WAVE")
        + struct.pack("<4sI", b"ds64", len(sizes))
        + sizes
        + struct.pack("<4sI", b"fmt ", len(form))
        + form
        + struct.pack("<4sI", b"data", 0xFFFFFFFF)
    )


def _wav_bytes(encoding: Encoding, source_rate: int, samples: int) -> int:
    return _SAMPLE_BYTES * (samples * encoding.sample_rate // source_rate + 1)
