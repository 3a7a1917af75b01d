"""The formats, their rates and bit rates, and what stands in for those that a caller leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

FORMATS: Final = ("wav", "pcm", "mp3", "opus", "aac", "flac", "mulaw", "alaw")
MEDIA_TYPES: Final = {
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg;codecs=opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "mulaw": "audio/PCMU",
    "alaw": "audio/PCMA",
}
# Formats without a header: what plays them must be told the rate.
_BARE: Final = frozenset({"pcm", "mulaw", "alaw"})

_PCM_RATES: Final = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
RATES: Final[dict[str, tuple[int, ...]]] = {
    "wav": _PCM_RATES,
    "pcm": _PCM_RATES,
    "flac": _PCM_RATES,
    # Frames of MP3 at 8 kHz (576 samples) and of AAC at 16 kHz (1,024) are too long for lengths within 30 ms.
    "mp3": (11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    "opus": (8_000, 12_000, 16_000, 24_000, 48_000),
    "aac": (22_050, 24_000, 32_000, 44_100, 48_000),
    "mulaw": (8_000, 16_000, 24_000, 48_000),
    "alaw": (8_000, 16_000, 24_000, 48_000),
}
MPEG1_KBPS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG2_KBPS: Final = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_OPUS_BITRATES: Final = (6_000, 256_000)
_AAC_LOWEST_BITRATE: Final = 16_000
_AAC_BITS_A_SAMPLE: Final = 6
# LAME has fewer bit rates where MPEG 2.5 is meant.
_MPEG25_KBPS: Final = (8, 16, 24, 32, 40, 48, 56, 64)


class EncodingError(ValueError):
    """A format that cannot be made; `param` names the field at fault: format, sample_rate or bitrate."""

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
            _refuse("format", f"must be one of {', '.join(FORMATS)}")
        rate = _default_rate(format, source_rate) if sample_rate is None else sample_rate
        if rate not in RATES[format]:
            _refuse("sample_rate", f"of {format} must be one of {_listed(RATES[format])} Hz, not {rate}")
        return cls(format, rate, _resolved_bitrate(format, rate, bitrate))

    @property
    def media_type(self) -> str:
        """What Content-Type names."""
        media_type = MEDIA_TYPES[self.format]
        return f"{media_type};rate={self.sample_rate};channels=1" if self.format in _BARE else media_type


def _default_rate(format: str, source_rate: int) -> int:
    """The engine's own where the format has it, else the next above."""
    if format in ("mulaw", "alaw"):
        return 8_000
    return next((rate for rate in RATES[format] if rate >= source_rate), RATES[format][-1])


def _resolved_bitrate(format: str, rate: int, bitrate: int | None) -> int | None:
    if format == "mp3":
        kbps = MPEG1_KBPS if rate >= 32_000 else MPEG2_KBPS if rate >= 16_000 else _MPEG25_KBPS
        default = 96_000 if rate >= 32_000 else 64_000 if rate >= 22_050 else 32_000
        if bitrate is not None and bitrate not in [1000 * rate for rate in kbps]:
            _refuse("bitrate", f"of mp3 at {rate} Hz must be one of {_listed(kbps)} thousand bit/s")
        return bitrate or default
    if format == "opus":
        default = 48_000 if rate == 48_000 else 32_000 if rate == 24_000 else 24_000
        return _within(format, rate, bitrate, _OPUS_BITRATES, default)
    if format == "aac":
        bounds = (_AAC_LOWEST_BITRATE, _AAC_BITS_A_SAMPLE * rate)
        return _within(format, rate, bitrate, bounds, 96_000 if rate >= 32_000 else 64_000)
    if bitrate is not None:
        _refuse("bitrate", f"is for mp3, opus and aac; {format} has none to choose, so leave it out")
    return None


def _within(format: str, rate: int, bitrate: int | None, bounds: tuple[int, int], default: int) -> int:
    low, high = bounds
    if bitrate is None:
        return default
    if not low <= bitrate <= high:
        _refuse("bitrate", f"of {format} at {rate} Hz must be from {low} to {high} bit/s, not {bitrate}")
    return bitrate


def _listed(values: Sequence[int]) -> str:
    return ", ".join(str(value) for value in values)


def _refuse(param: str, what: str) -> NoReturn:
    raise EncodingError(param, f"{param} {what}.")
