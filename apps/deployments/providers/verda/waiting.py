"""Waiting: for a deployment to be healthy, and for the program in it to answer."""

from __future__ import annotations

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from apps.deployments.providers.verda import rules
from apps.deployments.providers.verda.containers import Containers
from apps.deployments.providers.verda.errors import (
    InvalidRequest,
    NotHealthy,
    TimedOut,
    Unauthorized,
    VerdaError,
)
from apps.deployments.providers.verda.transport import Answer, Call

HEALTHY = "healthy"
# What waiting does not mend, whether asking for the same later may help, and what to do.
_STUCK = {
    "unhealthy": (True, "its container does not answer the health check"),
    "quota_reached": (False, "no hardware is free or the account's quota is used up"),
    "paused": (True, "it is paused and must be resumed first"),
}
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# A cold start is held in Verda's queue while a machine is found; asking anew loses the place in it.
_HELD_SECONDS = 60.0
_SHORTEST_SECONDS = 1.0
_LONGEST_DETAIL = 200


class Waiting(Containers):
    def wait_for_healthy(self, name: str, timeout_seconds: float = 900.0, poll_seconds: float = 5.0) -> None:
        """Returns once the deployment is healthy.

        Raises `NotHealthy` where waiting does not help (`unhealthy`, `quota_reached`, `paused`, which is
        then its `code`), `NotFound` where there is no such deployment, and `TimedOut` with the
        `last_status`. Statuses that we do not know count as pending, an API that is away for a while too.
        """
        deadline = self._clock() + timeout_seconds
        while True:
            pause = poll_seconds
            try:
                status = self.container_status(name)
            except VerdaError as error:
                if error.permanent:
                    raise
                status, pause = error.code, max(poll_seconds, error.retry_after_seconds or 0.0)
            if status == HEALTHY:
                return
            if status in _STUCK:
                permanent, reason = _STUCK[status]
                raise NotHealthy(
                    f"The deployment {name} is {status}: {reason}.", code=status, permanent=permanent
                )
            if self._clock() + pause > deadline:
                raise TimedOut(
                    f"The deployment {name} was not healthy within {timeout_seconds:g} s; "
                    f"it was last seen {status}.",
                    last_status=status,
                )
            self._sleep(pause)

    def wait_for_application_ready(
        self,
        endpoint_base_url: str,
        inference_key: str,
        *,
        path: str = "/ready",
        timeout_seconds: float = 900.0,
        poll_seconds: float = 5.0,
        worker_token: str = "",
    ) -> dict[str, Any]:
        """The body of the first answer below 300 to GET `path` of the deployment's endpoint, empty where
        that is no JSON object. A deployment that sleeps is woken by it, which costs.

        `inference_key` is issued in Verda's console. Raises `Unauthorized` where it or `worker_token` is
        refused, and `TimedOut` with the `last_status`; everything else counts as pending.
        """
        call = self._probe(endpoint_base_url, inference_key, path, worker_token)
        deadline = self._clock() + timeout_seconds
        while True:
            seen, answer = self._ask(call, deadline)
            if answer is not None:
                return _object(answer)
            if self._clock() + poll_seconds > deadline:
                raise TimedOut(
                    f"{endpoint_base_url}{path} was not ready within {timeout_seconds:g} s; "
                    f"it last answered {seen}.",
                    last_status=seen,
                )
            self._sleep(poll_seconds)

    def _probe(self, endpoint_base_url: str, inference_key: str, path: str, worker_token: str) -> Call:
        rules.check_url(endpoint_base_url)
        if self._base_url.startswith("https:") and urlsplit(endpoint_base_url).scheme != "https":
            raise InvalidRequest("The inference key is sent over https only.")
        if not inference_key:
            raise InvalidRequest("Verda's inference key is missing; its console issues one.")
        rules.check_key(inference_key + worker_token)
        if not path.startswith("/"):
            raise InvalidRequest("The path must start with a slash.")
        return Call(
            "GET",
            endpoint_base_url.rstrip("/") + path,
            path,
            token=inference_key,
            headers={"X-Worker-Token": worker_token} if worker_token else {},
            secrets=(worker_token,),
        )

    def _ask(self, call: Call, deadline: float) -> tuple[str, Answer | None]:
        """What came back in a few words, and the answer if that means ready."""
        seconds = min(_HELD_SECONDS, max(deadline - self._clock(), _SHORTEST_SECONDS))
        try:
            return "", self._data_plane.send(replace(call, read_timeout_seconds=seconds))
        except VerdaError as error:
            if error.status in _REFUSED:
                raise Unauthorized(error.message, status=error.status) from None
            return _detail(error), None


def _detail(error: VerdaError) -> str:
    return error.code if error.status is None else f"{error.status} ({error.message[:_LONGEST_DETAIL]})"


def _object(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
