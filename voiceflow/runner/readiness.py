"""Asking the web process whether it is ready."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

_ANSWER_LIMIT_SECONDS = 5.0


def web(base_url: str) -> str | None:
    """None where the web process, its database and its Redis answer, else in a few words what is missing."""
    status, body = _get(base_url, "/ready")
    return None if status == http.HTTPStatus.OK else _in_few_words(status, body)


def speech(base_url: str) -> str | None:
    """None where a deployment can answer. `/ready` is asked first: its 200 is no error in the log."""
    status, body = _get(base_url, "/ready")
    if status != http.HTTPStatus.OK:
        return _in_few_words(status, body)
    state = json.loads(body).get("speech")
    if state != "ready":
        return f"speech: {state}"
    status, body = _get(base_url, "/ready/speech")
    return None if status == http.HTTPStatus.OK else _in_few_words(status, body)


def _get(base_url: str, path: str) -> tuple[int, str]:
    """Status and body; status 0 and what is wrong where there is no answer."""
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port or 80, timeout=_ANSWER_LIMIT_SECONDS
    )
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(4000).decode(errors="replace").strip()
    except ConnectionError:
        return 0, "not listening yet"
    except TimeoutError:
        return 0, f"no answer in {_ANSWER_LIMIT_SECONDS:.0f} s"
    finally:
        connection.close()


def _in_few_words(status: int, body: str) -> str:
    return f"{status} {body[:200]}" if status else body
