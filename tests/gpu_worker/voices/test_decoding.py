"""Recordings are decoded whatever they come in, and what is none is refused with a reason."""

from __future__ import annotations

import io
import random
import struct
import time

import av
import numpy as np
import pytest

from gpu_worker.references.decoding import InvalidReferenceError, decode_reference
from gpu_worker.references.reference import Reference
from tests.gpu_worker.voices.recordings import (
    FORMATS,
    encoded,
    encoded_as,
    loudest_hertz,
    recording,
    sha256_of,
    tone,
    wav,
)

RATE = 24_000


def decoded(data: bytes) -> Reference:
    """At the rate of the engines."""
    return decode_reference(data, sha256_of(data), RATE)


def reason(data: bytes) -> str:
    """The words of the refusal."""
    with pytest.raises(InvalidReferenceError) as refusal:
        decoded(data)
    message = str(refusal.value)
    assert message.endswith(".")
    return message


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_decoded_to_mono_at_the_engines_rate(name: str) -> None:
    data = encoded(name)
    reference = decoded(data)
    assert (reference.sha256, reference.sample_rate) == (sha256_of(data), RATE)
    assert reference.samples.dtype == np.float32
    assert reference.seconds == pytest.approx(4, abs=0.1)
    assert loudest_hertz(reference.samples, RATE) == pytest.approx(330, abs=1)
    assert 0.4 < np.percentile(np.abs(reference.samples), 99) < 0.6


def test_cover_art_and_broken_titles_do_no_harm() -> None:
    title = b"TIT2" + struct.pack(">I", 4) + b"\0\0" + b"\x03\xff\xfe\xfa"
    data = b"ID3\x03\0\0" + bytes([0, 0, 0, len(title)]) + title + encoded("mp3")
    assert decoded(data).seconds == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (recording(seconds=2.9), "2.9 s long; it must be 3 to 30 s"),
        (recording(seconds=31), "longer than 30 s"),
        (recording(level=0), "silent"),
        (recording(level=0.001), "silent"),
        (wav(np.full(96_000, 9_000, np.int16)), "silent"),
        (wav(np.sign(tone(330, 4, RATE)) * 32_767), "clipped"),
        (b"", "known format"),
        (b"x", "known format"),
        (b"\xff", "known format"),
        (b"RIFF", "known format"),
        (b"#EXTM3U\n#EXTINF:4,\nfile:///etc/passwd\n", "known format"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "known format"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>', "known format"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "known format"),
        (b"%PDF-1.7\n" + bytes(1000), "known format"),
        (b"PK\x03\x04" + bytes(1000), "known format"),
        (b"hello, this is a text\n" * 100, "known format"),
        (b"fLaC" + bytes(1000), "damaged"),
        (b"OggS" + bytes(1000), "damaged"),
        (b"\x1a\x45\xdf\xa3" + bytes(1000), "damaged"),
        (b"\0\0\0\x20ftypM4A " + bytes(1000), "damaged"),
        (recording()[:44], ""),
        (recording()[:20], "damaged"),
    ],
)
def test_what_is_no_reference_is_refused_with_the_reason(data: bytes, words: str) -> None:
    assert words in reason(data)


def test_the_bounds_of_level_and_length_are_within() -> None:
    assert decoded(recording(level=1.0)).seconds == 4
    assert decoded(recording(seconds=30)).seconds == 30


@pytest.mark.parametrize(
    ("rate", "channels", "words"),
    [
        (4_000, 1, "4000 samples a second"),
        (384_000, 1, "384000 samples a second"),
        (2**31 - 1, 1, "samples a second"),
        (0, 1, ""),
        (8_000, 64, "1 to 8 channels"),
        (8_000, 65_535, "1 to 8 channels"),
    ],
)
def test_odd_rates_and_channels(rate: int, channels: int, words: str) -> None:
    samples = tone(330, 4, 8_000)
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 2 * len(samples), b"WAVE", b"fmt ", 16, 1, channels, rate,
        min(2**32 - 1, 2 * rate * channels), 2 * channels % 65_536, 16, b"data", 2 * len(samples),
    )  # fmt: skip
    assert words in reason(header + samples.tobytes())


def test_a_video_is_refused() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        picture = output.add_stream("mjpeg", rate=25, options={"strict": "-1"})
        picture.width = picture.height = 64
        sound = output.add_stream("pcm_s16le", rate=RATE, layout="mono")
        image = av.VideoFrame(64, 64, "yuvj420p")
        image.pts = 0
        frame = av.AudioFrame.from_ndarray(tone(330, 4, RATE).reshape(1, -1), "s16", "mono")
        frame.sample_rate = RATE
        frame.pts = 0
        for packet in (*picture.encode(image), *picture.encode(None), *sound.encode(frame), *sound.encode()):
            output.mux(packet)
    assert "no video" in reason(file.getvalue())


def test_a_codec_that_is_not_on_the_list_is_refused() -> None:
    adpcm = encoded_as("wav", "adpcm_ms", 22_050, "mono", tone(330, 4, 22_050))
    assert "codec is not taken" in reason(adpcm)


def test_a_small_file_that_would_fill_memory_is_refused_as_too_long() -> None:
    an_hour = encoded_as("flac", "flac", 8_000, "mono", np.zeros(3600 * 8_000, np.int16))
    assert len(an_hour) < 1_000_000
    assert "longer than 30 s" in reason(an_hour)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_file_is_decoded_as_far_as_it_goes_or_refused(name: str) -> None:
    data = encoded(name, seconds=8)
    try:
        reference = decoded(data[: len(data) * 2 // 3])
    except InvalidReferenceError:
        return
    assert 3 <= reference.seconds < 8


def test_noise_behind_the_first_bytes_of_a_format_is_refused() -> None:
    noise = random.Random(1).randbytes(200_000)
    for head in (b"\xff\xfb\x90\x00", b"\xff\xf1\x50\x80", b"ID3\x04\0\0\0\0\0\0", b"OggS", b"fLaC"):
        assert reason(head + noise)


@pytest.mark.slow
def test_mutated_recordings_are_decoded_or_refused_and_nothing_else() -> None:
    chance = random.Random(3)
    originals = [encoded(name) for name in FORMATS]
    give_up_at = time.monotonic() + 60
    outcomes = {"decoded": 0, "refused": 0}
    while time.monotonic() < give_up_at and sum(outcomes.values()) < 500:
        data = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 4, 32, 256))):
            # Headers matter most, so half of the changes go there.
            where = chance.randrange(min(len(data), 512) if chance.random() < 0.5 else len(data))
            data[where] = chance.choice((0, 0xFF, 0x7F, 0x80, chance.randrange(256)))
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        started_at = time.monotonic()
        try:
            reference = decoded(bytes(data))
            assert 3 <= reference.seconds <= 30.25
            assert np.isfinite(reference.samples).all()
            outcomes["decoded"] += 1
        except InvalidReferenceError:
            outcomes["refused"] += 1
        assert time.monotonic() - started_at < 25
    assert min(outcomes.values()) > 20, outcomes
