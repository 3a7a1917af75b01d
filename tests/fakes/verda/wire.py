"""What goes over the wire: requests, answers, refusals, and the log of calls."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

CODES = {
    400: "invalid_request",
    401: "unauthorized_request",
    402: "insufficient_funds",
    403: "forbidden_action",
    404: "not_found",
    405: "invalid_request",
    409: "invalid_request",
    429: "too_many_requests",
    500: "server_error",
    503: "service_unavailable",
}


class Refused(Exception):
    """An error in the API's own shape."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message

    @property
    def answer(self) -> Answer:
        return Answer(self.status, {"code": CODES[self.status], "message": self.message})


@dataclass
class Request:
    """`path` is what follows /v1; `marks` are faults that only the endpoint itself can act out."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    authorization: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)

    @property
    def fields(self) -> dict[str, Any]:
        """The body without what is null: the official SDK sends a null for all that it leaves out."""
        if not isinstance(self.body, dict):
            raise Refused(400, "The body must be a JSON object")
        return {name: without_nulls(value) for name, value in self.body.items() if value is not None}


@dataclass
class Answer:
    """`body` is sent as JSON, a str as plain text, None not at all."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    as_json: bool = True

    @property
    def payload(self) -> bytes:
        if self.body is None:
            return b""
        written = json.dumps(self.body) if self.as_json else str(self.body)
        return written.encode("utf-8", "surrogateescape")

    @property
    def content_type(self) -> str:
        return "application/json; charset=utf-8" if self.as_json else "text/plain; charset=utf-8"


Endpoint = Callable[[Request], Answer]
Routes = dict[tuple[str, str], Endpoint]


def text(body: str, status: int = 201) -> Answer:
    return Answer(status, body, as_json=False)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


@dataclass(frozen=True)
class Call:
    """A request that came in, answered or not; `status` is None while, and if, it was not."""

    method: str
    path: str
    body: Any
    query: dict[str, str] = field(default_factory=dict)
    status: int | None = None


class CallLog:
    """All requests to the control plane, in order. Paths are those after /v1; patterns are shell patterns."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def note(self, call: Call) -> int:
        with self._lock:
            self._calls.append(call)
            return len(self._calls) - 1

    def answered(self, index: int, status: int) -> None:
        with self._lock:
            if index < len(self._calls):
                self._calls[index] = replace(self._calls[index], status=status)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls.copy())

    def __len__(self) -> int:
        return len(self._calls)

    def __getitem__(self, index: int) -> Call:
        return self._calls[index]

    def to(self, path: str = "*", method: str | None = None) -> list[Call]:
        return [call for call in self if fnmatchcase(call.path, path) and method in (None, call.method)]

    def count(self, path: str = "*", method: str | None = None) -> int:
        return len(self.to(path, method))

    def counts(self) -> Counter[str]:
        """How often each of "GET /balance", "POST /instances" and so on was called."""
        return Counter(f"{call.method} {call.path}" for call in self)
