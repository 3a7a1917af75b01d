"""Workers that die while they speak."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from tests.gpu_worker.worker_process import WorkerProcess
from tests.platform import until

# The first audio of tests' tones takes 20 ms, all of it several seconds.
FIRST_AUDIO_SECONDS = 1.0


@contextlib.contextmanager
def killed_when_busy(worker: WorkerProcess) -> Iterator[None]:
    """Kills the worker in the middle of the request that the block makes, after its first audio."""

    def kill() -> None:
        until(lambda: worker.queue()["active"], what="a request")
        time.sleep(FIRST_AUDIO_SECONDS)
        worker.stop()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        killer.join()
