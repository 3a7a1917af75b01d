"""`output_format`: ElevenLabs' names for how audio is encoded, and what each is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gpu_worker.protocol import Format

DEFAULT: Final = "mp3_44100_128"


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """`sample_rate` is in Hz, `bitrate` in bit/s."""

    format: Format
    sample_rate: int
    bitrate: int | None = None


_PCM_RATES: Final = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_KBPS: Final = (32, 64, 96, 128, 192)

OUTPUT_FORMATS: Final[dict[str, OutputFormat]] = {
    "mp3_22050_32": OutputFormat("mp3", 22_050, 32_000),
    "mp3_24000_48": OutputFormat("mp3", 24_000, 48_000),
    **{f"mp3_44100_{kbps}": OutputFormat("mp3", 44_100, kbps * 1000) for kbps in _KBPS},
    **{f"opus_48000_{kbps}": OutputFormat("opus", 48_000, kbps * 1000) for kbps in _KBPS},
    **{f"pcm_{rate}": OutputFormat("pcm", rate) for rate in _PCM_RATES},
    **{f"wav_{rate}": OutputFormat("wav", rate) for rate in _PCM_RATES},
    "ulaw_8000": OutputFormat("mulaw", 8_000),
    "alaw_8000": OutputFormat("alaw", 8_000),
}
