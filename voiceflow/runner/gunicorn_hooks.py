"""gunicorn's configuration under the runner: its workers end with it, however it ends."""

from typing import Any

from apps.core.processes import die_with_parent


def post_fork(server: Any, worker: Any) -> None:
    die_with_parent()
