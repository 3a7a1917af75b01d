"""What a test lets go wrong: once or more often, at the paths and methods it names."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from tests.fakes.verda.wire import CODES, Answer, Request

Kind = Literal[
    # Answered in place of doing anything.
    "expired_token", "dead_refresh_token", "insufficient_funds", "forbidden", "not_found", "conflict",
    "rate_limited", "server_error", "unavailable", "bad_gateway", "message_only", "delete_ignored",
    # About the connection.
    "slow", "dropped_before", "dropped_after",
    # About the answer to what was done.
    "unknown_status", "json_id", "extra_fields", "missing_fields",
    # Acted out by the endpoint.
    "partial_failure", "bills_on",
]  # fmt: skip

STATUSES: dict[str, int] = {
    "expired_token": 401,
    "dead_refresh_token": 401,
    "insufficient_funds": 402,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "rate_limited": 429,
    "server_error": 500,
    "unavailable": 503,
}


@dataclass
class Fault:
    """`seconds` are real ones, of "slow" or Retry-After; `value` is an unknown status; `names` are fields."""

    path: str
    kind: Kind
    method: str | None = None
    times: int = 1
    seconds: float = 1
    value: str = "warming_over"
    names: tuple[str, ...] = ()

    def fits(self, request: Request) -> bool:
        if self.kind == "dead_refresh_token" and not _is_refresh(request):
            return False
        if self.kind == "delete_ignored" and request.method not in ("DELETE", "PUT"):
            return False
        return self.method in (None, request.method) and fnmatchcase(request.path, self.path)

    def instead(self) -> Answer | None:
        """What is answered in place of doing anything; None if something is done."""
        if self.kind == "bad_gateway":
            page = "<html><head><title>502 Bad Gateway</title></head></html>"
            return Answer(502, page, {"Content-Type": "text/html"}, as_json=False)
        if self.kind == "message_only":
            return Answer(400, {"message": "Something about this is not right"})
        if self.kind == "delete_ignored":
            return Answer(204)
        if self.kind not in STATUSES:
            return None
        status = STATUSES[self.kind]
        retry = {"Retry-After": str(round(self.seconds))} if self.kind == "rate_limited" else {}
        return Answer(status, {"code": CODES[status], "message": f"Injected: {self.kind}"}, retry)

    def spoil(self, answer: Answer) -> Answer:
        """The answer to what was done, as this fault would have it."""
        spoilers: dict[str, Callable[[Any], Any]] = {
            "unknown_status": lambda item: item | {"status": self.value} if "status" in item else item,
            "extra_fields": lambda item: item | {"brand_new_field": {"nested": [1]}},
            "missing_fields": lambda item: {k: v for k, v in item.items() if k not in self.names},
        }
        if self.kind == "json_id" and not answer.as_json:
            return Answer(answer.status, {"id": answer.body}, answer.headers)
        if self.kind not in spoilers or answer.body is None or not answer.as_json:
            return answer
        return Answer(answer.status, _each(answer.body, spoilers[self.kind]), answer.headers)


class Faults(list[Fault]):
    """Those that still wait for their request. Patterns are shell patterns of the path after /v1."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def add(self, path: str, method: str | None = None, times: int = 1, *, kind: Kind, **more: Any) -> Fault:
        """`more` are `seconds`, `value` and `names` of the fault."""
        if kind not in get_args(Kind):
            raise ValueError(f"there is no fault {kind}")
        fault = Fault(path, kind, method, times, **more)
        self.append(fault)
        return fault

    def take(self, request: Request) -> list[Fault]:
        """Those that befall this request, each of them once less often from then on."""
        with self._lock:
            taken = [fault for fault in self if fault.fits(request)]
            for fault in taken:
                fault.times -= 1
            self[:] = [fault for fault in self if fault.times > 0]
            return taken


def _is_refresh(request: Request) -> bool:
    return isinstance(request.body, dict) and request.body.get("grant_type") == "refresh_token"


def _each(body: Any, spoiler: Callable[[Any], Any]) -> Any:
    """Applied to an object, or to the objects of a list, also of one in `list`."""
    if isinstance(body, list):
        return [spoiler(item) if isinstance(item, dict) else item for item in body]
    if isinstance(body, dict) and isinstance(body.get("list"), list):
        return body | {"list": _each(body["list"], spoiler)}
    return spoiler(body) if isinstance(body, dict) else body
