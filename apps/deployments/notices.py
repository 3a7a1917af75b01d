"""Has Celery look at deployments now. A notice that is lost costs seconds: the schedule looks by itself."""

from __future__ import annotations

from uuid import UUID

from apps.core import notices

EXPIRES_SECONDS = 60


def look_soon(deployment_id: UUID) -> None:
    """At one deployment, something having happened to it."""
    _send("apps.deployments.tasks.reconcile_deployment", str(deployment_id))


def look_at_all_soon() -> None:
    """At every deployment, and at what the providers have."""
    _send("apps.deployments.tasks.reconcile")


def _send(task: str, *arguments: str) -> None:
    notices.send(task, *arguments, expires_seconds=EXPIRES_SECONDS)
