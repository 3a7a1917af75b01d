"""`python -m voiceflow.run`: the whole platform on one machine, in one terminal.

Starts PostgreSQL and Redis (unless DATABASE_URL and REDIS_URL name others), brings the database up to
date, then runs web, Celery and the local provider with its speech worker until Ctrl-C, SIGTERM, or the
end of one of them. Exit status 0 after a stop that was asked for, 1 after anything else.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from apps.core.embedded.errors import EmbeddedError
from apps.core.embedded.lock import FolderLock, LockHeldError
from apps.core.processes import die_with_parent
from voiceflow.runner.configuration import Configuration, load, require_free_port
from voiceflow.runner.console import Console
from voiceflow.runner.errors import StartFailedError
from voiceflow.runner.platform import Platform
from voiceflow.runner.signals import StopSignals


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m voiceflow.run", description="Run VoiceFlow here.")
    parser.add_argument("--owned", action="store_true", help="stop when the process that started this ends")
    if parser.parse_args(arguments).owned:
        die_with_parent(signal.SIGTERM)
    console = Console()
    signals = StopSignals()
    signals.install()
    try:
        configuration = load(os.environ)
        lock = _only_one(configuration)
        try:
            require_free_port(configuration)
            return Platform(configuration, console, signals).run()
        finally:
            lock.release()
    except (StartFailedError, EmbeddedError) as error:
        console.problem(str(error))
        return 1


def _only_one(configuration: Configuration) -> FolderLock:
    try:
        return FolderLock.acquire(configuration.var_dir / "run.lock", note=configuration.base_url)
    except LockHeldError as error:
        raise StartFailedError(
            f"VoiceFlow runs already in this checkout: process {error.pid}, {error.note}. Stop it first."
        ) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
