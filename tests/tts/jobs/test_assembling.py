"""Samples written to a file of any format, in memory that does not grow, with headers that are true."""

from __future__ import annotations

import io
import tempfile
import tracemalloc
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from apps.tts.jobs.assembling import rf64_header, write_file
from apps.tts.jobs.joining import Samples
from gpu_worker.formats import FORMATS, RATES, Encoding
from tests.gpu_worker.audio.decoding import decode, shift_between

RATE = 24_000


def sweep(seconds: float) -> Samples:
    at = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * (200 + 40 * at) * at)).astype(np.float32)


def written(samples: Samples, encoding: Encoding, *, chunk: int = 5_000) -> bytes:
    file = io.BytesIO()
    chunks = (samples[at : at + chunk] for at in range(0, len(samples), chunk))
    taken = write_file(file, chunks, encoding=encoding, source_rate=RATE, most_samples=len(samples))
    assert taken == len(samples)
    assert file.tell() == 0
    return file.read()


@pytest.mark.parametrize(("format", "rate"), [(name, rate) for name in FORMATS for rate in RATES[name]])
def test_every_format_at_every_rate_is_as_long_as_it_should_be(format: str, rate: int) -> None:
    encoding = Encoding.resolve(format, source_rate=RATE, sample_rate=rate)
    samples = sweep(3.217)
    decoded, found_rate = decode(written(samples, encoding), encoding)
    # Ogg's Opus is always played at 48 kHz.
    assert found_rate == (48_000 if format == "opus" else rate)
    assert len(decoded) / found_rate == pytest.approx(3.217, abs=0.030)


@pytest.mark.parametrize("format", FORMATS)
def test_how_samples_come_does_not_change_the_file(format: str) -> None:
    encoding = Encoding.resolve(format, source_rate=RATE)
    samples = sweep(1.1)
    assert written(samples, encoding, chunk=777) == written(samples, encoding, chunk=100_000)


@pytest.mark.parametrize("format", ["mp3", "opus", "flac", "wav"])
def test_nothing_is_shifted(format: str) -> None:
    encoding = Encoding.resolve(format, source_rate=RATE, sample_rate=48_000)
    samples = sweep(2.0)
    decoded, _ = decode(written(samples, encoding), encoding)
    assert abs(shift_between(samples, decoded[::2])) <= 2


def test_a_wav_tells_its_length() -> None:
    data = written(sweep(2.0), Encoding.resolve("wav", source_rate=RATE))
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnframes(), file.getframerate()) == (48_000, RATE)


def test_an_mp3_tells_its_length() -> None:
    data = written(sweep(30.0), Encoding.resolve("mp3", source_rate=RATE))
    with av.open(io.BytesIO(data)) as container:
        assert container.duration is not None
        assert container.duration / 1_000_000 == pytest.approx(30.0, abs=0.05)


def test_a_wav_that_might_pass_4_gb_is_one_of_64_bits() -> None:
    file = io.BytesIO()
    encoding = Encoding.resolve("wav", source_rate=RATE, sample_rate=48_000)
    write_file(file, iter([sweep(2.0)]), encoding=encoding, source_rate=RATE, most_samples=2**31)
    data = file.getvalue()
    assert data[:4] == b"RF64"
    decoded, rate = decode(data, encoding)
    assert (len(decoded), rate) == (96_000, 48_000)


def test_players_read_a_wav_of_over_4_gb(tmp_path: Path) -> None:
    size = 5 * 2**30
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.write(rf64_header(48_000, size))
        file.truncate(80 + size)  # a hole: it takes no space
    with av.open(str(path)) as container:
        assert container.duration is not None
        assert container.duration / 1_000_000 == pytest.approx(size / 96_000, abs=1)
    path.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("format", ["wav", "mp3", "opus", "aac", "flac"])
def test_memory_does_not_grow_with_the_length(format: str) -> None:
    second = sweep(1.0)

    def peak(seconds: int) -> int:
        def chunks() -> Iterator[Samples]:
            for _ in range(seconds):
                yield second

        encoding = Encoding.resolve(format, source_rate=RATE)
        with tempfile.TemporaryFile() as file:
            tracemalloc.start()
            write_file(file, chunks(), encoding=encoding, source_rate=RATE, most_samples=seconds * RATE)
            used = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return used

    peak(20)
    assert peak(300) < peak(30) + 1_000_000
