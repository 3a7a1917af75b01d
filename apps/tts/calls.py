"""A request and its answer as endpoints see them, whichever door it came through."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from apps.core.errors import InvalidRequest, UnsupportedMediaType

if TYPE_CHECKING:
    from apps.tts.speech import Speech


@dataclass(slots=True, kw_only=True)
class Call:
    """One request, its body read. Names of `headers` are in lower case; `params` are parts of its path.

    `started` is `time.perf_counter()` at its arrival, `address` where it came from. `applied` are headers of
    the answer, whatever it is, that tell which of the caller's wishes were heeded; `allowed_origins` are its
    key's, once known.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    started: float
    query: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None
    allowed_origins: tuple[str, ...] | None = None
    applied: dict[str, str] = field(default_factory=dict)

    def digest(self) -> bytes:
        """32 bytes that two calls have in common where one is the other again."""
        head = json.dumps([self.method, self.path, sorted(self.query.items())]).encode()
        return hashlib.sha256(head + b"\0" + self.body).digest()

    def json(self) -> Any:
        """The decoded body; an empty one is an empty object.

        Raises `UnsupportedMediaType`, or `InvalidRequest` (`invalid_json`).
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
        if not self.body:
            return {}
        try:
            return json.loads(self.body.decode(), parse_constant=_refuse_constant)
        except RecursionError:
            raise _invalid("it is nested too deeply") from None
        except UnicodeDecodeError:
            raise _invalid("it is not UTF-8") from None
        except ValueError as error:
            raise _invalid(str(error)) from None


@dataclass(slots=True, kw_only=True)
class Answer:
    """`body`, or `stream`: chunks as they are made, which raise `StreamCut` where they end too early.

    `drop` settles a stream that nobody will read. An answer that `logs_itself` needs no line of the door.
    `speech` is what it tells, whatever it wraps that in.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: AsyncGenerator[bytes] | None = None
    drop: Callable[[], None] | None = None
    logs_itself: bool = False
    speech: Speech | None = None

    @property
    def is_whole(self) -> bool:
        """Once it has ended: a success whose speech came to its end, too."""
        return self.status == 200 and (self.speech is None or self.speech.is_whole)

    @classmethod
    def of_json(cls, body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
        encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return cls(
            status=status, headers={"Content-Type": "application/json"} | (headers or {}), body=encoded
        )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _invalid(what: str) -> InvalidRequest:
    return InvalidRequest(f"The body is not valid JSON: {what}.", code="invalid_json")
