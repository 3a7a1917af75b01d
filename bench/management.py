"""`/api/deployments` as the bench calls it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.errors import BenchError

_TIMEOUT_SECONDS = 30
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Management:
    """Raises `BenchError` where something is refused or takes longer than a minute."""

    url: str
    key: str = field(repr=False)
    most_seconds: float = 60.0

    def create(self, **fields: object) -> str:
        """The id of a new one."""
        return str(self._call("POST", "", fields)["id"])

    def shown(self, deployment_id: str) -> dict[str, Any]:
        return self._call("GET", f"/{deployment_id}")

    def change(self, deployment_id: str, **fields: object) -> None:
        self._call("PATCH", f"/{deployment_id}", fields)

    def step(self, deployment_id: str, step: str) -> None:
        self._call("POST", f"/{deployment_id}/{step}")

    def delete(self, deployment_id: str) -> None:
        """Returns when nothing is left of it."""
        self._call("DELETE", f"/{deployment_id}")
        self._until(lambda: self._is_gone(deployment_id), "gone")

    def until_state(self, deployment_id: str, state: str) -> None:
        def is_so() -> bool:
            shown = self.shown(deployment_id)
            if shown["state"] == "failed":
                raise BenchError(f"The deployment has failed: {shown['error']}")
            return bool(shown["state"] == state)

        self._until(is_so, state)

    def until_ready(self, deployment_id: str, replicas: int) -> None:
        self._until(
            lambda: self.shown(deployment_id)["replicas"]["ready"] == replicas, f"at {replicas} replicas"
        )

    def until_at_nothing(self, deployment_id: str) -> None:
        """Asleep, and no process of it is left."""
        self.until_state(deployment_id, "asleep")
        self._until(lambda: not self._call("GET", f"/{deployment_id}/metrics")["workers"], "at nothing")

    def _until(self, ask: Callable[[], bool], what: str) -> None:
        give_up_at = time.monotonic() + self.most_seconds
        while not ask():
            if time.monotonic() > give_up_at:
                raise BenchError(f"The deployment was not {what} within {self.most_seconds:g} s.")
            time.sleep(_LOOK_SECONDS)

    def _is_gone(self, deployment_id: str) -> bool:
        try:
            self.shown(deployment_id)
        except BenchError as error:
            if "404" in str(error):
                return True
            raise
        return False

    def _call(self, method: str, path: str, fields: object = None) -> dict[str, Any]:
        asked = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.url}/api/deployments{path}",
            None if fields is None else json.dumps(fields).encode(),
            {"X-API-Key": self.key, "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(asked, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - loopback
                body: dict[str, Any] = json.loads(answer.read() or b"{}")
                return body
        except urllib.error.HTTPError as error:
            said = error.read()[:300].decode(errors="replace")
            raise BenchError(f"{method} {path} was answered {error.code}: {said}") from None
