"""What is asked for, whatever surface asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from apps.core.errors import InvalidRequest
from apps.usage.models import UsageRecord
from gpu_worker.protocol import Encoding, EncodingError, Format

# Of every engine there is; a format without a rate of its own is made at this one.
ENGINE_RATE = 24_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechBody:
    """A checked body. `None` leaves a value to the platform (model, voice) or to the engine (the others).

    `sample_rate` is in Hz, `bitrate` in bit/s. With `word_times` marks are as fine as the engine knows them.
    `voice_stands_for` is a voice of an engine's that `voice` is another word for, unless the organization has
    one of its own by that name.
    """

    text: str
    model: str | None = None
    voice: str | None = None
    voice_stands_for: str | None = None
    language: str | None = None
    speed: float = 1.0
    seed: int | None = None
    exaggeration: float | None = None
    cfg_weight: float | None = None
    temperature: float | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    format: Format = "wav"
    sample_rate: int | None = None
    bitrate: int | None = None
    stream: bool = False
    normalize: Literal["auto", "on", "off"] = "auto"
    unknown_tags: Literal["error", "drop", "speak"] = "speak"
    word_times: bool = False

    def encoding(self) -> Encoding:
        """Format, rate and bit rate with what was left open filled in. Raises `InvalidRequest`."""
        try:
            return Encoding.resolve(
                self.format, source_rate=ENGINE_RATE, sample_rate=self.sample_rate, bitrate=self.bitrate
            )
        except EncodingError as error:
            raise InvalidRequest(error.message, param=error.param) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a request comes from: what it is recorded with beside its body.

    `started` is `time.perf_counter()` at its arrival. `body_hash` names its bytes, so that a retry is known
    for one; `wait_seconds` is how long the caller would wait for a worker, `None` where it does not say.
    With `keep` false the caller wants nothing of it to be kept.
    """

    request_id: str
    surface: str
    started: float
    body_hash: UUID | None = None
    wait_seconds: float | None = None
    keep: bool = True

    @property
    def is_kept(self) -> bool:
        """Whether a history may hold it; a job keeps its own text and file."""
        return self.keep and self.surface != UsageRecord.Surface.JOB
