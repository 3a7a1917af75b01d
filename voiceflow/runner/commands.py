"""The processes of the platform, as command lines."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from .configuration import Configuration

# A stream in flight may take this long to end before it is cut at shutdown.
WEB_GRACE_SECONDS = 5


@dataclass(frozen=True)
class Command:
    name: str
    argv: tuple[str, ...]
    stop_grace_seconds: float


def web(configuration: Configuration) -> Command:
    host = f"[{configuration.host}]" if ":" in configuration.host else configuration.host
    argv = (
        *(sys.executable, "-m", "gunicorn", "voiceflow.asgi:application"),
        *("--config", "python:voiceflow.runner.gunicorn_hooks"),
        *("--worker-class", "asgi", "--workers", "1"),
        *("--bind", f"{host}:{configuration.port}"),
        *("--asgi-disconnect-grace-period", "3"),
        *("--graceful-timeout", str(WEB_GRACE_SECONDS)),
        *("--log-level", "warning"),
        "--no-control-socket",
    )
    return Command("web", argv, stop_grace_seconds=WEB_GRACE_SECONDS + 3)


def celery(configuration: Configuration) -> Command:
    beat = ("--beat", "--schedule", str(configuration.var_dir / "celerybeat-schedule"))
    return Command("celery", (*_celery_worker("celery"), *beat), stop_grace_seconds=8)


def jobs() -> Command:
    """Apart from the rest: a part of a long text takes up to a minute, what watches workers may not wait."""
    return Command("jobs", _celery_worker("jobs"), stop_grace_seconds=8)


def clips() -> Command:
    """Apart from the rest: each process of these holds the models that listen to recordings."""
    return Command("clips", _celery_worker("clips", concurrency=1), stop_grace_seconds=8)


def releases() -> Command:
    """Apart from the rest: each file of a data set takes minutes, and is made after the other."""
    return Command("releases", _celery_worker("releases", concurrency=1), stop_grace_seconds=8)


def webhooks() -> Command:
    """In threads: nearly all that deliveries do is wait for their receivers."""
    return Command(
        "webhooks", _celery_worker("webhooks", concurrency=64, pool="threads"), stop_grace_seconds=8
    )


def _celery_worker(queue: str, *, concurrency: int = 2, pool: str = "prefork") -> tuple[str, ...]:
    return (
        # Its advice to root is for servers; here everything runs as whoever typed the command.
        *(sys.executable, "-W", "ignore:You're running the worker with superuser", "-m", "celery"),
        *("--quiet", "--app", "voiceflow.runner.celery_worker", "worker"),
        *("--queues", queue, "--hostname", f"{queue}@%h"),
        *("--pool", pool, "--concurrency", str(concurrency), "--loglevel", "WARNING"),
        # Workers have nothing to say to each other; asking costs a second at every start.
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    )


def provider() -> Command:
    return Command("provider", manage("run_local_provider"), stop_grace_seconds=12)


def manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "manage.py", *arguments)
