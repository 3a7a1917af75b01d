"""OAuth 2: access tokens that expire by the virtual clock, and refresh tokens that work once."""

from __future__ import annotations

import secrets
from typing import Any

from tests.fakes.verda.clock import VirtualClock
from tests.fakes.verda.wire import Answer, Refused, Request


class Tokens:
    def __init__(self, clock: VirtualClock, *, expires_in: int = 3600) -> None:
        self.client_id = f"client-{secrets.token_hex(8)}"
        self.client_secret = secrets.token_hex(20)
        self.expires_in = expires_in
        self._clock = clock
        self._access: dict[str, float] = {}
        self._refresh: set[str] = set()

    # ---- for tests ------------------------------------------------------------------------------------
    def revoke_all(self) -> None:
        """Every token that was issued, of both kinds, is worth nothing any more."""
        self._access.clear()
        self._refresh.clear()

    def expire_access(self) -> None:
        self._access.clear()

    def kill_refresh(self) -> None:
        self._refresh.clear()

    # ---- the protocol ---------------------------------------------------------------------------------
    def require(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not token:
            raise Refused(401, "Access token is missing")
        if self._access.get(token, 0.0) <= self._clock.now():
            raise Refused(401, "Access token is invalid or expired")

    def issue(self, request: Request) -> Answer:
        asked = request.fields
        match asked.pop("grant_type", None):
            case "client_credentials":
                if asked != {"client_id": self.client_id, "client_secret": self.client_secret}:
                    raise Refused(401, "Invalid client id or client secret")
            case "refresh_token":
                token = asked.pop("refresh_token", None)
                if asked or not isinstance(token, str) or token not in self._refresh:
                    raise Refused(401, "Invalid refresh token")
                self._refresh.remove(token)
            case other:
                raise Refused(400, f"Unsupported grant type {other!r}")
        return Answer(200, self._new())

    def _new(self) -> dict[str, Any]:
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._access[access] = self._clock.now() + self.expires_in
        self._refresh.add(refresh)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "scope": "cloud-api-v1",
            "token_type": "Bearer",
            "expires_in": self.expires_in,
        }
