"""`python -m tests.gpu_worker.poisoned_worker`: a worker whose device breaks with the first request."""

from __future__ import annotations

import os
import sys

from gpu_worker.config import Settings
from gpu_worker.engines.base import DevicePoisonedError, Outcome
from gpu_worker.engines.tone import ToneEngine, ToneSession
from gpu_worker.process import run


class PoisonedSession(ToneSession):
    """Takes work and breaks at it."""

    def step(self) -> list[tuple[int, Outcome]]:
        """See Session."""
        raise DevicePoisonedError("device-side assert")


class PoisonedEngine(ToneEngine):
    """Opens sessions that break."""

    def open_session(self) -> ToneSession:
        """See Engine."""
        return PoisonedSession(1, 0)


if __name__ == "__main__":
    sys.exit(run(Settings.from_environment(os.environ), lambda _: PoisonedEngine()))
