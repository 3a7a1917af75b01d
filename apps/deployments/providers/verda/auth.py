"""Access tokens: fetched, kept, renewed before they expire."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from apps.deployments.providers.verda.errors import NotUnderstood, VerdaError
from apps.deployments.providers.verda.reading import Fields
from apps.deployments.providers.verda.sdk import AuthenticationService
from apps.deployments.providers.verda.transport import Call, Transport

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
RENEW_EARLY_SECONDS = 30.0
# OAuth 2 leaves `expires_in` out where it likes; a token that dies earlier is renewed at the first 401.
_ASSUMED_LIFETIME_SECONDS = 300.0
_DEAD_REFRESH_TOKEN = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Authentication(AuthenticationService):  # type: ignore[misc]
    """The SDK's keeper of tokens, sending through our transport; safe to share between threads.

    Expiry goes by `clock`, which counts seconds and is not the wall clock: that may be set anew.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        base_url: str,
        transport: Transport,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(client_id, client_secret, base_url)
        self._transport = transport
        self._clock = clock
        self._lock = threading.RLock()
        self._access_token = ""
        self._refresh_token = ""
        self._scope = ""
        self._token_type = ""
        self._expires_at = 0.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r})"

    def token(self) -> str:
        """An access token with some life left. Raises `VerdaError`."""
        with self._lock:
            if not self._access_token:
                self.authenticate()
            elif self.is_expired():
                self.refresh()
            return self._access_token

    def renew(self, rejected: str) -> str:
        """An access token other than `rejected`, which Verda no longer takes. Raises `VerdaError`."""
        with self._lock:
            # Another thread may have met the same refusal first.
            if self._access_token == rejected:
                self.refresh()
            return self._access_token

    def authenticate(self) -> dict[str, Any]:
        """Fetches tokens for the client id and secret. Raises `VerdaError`."""
        with self._lock:
            return self._fetch(
                {
                    "grant_type": "client_credentials",
                    "client_id": self._client_id,
                    "client_secret": self._client_secret,
                }
            )

    def refresh(self) -> dict[str, Any]:
        """Fetches tokens for the refresh token, or anew where that is dead. Raises `VerdaError`."""
        with self._lock:
            if not self._refresh_token:
                return self.authenticate()
            try:
                return self._fetch({"grant_type": "refresh_token", "refresh_token": self._refresh_token})
            except VerdaError as error:
                if error.status not in _DEAD_REFRESH_TOKEN:
                    raise
                return self.authenticate()

    def is_expired(self) -> bool:
        """Whether the access token has expired or is about to."""
        return self._clock() >= self._expires_at

    def _fetch(self, grant: dict[str, str]) -> dict[str, Any]:
        # Counted from before the request: how long the answer took is off the token's life.
        asked_at = self._clock()
        answer = self._transport.send(
            Call(
                "POST",
                self._base_url + TOKEN_PATH,
                TOKEN_PATH,
                json=grant,
                repeatable=True,
                secrets=(self._client_id, self._client_secret, self._access_token, self._refresh_token),
            )
        )
        tokens: dict[str, Any] = answer.read(_tokens)
        lifetime = float(tokens["expires_in"])
        self._access_token = tokens["access_token"]
        self._refresh_token = tokens["refresh_token"]
        self._scope = tokens["scope"]
        self._token_type = tokens["token_type"]
        # A very short life is used up to its half, or every call would fetch a token.
        self._expires_at = asked_at + lifetime - min(RENEW_EARLY_SECONDS, lifetime / 2)
        return tokens


def _tokens(answer: object) -> dict[str, Any]:
    fields = Fields(answer, "token")
    lifetime = fields.money("expires_in")
    token = fields.name("access_token")
    if not token.isascii() or not token.isprintable():
        raise NotUnderstood("Verda's access token cannot stand in a header.")
    return {
        "access_token": token,
        "refresh_token": fields.text("refresh_token", ""),
        "scope": fields.text("scope", ""),
        "token_type": fields.text("token_type", ""),
        "expires_in": _ASSUMED_LIFETIME_SECONDS if lifetime is None else lifetime,
    }
