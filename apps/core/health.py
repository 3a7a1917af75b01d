"""`/health` says that the process lives, `/ready` that database and Redis answer."""

from __future__ import annotations

from collections.abc import Callable

import redis
import structlog
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from apps.core.redis_client import connect

logger = structlog.get_logger(__name__)

# Set by the room that knows (apps.deployments): "ready", "asleep" or "none".
speech_status: Callable[[], str] | None = None


def health(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


# Probes ask by address: without the middlewares, their Host header need not be one that is served.
health.stateless = True  # type: ignore[attr-defined]


def ready(request: HttpRequest) -> JsonResponse:
    """503 only where database or Redis is away, each named; whether anyone can speak is told beside it."""
    checks = {"database": _database(), "redis": _redis()}
    speech = speech_status() if speech_status and checks["database"] == "ok" else "none"
    ok = all(state == "ok" for state in checks.values())
    body = {"status": "ready" if ok else "unavailable", **checks, "speech": speech}
    return JsonResponse(body, status=200 if ok else 503)


def ready_speech(request: HttpRequest) -> JsonResponse:
    """503 unless a deployment can answer."""
    speech = speech_status() if speech_status and _database() == "ok" else "none"
    return JsonResponse({"speech": speech}, status=200 if speech == "ready" else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.warning("database away", error=type(error).__name__)
        return "away"
    return "ok"


def _redis() -> str:
    try:
        with connect() as client:
            client.ping()
    except redis.RedisError as error:
        logger.warning("redis away", error=type(error).__name__)
        return "away"
    return "ok"
