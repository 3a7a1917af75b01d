"""JSON over HTTP over the supervisor's Unix socket."""

from __future__ import annotations

import http.client
import json
import socket
from http import HTTPStatus
from pathlib import Path
from typing import Any

from apps.deployments.providers.base import ProviderError
from apps.deployments.providers.local.layout import connect

TIMEOUT_SECONDS = 3.0


class SupervisorClient:
    """One short connection a call; holds nothing open."""

    def __init__(self, socket_path: Path, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._socket_path = socket_path
        self._timeout_seconds = timeout_seconds

    def request(
        self, method: str, path: str, body: object = None, *, missing_ok: bool = False
    ) -> tuple[int, Any]:
        """Status and decoded body of an answer that is no refusal. Raises `ProviderError`."""
        try:
            status, raw = self._exchange(method, path, body)
            answer = json.loads(raw) if raw else None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ProviderError(
                f"The local provider does not answer ({_words(error)}). "
                "Start it with: python manage.py run_local_provider",
                code="provider_unreachable",
                permanent=False,
            ) from error
        if status < HTTPStatus.BAD_REQUEST or (missing_ok and status == HTTPStatus.NOT_FOUND):
            return status, answer
        raise _refusal(status, answer)

    def _exchange(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        connection = _UnixConnection(self._socket_path, self._timeout_seconds)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, body=payload, headers={"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, socket_path: Path, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._socket_path = socket_path
        self._timeout_seconds = timeout_seconds

    def connect(self) -> None:
        self.sock: socket.socket = connect(self._socket_path, self._timeout_seconds)


def _refusal(status: int, answer: Any) -> ProviderError:
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return ProviderError(f"The local provider answered {status}.", code="provider_error", permanent=False)
    return ProviderError(
        str(error.get("message")), code=str(error.get("code")), permanent=error.get("permanent") is True
    )


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
