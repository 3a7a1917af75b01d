"""What a caller may ask of a format."""

from __future__ import annotations

import pytest

from gpu_worker.audio import FORMATS, MEDIA_TYPES, Encoding, EncodingError


@pytest.mark.parametrize(
    ("format", "source_rate", "expected"),
    [
        ("wav", 24_000, (24_000, None)),
        ("pcm", 24_000, (24_000, None)),
        ("flac", 44_100, (44_100, None)),
        ("mp3", 24_000, (24_000, 64_000)),
        ("mp3", 48_000, (48_000, 96_000)),
        ("opus", 24_000, (24_000, 32_000)),
        ("opus", 44_100, (48_000, 48_000)),
        ("aac", 16_000, (22_050, 64_000)),
        ("mulaw", 24_000, (8_000, None)),
        ("alaw", 48_000, (8_000, None)),
    ],
)
def test_what_is_left_open_follows_the_engine(
    format: str, source_rate: int, expected: tuple[int, int | None]
) -> None:
    encoding = Encoding.resolve(format, source_rate=source_rate)
    assert (encoding.sample_rate, encoding.bitrate) == expected


def test_what_is_asked_is_taken() -> None:
    assert Encoding.resolve("mp3", source_rate=24_000, sample_rate=44_100, bitrate=128_000) == Encoding(
        "mp3", 44_100, 128_000
    )


@pytest.mark.parametrize(
    ("format", "sample_rate", "bitrate", "param", "words"),
    [
        ("ogg", None, None, "format", "wav, pcm, mp3, opus, aac, flac, mulaw, alaw"),
        ("wav", 11_025, None, "sample_rate", "8000, 16000, 22050, 24000, 32000, 44100, 48000 Hz, not 11025"),
        ("opus", 44_100, None, "sample_rate", "8000, 12000, 16000, 24000, 48000 Hz, not 44100"),
        ("aac", 8_000, None, "sample_rate", "22050"),
        ("mp3", 8_000, None, "sample_rate", "11025"),
        ("mp3", 24_000, 320_000, "bitrate", "160 thousand bit/s"),
        ("mp3", 44_100, 8_000, "bitrate", "32, 40"),
        ("mp3", 12_000, 160_000, "bitrate", "64 thousand bit/s"),
        ("opus", 24_000, 512_000, "bitrate", "from 6000 to 256000 bit/s, not 512000"),
        ("aac", 24_000, 512_000, "bitrate", "from 16000 to 144000 bit/s"),
        ("wav", None, 64_000, "bitrate", "leave it out"),
        ("mulaw", None, 64_000, "bitrate", "leave it out"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(
    format: str, sample_rate: int | None, bitrate: int | None, param: str, words: str
) -> None:
    with pytest.raises(EncodingError) as refusal:
        Encoding.resolve(format, source_rate=24_000, sample_rate=sample_rate, bitrate=bitrate)
    assert refusal.value.param == param
    assert refusal.value.message.startswith(param)
    assert words in refusal.value.message


def test_media_types() -> None:
    assert set(MEDIA_TYPES) == set(FORMATS)
    assert Encoding.resolve("mp3", source_rate=24_000).media_type == "audio/mpeg"
    assert Encoding.resolve("pcm", source_rate=24_000).media_type == "audio/pcm;rate=24000;channels=1"
    assert Encoding.resolve("mulaw", source_rate=24_000).media_type == "audio/PCMU;rate=8000;channels=1"
