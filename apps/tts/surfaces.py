"""How each API speaks: where its key is, what its errors look like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from apps.core.errors import AppError, QuotaExceeded, RateLimited
from apps.keys.identity import HEADER
from apps.tts.calls import Answer, Call
from apps.usage.models import UsageRecord
from apps.usage.standing import headers_of


class Surface(ABC):
    """`name` is what its requests are recorded under."""

    name: ClassVar[str]

    @abstractmethod
    def key_of(self, call: Call) -> str | None:
        """The key that the call carries, unchecked."""

    @abstractmethod
    def refusal(self, error: AppError, request_id: str) -> Answer:
        """The error in this API's shape, with its own headers."""

    def finish(self, answer: Answer, call: Call) -> None:  # noqa: B027 - most have nothing to add
        """Adds the headers that every answer of this API carries."""


class Native(Surface):
    name = UsageRecord.Surface.GENERATE.value

    def key_of(self, call: Call) -> str | None:
        return call.headers.get(HEADER.lower())

    def refusal(self, error: AppError, request_id: str) -> Answer:
        standing = error.standing if isinstance(error, RateLimited | QuotaExceeded) else None
        headers = error.headers | (headers_of(standing) if standing else {})
        return Answer.of_json(error.body(request_id), status=error.status, headers=headers)


NATIVE = Native()
