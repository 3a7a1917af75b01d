"""A transport and a call for tests, on a clock that only sleeping moves."""

from __future__ import annotations

from typing import Any

from apps.deployments.providers.verda.transport import Bounds, Call, Transport
from tests.deployments.verda.scripted import Scripted

TOKEN = "very-secret-token"


class Time:
    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def transport(time: Time, *, jitter: float = 0.5, **bounds: Any) -> Transport:
    quick: dict[str, Any] = {"connect_timeout_seconds": 2.0, "read_timeout_seconds": 2.0} | bounds
    return Transport(Bounds(**quick), sleep=time.sleep, clock=time.now, jitter=lambda: jitter)


def call(server: Scripted, method: str = "GET", **more: Any) -> Call:
    repeatable = more.pop("repeatable", method in ("GET", "DELETE"))
    return Call(method, server.url + "/v1/thing", "/thing", token=TOKEN, repeatable=repeatable, **more)
