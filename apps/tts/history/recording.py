"""From a speech that has ended to the history, beside the requests of a speech process."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import TYPE_CHECKING, Final, Literal

import structlog

from apps.core import metrics
from apps.core.threads import BlockingThreads
from apps.tts import wav
from apps.tts.history import items
from apps.tts.history.items import Heard
from apps.tts.request import SpeechBody
from apps.tts.tapes import Tape, Tapes

if TYPE_CHECKING:
    from apps.tts.speech import Speech

logger = structlog.get_logger(__name__)

# What waits to be written, beside the bound of bytes that `Tapes` sets.
MOST_WAITING: Final = 500
_THREADS: Final = 2
_STOP_SECONDS: Final = 10.0
# What is told beside text, model, voice and format, where it was not left as it is.
_OPTIONS: Final = (
    "language",
    "speed",
    "seed",
    "exaggeration",
    "cfg_weight",
    "temperature",
    "top_p",
    "min_p",
    "repetition_penalty",
    "sample_rate",
    "bitrate",
    "normalize",
    "unknown_tags",
)
_USUAL: Final = {field.name: field.default for field in fields(SpeechBody) if field.name in _OPTIONS}
_CODECS: Final[dict[str, Literal["pcm", "alaw", "mulaw"]]] = {
    "wav": "pcm",
    "pcm": "pcm",
    "alaw": "alaw",
    "mulaw": "mulaw",
}


class Recorder:
    """Of one speech process, on one event loop. What goes wrong here is logged, counted, and hurts nobody."""

    def __init__(self, tapes: Tapes) -> None:
        self._tapes = tapes
        self._threads = BlockingThreads(_THREADS, name="history")
        self._tasks: set[asyncio.Task[None]] = set()

    def tape(self) -> Tape:
        """For the audio of a speech, as a worker gives it."""
        return self._tapes.new()

    def take(self, speech: Speech, tape: Tape) -> None:
        """A speech has ended: what came whole is kept, anything else is forgotten. Never waits."""
        if not speech.is_whole:
            tape.release()
            return
        if len(self._tasks) >= MOST_WAITING:
            tape.release()
            self._lost(speech.source.request_id, "too many wait")
            return
        task = asyncio.create_task(self._keep(_heard(speech), _head(speech, tape), tape))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Writes what waits, for as long as a stop may take."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        self._threads.stop()

    async def _keep(self, heard: Heard, head: bytes, tape: Tape) -> None:
        try:
            await self._threads.run(lambda: items.keep(heard, head + tape.content()))
        except Exception as error:  # noqa: BLE001 - no request waits for it
            # Its words may quote the row, and with that the text.
            self._lost(heard.request_id, type(error).__name__)
        finally:
            tape.release()

    def _lost(self, request_id: str, reason: str) -> None:
        metrics.HISTORY_LOST.inc()
        logger.error("not kept in the history", request_id=request_id, reason=reason)


def _heard(speech: Speech) -> Heard:
    identity, body = speech.admitted.identity, speech.body
    asked = {name: getattr(body, name) for name in _USUAL}
    return Heard(
        id=speech.admitted.record_id,
        organization_id=identity.organization_id,
        key_id=identity.key_id,
        request_id=speech.source.request_id,
        mode=identity.mode,
        surface=speech.source.surface,
        model=speech.choice.model,
        voice=speech.choice.voice,
        format=speech.encoding.format,
        options={name: value for name, value in asked.items() if value != _USUAL[name]},
        text=body.text,
        audio_ms=speech.outcome.audio_ms,
    )


def _head(speech: Speech, tape: Tape) -> bytes:
    """What makes a file of bare samples."""
    codec = _CODECS.get(speech.encoding.format)
    if codec is None or not tape.is_whole:
        return b""
    return wav.header(sample_rate=speech.sample_rate, data_bytes=tape.size, codec=codec)
