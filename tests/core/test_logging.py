"""Log lines: one JSON object each, with what the context adds; tracebacks of faults, no noise of refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SCRIPT = """
import logging, logging.config, sys, structlog
from apps.core.logging import logging_config

logging.config.dictConfig(logging_config(level="INFO", style=sys.argv[1]))
structlog.get_logger("voiceflow.test").info("before any request", lease="l1")
structlog.contextvars.bind_contextvars(request_id="req_1", organization="acme")
structlog.get_logger("voiceflow.test").warning("ours")
logging.getLogger("some.library").warning("of a library")
try:
    raise KeyError("lost")
except KeyError:
    logging.getLogger("django.request").exception("a fault")
structlog.get_logger("voiceflow.test").debug("too fine")
logging.getLogger("django.request").error("Not Found: /favicon.ico")
logging.getLogger("httpx").info("HTTP Request: GET")
"""


def said(style: str) -> str:
    """What a process of its own writes to standard error."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, style], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr


@pytest.fixture(scope="module")
def lines() -> dict[str, dict[str, Any]]:
    """By event; each line of output is one JSON object."""
    events = [json.loads(line) for line in said("json").splitlines()]
    return {event["event"]: event for event in events}


def test_a_line_has_time_level_and_source(lines: dict[str, dict[str, Any]]) -> None:
    line = lines["before any request"]
    assert (line["lease"], line["level"], line["logger"]) == ("l1", "info", "voiceflow.test")
    assert line["timestamp"].endswith("Z")
    assert "request_id" not in line


@pytest.mark.parametrize("event", ["ours", "of a library", "a fault"])
def test_what_is_bound_to_the_request_is_on_each_of_its_lines(
    lines: dict[str, dict[str, Any]], event: str
) -> None:
    assert (lines[event]["request_id"], lines[event]["organization"]) == ("req_1", "acme")


def test_a_traceback_is_part_of_its_line(lines: dict[str, dict[str, Any]]) -> None:
    assert "KeyError: 'lost'" in lines["a fault"]["exception"]


def test_what_is_not_news_is_not_said(lines: dict[str, dict[str, Any]]) -> None:
    assert set(lines) == {"before any request", "ours", "of a library", "a fault"}


def test_people_get_text() -> None:
    first = said("console").splitlines()[0]
    assert "before any request" in first
    assert "lease=l1" in first
