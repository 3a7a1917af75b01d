"""One JSON object a line on standard output; never a text that was spoken, never a token."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

_ABORTED = "ASGI callable returned without completing response."


class JsonFormatter(logging.Formatter):
    """The message as `event`, and what the record carries as `fields` beside it."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line.update(where_raised(record.exc_info[1]))
        return json.dumps(line, separators=(",", ":"))


def where_raised(error: BaseException) -> dict[str, object]:
    """An exception by type and place; its message is left out, for it may quote the text."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _is_news(record: logging.LogRecord) -> bool:
    """False for uvicorn's complaint about an answer that was cut on purpose; the request's line tells it."""
    return record.getMessage() != _ABORTED


def configure_logging() -> None:
    """Sends every logger's lines to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(_is_news)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
