"""One line an event on standard output, as JSON or for people; never a spoken text, never a token."""

from __future__ import annotations

import json
import logging
import sys
import time
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


class ConsoleFormatter(logging.Formatter):
    """Time, event and fields, for a person at a terminal; what has spaces is on a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        fields: dict[str, object] = dict(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1]:
            fields.update(where_raised(record.exc_info[1]))
        words = [time.strftime("%H:%M:%S", time.localtime(record.created))]
        if record.levelno > logging.INFO:
            words.append(record.levelname)
        words.append(record.getMessage())
        words += [f"{name}={value}" for name, value in fields.items() if " " not in str(value)]
        own_lines = [f"         {name}: {value}" for name, value in fields.items() if " " in str(value)]
        return "\n".join([" ".join(words), *own_lines])


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


def configure_logging(log_format: str) -> None:
    """Sends every logger's lines to standard output; `auto` is for people where that is a terminal."""
    is_console = log_format == "console" or (log_format == "auto" and sys.stdout.isatty())
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(ConsoleFormatter() if is_console else JsonFormatter())
    handler.addFilter(_is_news)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
