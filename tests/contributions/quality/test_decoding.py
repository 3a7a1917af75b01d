"""Files of every format that browsers and people send, and of none."""

from __future__ import annotations

import io
import time
import wave
from fractions import Fraction

import av
import numpy as np
import pytest

from apps.contributions.quality import child, decoding
from apps.contributions.quality.decoding import MAX_SECONDS, SAMPLE_RATE, Refused, decode
from apps.contributions.quality.refusals import MAX_BYTES, WORDS
from tests.contributions.quality.clips import FORMATS, Spoken, encoded, rms_decibels

# A child starts, refuses and ends within this, also on a machine of which others take the most.
_SOON_SECONDS = 30


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_decoded_by_what_it_holds(name: str, spoken: Spoken) -> None:
    samples = decode(spoken.file(name))
    assert len(samples) == pytest.approx(spoken.seconds * SAMPLE_RATE, rel=0.03)
    assert rms_decibels(samples) == pytest.approx(rms_decibels(spoken.samples), abs=1)


def test_stereo_is_mixed_down(spoken: Spoken) -> None:
    samples = decode(_wav(np.repeat(spoken.samples, 2), channels=2))
    assert len(samples) == pytest.approx(spoken.seconds * SAMPLE_RATE, rel=0.01)


def _wav(samples: np.ndarray, rate: int = 24_000, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((channels, 2, rate, 0, "NONE", ""))
        writer.writeframes(np.round(samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _long_silence() -> bytes:
    """An hour in 0.7 MB."""
    into = io.BytesIO()
    with av.open(into, "w", format="flac") as file:
        stream = file.add_stream("flac", rate=8_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8_000
        for _ in range(3600 * 8_000 // 4096):
            frame.pts = None
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return into.getvalue()


def _tiny_packets() -> bytes:
    """One sample a packet, more packets than any clip has."""
    into = io.BytesIO()
    with av.open(into, "w", format="matroska") as file:
        stream = file.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for number in range(25_000):
            packet = av.Packet(b"\x01\x00")
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base = Fraction(1, 48_000)
            file.mux(packet)
    return into.getvalue()


def _video() -> bytes:
    into = io.BytesIO()
    with av.open(into, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 32
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return into.getvalue()


def _two_streams() -> bytes:
    into = io.BytesIO()
    with av.open(into, "w", format="matroska") as file:
        streams = [file.add_stream("pcm_s16le", rate=8_000, layout="mono") for _ in range(2)]
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
            frame.sample_rate = 8_000
            file.mux(stream.encode(frame))
    return into.getvalue()


_SECOND = np.zeros(24_000)
HOSTILE = {
    "nothing": (lambda: b"", {"empty"}),
    "too many bytes": (lambda: b"RIFF" + bytes(MAX_BYTES), {"too_large"}),
    "a page": (lambda: b"<!DOCTYPE html><html><script>alert(1)</script></html>", {"not_audio"}),
    "chance": (lambda: np.random.default_rng(1).bytes(50_000), {"not_audio", "damaged"}),
    "an archive": (lambda: b"PK\x03\x04" + bytes(500), {"not_audio"}),
    "a list of other files": (lambda: b"ffconcat version 1.0\nfile /etc/hostname\n", {"not_audio"}),
    "a playlist": (lambda: b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/a.ts\n", {"not_audio"}),
    "a head without a body": (lambda: _wav(_SECOND)[:44], {"no_samples", "damaged"}),
    "a tag and then chance": (
        lambda: b"ID3\x04\x00\x00\x00\x00\x00\x00" + np.random.default_rng(2).bytes(9_000),
        {"damaged", "no_samples", "not_audio"},
    ),
    "a rate of 2 GHz": (lambda: _wav(_SECOND, rate=2_000_000_000), {"sample_rate", "damaged"}),
    "a rate of 1 Hz": (lambda: _wav(_SECOND, rate=1), {"sample_rate", "damaged"}),
    "200 channels": (lambda: _wav(_SECOND, channels=200), {"channels", "damaged"}),
    "an hour of silence": (_long_silence, {"too_long"}),
    "61 seconds": (lambda: _wav(np.zeros(61 * 8_000), rate=8_000), {"too_long"}),
    "thousands of tiny packets": (_tiny_packets, {"too_long"}),
    "a video": (_video, {"video"}),
    "two recordings": (_two_streams, {"streams"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_in_a_clear_refusal(name: str) -> None:
    make, codes = HOSTILE[name]
    data = make()
    started = time.monotonic()
    with pytest.raises(Refused) as refusal:
        decode(data)
    assert refusal.value.code in codes
    assert refusal.value.code in WORDS
    assert time.monotonic() - started < _SOON_SECONDS


def test_what_hides_behind_a_recording_is_not_kept(spoken: Spoken) -> None:
    samples = decode(spoken.file("wav") + b"<script>alert(1)</script>PK\x03\x04")
    assert len(samples) == pytest.approx(spoken.seconds * SAMPLE_RATE, rel=0.01)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_cut_at_any_byte_is_shorter_or_refused(name: str, other: Spoken) -> None:
    """Within this process, for a child each would take minutes: it catches these same errors."""
    data = other.file(name)
    whole = len(child.decoded(data))
    cuts = sorted({*range(1, 64, 7), *np.linspace(64, len(data) - 1, 40).astype(int).tolist()})
    for length in cuts:
        try:
            assert len(child.decoded(data[:length])) <= whole
        except (child.Refused, child.UnknownFormat, av.FFmpegError, ValueError, LookupError):
            continue


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_changed_bytes_end_in_samples_or_a_refusal(name: str, other: Spoken) -> None:
    data, chance = bytearray(other.file(name)), np.random.default_rng(3)
    for _ in range(25):
        broken = bytearray(data)
        for at in chance.integers(len(data), size=int(chance.integers(1, 200))):
            broken[at] = int(chance.integers(256))
        try:
            samples, code = decode(bytes(broken)), "empty"
        except Refused as refusal:
            samples, code = np.zeros(0, np.float32), refusal.code
        assert len(samples) <= (MAX_SECONDS + 1) * SAMPLE_RATE
        assert code in WORDS


def test_a_decoder_that_a_limit_ends_is_a_refusal(monkeypatch: pytest.MonkeyPatch, spoken: Spoken) -> None:
    """As the kernel ends one: no answer, and a status that is not 0."""
    monkeypatch.setattr(decoding.sys, "executable", "/bin/false")
    with pytest.raises(Refused, match="too_much_work"):
        decode(spoken.file("wav"))


def test_the_highest_rates_are_taken(spoken: Spoken) -> None:
    data = encoded(spoken.samples, spoken.rate, "flac", "flac", 192_000)
    assert len(decode(data)) == pytest.approx(spoken.seconds * SAMPLE_RATE, rel=0.01)
