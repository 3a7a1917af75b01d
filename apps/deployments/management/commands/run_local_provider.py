"""`manage.py run_local_provider`: runs the speech workers of this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone

from apps.core import media
from apps.deployments import notices, shared
from apps.deployments.providers.local.layout import Layout
from apps.deployments.providers.local.run import AlreadyRunningError, serve, sole_supervisor
from apps.deployments.providers.local.supervisor import Supervisor
from apps.deployments.providers.local.worker import WorkerSetup

logger = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Runs the speech workers of this machine, until SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        layout = Layout(settings.VAR_DIR)
        try:
            with sole_supervisor(layout), _notifier() as notifier:
                notifier.submit(_forget_workers, timezone.now())
                supervisor = _supervisor(layout, notifier)
                asyncio.run(serve(supervisor, layout, lambda: notifier.submit(notices.look_at_all_soon)))
        except AlreadyRunningError as error:
            raise CommandError(str(error)) from None


@contextmanager
def _notifier() -> Iterator[ThreadPoolExecutor]:
    """One thread, so that changes are told in the order they came; what is untold at the end stays so."""
    executor = ThreadPoolExecutor(1, "notify")
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _supervisor(layout: Layout, notifier: ThreadPoolExecutor) -> Supervisor:
    setup = WorkerSetup(
        code_root=settings.BASE_DIR,
        ports=layout.ports,
        worker_env=settings.ENVIRONMENT,
        token_required=settings.LOCAL_WORKER_TOKEN_REQUIRED,
        inherited=os.environ,
        cloning=_cloning(),
        chatterbox_python=settings.LOCAL_CHATTERBOX_PYTHON or None,
        models=settings.LOCAL_MODELS_DIR or None,
    )

    def notify(deployment_id: UUID) -> None:
        notifier.submit(notices.look_soon, deployment_id)

    return Supervisor(layout, setup, max_workers=settings.LOCAL_MAX_WORKERS, notify=notify)


def _cloning() -> dict[str, str]:
    """What workers need to clone: the shared secret, a folder of their own, and where recordings lie."""
    if not settings.CONSENT_SECRET:
        return {}
    cloning = {
        "CONSENT_SECRET": settings.CONSENT_SECRET,
        "VOICE_CACHE": str(settings.VAR_DIR / "voice-cache"),
    }
    if settings.S3_BUCKET:
        cloning["REFERENCE_ORIGINS"] = media.bucket_origin()
    return cloning


def _forget_workers(born: datetime) -> None:
    """Workers are born here: none that was seen before this process began is alive."""
    try:
        shared.forget_workers(provider="local", seen_before=born)
    except DatabaseError as error:
        logger.warning("workers not marked as lost, the database is away", error=type(error).__name__)
    finally:
        cast(DatabaseWrapper, connection).close_pool()  # nothing else here needs the database
