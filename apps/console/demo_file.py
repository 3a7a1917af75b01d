"""`var/demo.env`: how a newcomer, and a script of theirs, reaches the platform that runs on this machine.

The file is the only place that holds the demo's secrets, so that it is readable by its owner only and is
replaced whole. Lines are `NAME=value`, quoted where a shell would need it.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection, transaction

from apps.deployments.models import Worker
from apps.deployments.states import SERVING

logger = structlog.get_logger(__name__)

NAMES = ("BASE_URL", "ADMIN_EMAIL", "ADMIN_PASSWORD", "API_KEY_LIVE", "API_KEY_TEST", "WORKER_URL")
WORKER_URL = "WORKER_URL"
# Any number that nothing else here locks.
_LOCK = 7_646_101


def path() -> Path:
    return Path(settings.VAR_DIR) / "demo.env"


@contextmanager
def locked() -> Iterator[None]:
    """One transaction at a time, on all machines: who reads the file here may write it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        yield


def read() -> dict[str, str]:
    """The values of the file; empty where there is none."""
    try:
        lines = path().read_text().splitlines()
    except FileNotFoundError:
        return {}
    assignments = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name: _unquoted(value) for name, _, value in assignments}


def write(values: Mapping[str, str]) -> None:
    """Replaces the file in one step; whoever reads meanwhile sees the old one or the new one, whole."""
    content = "".join(f"{name}={_quoted(values.get(name, ''))}\n" for name in NAMES)
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=target.parent, prefix=".demo.env.")  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        Path(part).replace(target)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise


def known_worker_url() -> str:
    """The URL of the shared deployment's worker, as the database knows it; empty while none is ready."""
    workers = Worker.objects.filter(
        state=Worker.State.READY, deployment__organization=None, deployment__state__in=SERVING
    )
    return workers.order_by("id").values_list("url", flat=True).first() or ""


def keeping_worker_url(speech_status: Callable[[], str]) -> Callable[[], str]:
    """`speech_status` that has brought WORKER_URL up to date whenever it answers "ready".

    A worker's port is known only when it runs and is another after each restart; so whoever has waited for
    `/ready/speech` can trust the file.
    """

    def status() -> str:
        answer = speech_status()
        if answer == "ready":
            try:
                _keep_worker_url()
            except OSError as error:
                logger.warning("demo.env not brought up to date", error=str(error))
        return answer

    return status


def _keep_worker_url() -> None:
    url = known_worker_url()
    if read().get(WORKER_URL) == url:
        return
    with locked():  # `seed_demo` may be at work: the file is whole when it is done
        if values := read():
            write(values | {WORKER_URL: url})


def _quoted(value: str) -> str:
    return shlex.quote(value) if value else ""


def _unquoted(raw: str) -> str:
    return "".join(shlex.split(raw))
