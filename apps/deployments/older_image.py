"""The older image `ghcr.io/wallscaler/chatterbox-tts:v1.1.0`, which does not speak today's wire.

Its `/ready` answers 200 `{"ready": true}`, or 503 with `{"detail": {"loading_time_seconds": …}}`; its
`/generate` takes `{"text"}` and answers a whole WAV. It lists nothing, so what it can do is known from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gpu_worker.protocol import API_KEY_HEADER

PROTOCOL: Final = 0
TOKEN_HEADER: Final = API_KEY_HEADER
CAPABILITIES: Final[Mapping[str, Any]] = {
    "protocol": PROTOCOL,
    "version": "1.1.0",
    "engine": "chatterbox",
    "models": ["chatterbox"],
    "voices": ["default"],
    "languages": ["en"],
    "features": [],
    "formats": ["wav"],
    "sample_rate": 24_000,
    "max_batch": 1,
    "queue": {"active": 0, "waiting": 0, "capacity": 1},
}


def is_ready(body: object) -> bool:
    """Whether this is how it says that it can speak."""
    return isinstance(body, dict) and "protocol" not in body and body.get("ready") is True


def is_loading(body: object) -> bool:
    """Whether this is how it says that its model still loads."""
    if not isinstance(body, dict) or "protocol" in body:
        return False
    detail = body.get("detail")
    return body.get("ready") is False or (isinstance(detail, dict) and "loading_time_seconds" in detail)
