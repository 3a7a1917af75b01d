"""Speech as server-sent events: `stream_format: "sse"`."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from apps.core.errors import UpstreamFailed
from apps.tts.answers import streamed
from apps.tts.openai.surface import error_body
from apps.tts.speech import Speech, StreamCut

MEDIA_TYPE: Final = "text/event-stream"
# OpenAI's speech models make about so many tokens of a second.
OUTPUT_TOKENS_A_SECOND: Final = 20


async def events(speech: Speech) -> AsyncGenerator[bytes]:
    """Deltas as audio is made, then `speech.audio.done`.

    Raises `StreamCut` after an `error` where the worker broke off, so that nothing takes it for whole.
    """
    try:
        async with aclosing(streamed(speech)) as parts:
            async for data in parts:
                yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()})
    except StreamCut:
        yield _event(error_body(UpstreamFailed("The speech broke off before its end. Ask again.")))
        raise
    yield _event({"type": "speech.audio.done", "usage": usage(speech)})


def usage(speech: Speech) -> dict[str, int]:
    """`input_tokens` are the characters of the text, `output_tokens` twentieths of a second of audio."""
    characters = len(speech.body.text)
    made = math.ceil(speech.outcome.audio_ms * OUTPUT_TOKENS_A_SECOND / 1000)
    return {"input_tokens": characters, "output_tokens": made, "total_tokens": characters + made}


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
