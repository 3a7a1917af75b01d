"""From an engine's samples to what a listener gets: checked, stretched, joined and encoded."""

from __future__ import annotations

from gpu_worker.audio.checks import PieceCheck, Verdict, check
from gpu_worker.audio.encoding import (
    FORMATS,
    MEDIA_TYPES,
    Encoder,
    Encoding,
    EncodingError,
    WholeEncoder,
    encode_whole,
)
from gpu_worker.audio.joining import Joiner
from gpu_worker.audio.pcm import (
    WAV_HEADER_BYTES,
    Samples,
    duration_ms,
    to_pcm16,
    wav_header,
)
from gpu_worker.audio.stretching import Stretcher, stretch

__all__ = [
    "FORMATS",
    "MEDIA_TYPES",
    "WAV_HEADER_BYTES",
    "Encoder",
    "Encoding",
    "EncodingError",
    "Joiner",
    "PieceCheck",
    "Samples",
    "Stretcher",
    "Verdict",
    "WholeEncoder",
    "check",
    "duration_ms",
    "encode_whole",
    "stretch",
    "to_pcm16",
    "wav_header",
]
