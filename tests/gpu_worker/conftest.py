"""Workers that the tests of this folder share; whoever needs to stop one starts its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gpu_worker.worker_process import WorkerProcess, running_worker


@pytest.fixture(scope="session")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """Speaks with the CPU engine."""
    with running_worker(tmp_path_factory.mktemp("cpu-worker"), ENGINE="cpu") as process:
        yield process


@pytest.fixture(scope="session")
def slow_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """One thread that needs a second for two seconds of tone, and room for three requests."""
    folder = tmp_path_factory.mktemp("slow-worker")
    environment = {"ENGINE": "tone", "THREADS": "1", "MAX_QUEUE": "3", "TONE_REAL_TIME_FACTOR": "0.5"}
    with running_worker(folder, **environment) as process:
        yield process
        assert process.process.poll() is None


@pytest.fixture
def idle_slow_worker(slow_worker: WorkerProcess) -> WorkerProcess:
    """The slow worker, with nothing left over from the test before."""
    slow_worker.wait_until_idle()
    return slow_worker
