"""Every format, streamed and whole, decodes again to what went in."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

from gpu_worker.audio import FORMATS, Encoder, Encoding, Samples, encode_whole
from gpu_worker.audio.resampling import Resampler
from gpu_worker.formats import RATES
from tests.gpu_worker.audio.decoding import decode, likeness, shift_between

SOURCE_RATE = 24_000
EVERY_RATE = [(format, rate) for format in FORMATS for rate in RATES[format]]
COMPRESSED = ("mp3", "opus", "aac", "flac")


def streamed(encoding: Encoding, samples: Samples, step: int) -> bytes:
    encoder = Encoder(encoding, SOURCE_RATE)
    parts = [encoder.feed(samples[at : at + step]) for at in range(0, len(samples), step)]
    return b"".join([*parts, encoder.finish()])


def resampled(samples: Samples, rate: int) -> Samples:
    resampler = Resampler(SOURCE_RATE, rate)
    return np.concatenate([resampler.feed(samples), resampler.finish()])


def assert_same_length(data: bytes, encoding: Encoding, samples: Samples) -> None:
    decoded, rate = decode(data, encoding)
    assert len(decoded) / rate == pytest.approx(len(samples) / SOURCE_RATE, abs=0.030)


@pytest.mark.parametrize(("format", "rate"), EVERY_RATE)
@pytest.mark.parametrize("seconds", [0.05, 0.5, 3.21])
def test_the_length_is_kept_within_30_ms(format: str, rate: int, seconds: float, speech: Samples) -> None:
    samples = speech[: round(seconds * SOURCE_RATE)]
    encoding = Encoding.resolve(format, source_rate=SOURCE_RATE, sample_rate=rate)
    assert_same_length(streamed(encoding, samples, 2400), encoding, samples)
    assert_same_length(encode_whole(encoding, SOURCE_RATE, [samples]), encoding, samples)


@pytest.mark.parametrize("format", FORMATS)
def test_any_length_is_kept(format: str, speech: Samples) -> None:
    encoding = Encoding.resolve(format, source_rate=SOURCE_RATE)
    for count in range(1200, 3000, 173):
        assert_same_length(streamed(encoding, speech[:count], 480), encoding, speech[:count])
        assert_same_length(encode_whole(encoding, SOURCE_RATE, [speech[:count]]), encoding, speech[:count])


@pytest.mark.slow
@pytest.mark.parametrize(("format", "rate"), EVERY_RATE)
def test_a_long_text_does_not_drift(format: str, rate: int, speech: Samples) -> None:
    samples = np.tile(speech, 6)[: 60 * SOURCE_RATE]
    encoding = Encoding.resolve(format, source_rate=SOURCE_RATE, sample_rate=rate)
    data = streamed(encoding, samples, 24_000)
    assert_same_length(data, encoding, samples)
    decoded, decoded_rate = decode(data, encoding)
    tail = resampled(samples, decoded_rate)[-3 * decoded_rate :]
    assert abs(shift_between(tail, decoded[-3 * decoded_rate :])) < 0.030 * decoded_rate


@pytest.mark.parametrize(("format", "rate"), EVERY_RATE)
@pytest.mark.parametrize("is_whole", [True, False])
def test_the_speech_is_kept(format: str, rate: int, is_whole: bool, speech: Samples) -> None:
    samples = speech[: 2 * SOURCE_RATE]
    encoding = Encoding.resolve(format, source_rate=SOURCE_RATE, sample_rate=rate)
    if is_whole:
        data = encode_whole(encoding, SOURCE_RATE, np.array_split(samples, 7))
    else:
        data = streamed(encoding, samples, 3333)
    decoded, decoded_rate = decode(data, encoding)
    source = resampled(samples, decoded_rate)
    assert abs(shift_between(source, decoded)) <= 0.001 * decoded_rate
    correlation, level = likeness(source, decoded)
    assert correlation > 0.97
    assert abs(level) < 1


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("rate", [None, 48_000])
def test_chunks_do_not_change_the_bytes(format: str, rate: int | None, speech: Samples) -> None:
    samples = speech[:30_011]
    encoding = Encoding.resolve(format, source_rate=SOURCE_RATE, sample_rate=rate)
    assert len({streamed(encoding, samples, step) for step in (101, 2400, 40_000)}) == 1
    wholes = [encode_whole(encoding, SOURCE_RATE, np.array_split(samples, parts)) for parts in (1, 9)]
    assert wholes[0] == wholes[1]


@pytest.mark.parametrize("format", FORMATS)
def test_a_chunk_may_be_written_over_after_it_was_fed(format: str, speech: Samples) -> None:
    encoding = Encoding.resolve(format, source_rate=SOURCE_RATE)
    encoder, buffer, parts = Encoder(encoding, SOURCE_RATE), np.empty(1000, np.float32), []
    for at in range(0, 10_000, 1000):
        buffer[:] = speech[at : at + 1000]
        parts.append(encoder.feed(buffer))
    assert b"".join([*parts, encoder.finish()]) == streamed(encoding, speech[:10_000], 1000)


@pytest.mark.parametrize("format", FORMATS)
def test_audio_comes_out_as_it_goes_in(format: str, speech: Samples) -> None:
    encoding = Encoding.resolve(format, source_rate=SOURCE_RATE)
    encoder, silent_for = Encoder(encoding, SOURCE_RATE), 0
    for at in range(0, 3 * SOURCE_RATE, 480):
        silent_for = 0 if encoder.feed(speech[at : at + 480]) else silent_for + 480
        assert silent_for <= 0.2 * SOURCE_RATE


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_gives_nothing_or_an_empty_file(format: str) -> None:
    encoding = Encoding.resolve(format, source_rate=SOURCE_RATE)
    encoder = Encoder(encoding, SOURCE_RATE)
    empty = np.zeros(0, np.float32)
    stream = encoder.feed(empty) + encoder.finish()
    whole = encode_whole(encoding, SOURCE_RATE, [empty])
    if format == "wav":
        assert (len(stream), len(whole)) == (44, 44)
        assert struct.unpack_from("<I", whole, 40) == (0,)
    elif format == "flac":
        assert stream[:4] == whole[:4] == b"fLaC"
    else:
        assert stream == whole == b""


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_no_sample_is_made_one(format: str, speech: Samples) -> None:
    samples = speech[:12_000].copy()
    samples[3000:3010] = [np.nan, np.inf, -np.inf, 7, -7, np.nan, np.inf, 3, -3, np.nan]
    encoding = Encoding.resolve(format, source_rate=SOURCE_RATE)
    assert_same_length(streamed(encoding, samples, 2400), encoding, samples)


def test_a_whole_flac_names_its_length_and_its_md5(speech: Samples) -> None:
    encoding = Encoding.resolve("flac", source_rate=SOURCE_RATE)
    data = encode_whole(encoding, SOURCE_RATE, [speech[:25_000]])
    expected = (np.clip(speech[:25_000], -1, 1) * np.float32(32767)).round().astype("<i2").tobytes()
    assert int.from_bytes(data[21:26], "big") & 0xFFFFFFFFF == 25_000
    assert data[26:42] == hashlib.md5(expected, usedforsecurity=False).digest()
    stream = streamed(encoding, speech[:25_000], 1000)
    assert int.from_bytes(stream[21:26], "big") & 0xFFFFFFFFF == 0
    assert stream[42:] == data[42:]


def test_a_whole_mp3_is_exact_to_the_sample(speech: Samples) -> None:
    for rate in RATES["mp3"]:
        encoding = Encoding.resolve("mp3", source_rate=rate, sample_rate=rate)
        decoded, _ = decode(encode_whole(encoding, rate, [speech[:9_999]]), encoding)
        assert len(decoded) == 9_999


def test_opus_is_exact_to_the_sample(speech: Samples) -> None:
    encoding = Encoding.resolve("opus", source_rate=SOURCE_RATE)
    decoded, rate = decode(streamed(encoding, speech[:9_999], 777), encoding)
    assert (rate, len(decoded)) == (48_000, 19_998)


def test_ogg_pages_come_often_and_end_the_stream(speech: Samples) -> None:
    encoding = Encoding.resolve("opus", source_rate=SOURCE_RATE)
    data = streamed(encoding, speech[: 3 * SOURCE_RATE], 480)
    pages, at = [], 0
    while at < len(data):
        magic, flags, granule, _serial, number, _crc, segments = struct.unpack_from("<4sxBqIIIB", data, at)
        assert (magic, number) == (b"OggS", len(pages))
        pages.append((flags, granule))
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
    assert [flags for flags, _ in pages] == [2] + [0] * (len(pages) - 2) + [4]
    assert np.diff([granule for _, granule in pages]).max() <= 9_600


@pytest.mark.parametrize("format", ["mulaw", "alaw"])
def test_g711_is_as_near_as_a_reference_encoder(format: str) -> None:
    samples = np.arange(-32767, 32768).astype(np.float32) / 32767
    encoding = Encoding.resolve(format, source_rate=8_000)
    codec = av.CodecContext.create(f"pcm_{format}", "w")
    codec.sample_rate, codec.layout, codec.format = 8_000, "mono", "s16"
    frame = av.AudioFrame.from_ndarray(np.arange(-32767, 32768, dtype=np.int16)[None], "s16", "mono")
    frame.sample_rate = 8_000
    reference = b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])
    ours, _ = decode(encode_whole(encoding, 8_000, [samples]), encoding)
    theirs, _ = decode(reference, encoding)
    steps = np.maximum(np.abs(samples) / 16, 16 / 32768)
    assert (np.abs(ours - samples) <= steps).all()
    assert np.abs(ours - samples).mean() < 1.01 * np.abs(theirs - samples).mean()


def test_an_encoder_may_go_from_thread_to_thread(speech: Samples) -> None:
    for format in COMPRESSED:
        encoding = Encoding.resolve(format, source_rate=SOURCE_RATE, sample_rate=48_000)
        encoder, parts = Encoder(encoding, SOURCE_RATE), []
        for at in range(0, 12_000, 2400):
            with ThreadPoolExecutor(1) as other_thread:
                parts.append(other_thread.submit(encoder.feed, speech[at : at + 2400]).result())
        assert b"".join([*parts, encoder.finish()]) == streamed(encoding, speech[:12_000], 2400)


def test_encoders_work_side_by_side(speech: Samples) -> None:
    encoding = Encoding.resolve("mp3", source_rate=SOURCE_RATE, sample_rate=44_100)
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(streamed, encoding, speech[:24_000], 999) for _ in range(4)]
        results = {job.result() for job in running}
    assert results == {streamed(encoding, speech[:24_000], 999)}


_ABANDON = """
import sys
from pathlib import Path
import numpy as np
from gpu_worker.audio import Encoder, Encoding

def resident_kb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4

encoding = Encoding.resolve(sys.argv[1], source_rate=24_000, sample_rate=48_000)
samples = np.random.default_rng(1).uniform(-0.5, 0.5, 12_000).astype(np.float32)
for number in range(1000):
    encoder = Encoder(encoding, 24_000)
    encoder.feed(samples)
    if number % 2:
        encoder.finish()
    if number == 200:
        early = resident_kb()
print(resident_kb() - early)
"""


@pytest.mark.slow
@pytest.mark.parametrize("format", COMPRESSED)
def test_a_thousand_encoders_leave_nothing_behind(format: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ABANDON, format], capture_output=True, text=True, check=True, timeout=110
    )
    assert done.stderr == ""
    # 15 kB each: less than any encoder takes, more than the allocator keeps of one or two.
    assert int(done.stdout) < 12_000
