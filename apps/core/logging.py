"""structlog over the standard library: one line an event, with what the context of the request adds.

Never logged: API keys, tokens, and the text that is spoken.
"""

from __future__ import annotations

import logging
from typing import Any

import structlog

SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


class HasTraceback(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)


def configure_structlog() -> None:
    # Of a record nothing is printed but its time, level, name and message: the rest need not be found out.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_config(*, level: str, style: str) -> dict[str, Any]:
    """A `LOGGING` dictionary; `style` is json, or console for people."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False)
        if style == "console"
        else structlog.processors.JSONRenderer()
    )
    configure_structlog()
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
