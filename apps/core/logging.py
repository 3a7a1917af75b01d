"""One line an event, with what the context of the request adds: structlog's own, and the standard library's.

Never logged: API keys, tokens, and the text that is spoken.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, TextIO

import structlog

SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# `json.dumps` makes an encoder for each call.
_encode = json.JSONEncoder(default=repr).encode


class HasTraceback(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)


class NamedWriter(structlog.WriteLogger):
    """Writes finished lines. A detour through the standard library would double what a line costs."""

    def __init__(self, name: str, file: TextIO) -> None:
        super().__init__(file)
        self.name = name


def configure_structlog(*, level: str, renderer: Any) -> None:
    file = sys.stderr
    structlog.configure(
        processors=[*SHARED_PROCESSORS, structlog.processors.format_exc_info, renderer],
        logger_factory=lambda name="voiceflow": NamedWriter(name, file),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )


def logging_config(*, level: str, style: str) -> dict[str, Any]:
    """A `LOGGING` dictionary; `style` is json, or console for people."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False)
        if style == "console"
        else structlog.processors.JSONRenderer(serializer=lambda event, **_: _encode(event))
    )
    configure_structlog(level=level, renderer=renderer)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"has_traceback": {"()": HasTraceback}},
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED_PROCESSORS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Each request has its line from apps.core.middleware; of Django's own only tracebacks are news.
            "django.request": {"level": "ERROR", "filters": ["has_traceback"]},
            "django.server": {"handlers": [], "propagate": False},
            "httpx": {"level": "WARNING"},
            "asyncio": {"level": "WARNING"},
        },
    }
