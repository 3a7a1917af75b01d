"""What all groups of calls share: the address, the token, and a repeat after a token was refused."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from apps.deployments.providers.verda import rules
from apps.deployments.providers.verda.answers import new_id
from apps.deployments.providers.verda.auth import Authentication
from apps.deployments.providers.verda.errors import InvalidRequest, NotFound, NotUnderstood, Unauthorized
from apps.deployments.providers.verda.transport import (
    REPEATABLE_METHODS,
    Answer,
    Bounds,
    Call,
    Limiter,
    Transport,
)

BASE_URL = "https://api.verda.com/v1"


class Calls:
    """Calls to the API with a valid token; safe to share between threads of one process."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        base_url: str = BASE_URL,
        limiter: Limiter | None = None,
        bounds: Bounds | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Does nothing over the network. `clock` counts seconds and never runs backwards; `limiter` is
        asked before every request to the API. Raises `InvalidRequest` where something is missing."""
        if not client_id or not client_secret:
            raise InvalidRequest("Verda needs a client id and a client secret.")
        rules.check_url(base_url)
        self._base_url = base_url.rstrip("/")
        self._sleep = sleep
        self._clock = clock
        self._transport = Transport(bounds, limiter=limiter, sleep=sleep, clock=clock, jitter=jitter)
        # Deployments are no part of the API: what is asked of them does not count against its rate.
        self._data_plane = Transport(bounds, sleep=sleep, clock=clock, jitter=jitter)
        self._auth = Authentication(client_id, client_secret, self._base_url, self._transport, clock)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r})"

    def authenticate(self) -> None:
        """Fetches a token now, which proves the credentials; every other call does so by itself.

        Raises `VerdaError`, as every method here does.
        """
        self._auth.authenticate()

    def close(self) -> None:
        """Closes idle connections."""
        self._transport.close()
        self._data_plane.close()

    def _get(self, *path: str, params: Mapping[str, str] | None = None) -> Answer:
        return self._call("GET", *path, params=params)

    def _call(
        self,
        method: str,
        *path: str,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
        secrets: Collection[str] = (),
        read_timeout_seconds: float | None = None,
    ) -> Answer:
        route = "/" + "/".join(rules.check_segment(part) for part in path)
        call = Call(
            method,
            self._base_url + route,
            route,
            params=params or {},
            json=json,
            repeatable=method in REPEATABLE_METHODS,
            accept=frozenset(accept),
            secrets=tuple(secrets),
            read_timeout_seconds=read_timeout_seconds,
        )
        token = self._auth.token()
        try:
            return self._transport.send(replace(call, token=token))
        except Unauthorized:
            # Refused means not done, so that any call may be repeated once.
            return self._transport.send(replace(call, token=self._auth.renew(token)))

    def _create(self, *path: str, json: Any, secrets: Collection[str] = ()) -> str:
        """The id of what was created."""
        answer = self._call("POST", *path, json=json, secrets=secrets)
        try:
            return new_id(answer.text())
        except NotUnderstood as error:
            raise NotUnderstood(
                f"{error.message} (Answer to {answer.call}.)", status=answer.status, outcome_unknown=True
            ) from None

    def _delete(self, *path: str, params: Mapping[str, str] | None = None) -> None:
        """Deletes; what does not exist is no error."""
        try:
            self._call("DELETE", *path, params=params)
        except NotFound:
            return
