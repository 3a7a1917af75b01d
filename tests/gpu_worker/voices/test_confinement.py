"""The process that decodes can do nothing but decode, and ends with the worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.gpu_worker.voices.conftest import CONSENT_SECRET, Caller, error_of
from tests.gpu_worker.voices.recordings import recording
from tests.gpu_worker.voices.waiting import wait_until
from tests.gpu_worker.worker_process import running_worker

PROBE = """
import os, resource, socket, sys
from gpu_worker.references.child import confine
confine(os.getppid())
try:
    {attempt}
except (OSError, MemoryError) as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        ("open('/etc/passwd')", "OSError"),
        ("open('written', 'w')", "OSError"),
        ("socket.socket()", "OSError"),
        ("os.pipe()", "OSError"),
        ("bytearray(2 << 30)", "MemoryError"),
    ],
)
def test_files_sockets_and_memory_are_out_of_reach(tmp_path: Path, attempt: str, outcome: str) -> None:
    probe = subprocess.run(
        [sys.executable, "-c", PROBE.format(attempt=attempt)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert probe.stdout.strip() == outcome, probe.stderr
    assert list(tmp_path.iterdir()) == []


def is_confined(process: Path) -> bool:
    """Whether it may hold no more than three files open."""
    lines = (process / "limits").read_text().splitlines()
    return next(line for line in lines if line.startswith("Max open files")).split()[3:5] == ["3", "3"]


def is_gone(process: Path) -> bool:
    """Whether it has ended, looked after or not."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_it_dies_with_its_parent() -> None:
    reader, writer = os.pipe()
    script = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'gpu_worker.references.child',"
        " str(os.getpid()), '24000', '30'], stdin=0, start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=reader,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    try:
        assert parent.stdout is not None
        child = Path("/proc") / parent.stdout.readline().strip()
        wait_until(lambda: is_confined(child))
        parent.send_signal(signal.SIGKILL)
        wait_until(lambda: is_gone(child))
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
        os.close(reader)
        os.close(writer)


def test_the_end_of_the_worker_does_not_wait_for_it(tmp_path: Path) -> None:
    environment = {
        "ENGINE": "tone",
        "CONSENT_SECRET": CONSENT_SECRET,
        "VOICE_CACHE": str(tmp_path / "voices"),
    }
    with running_worker(tmp_path, **environment) as worker, ThreadPoolExecutor() as pool:
        asked = pool.submit(Caller(worker).send, recording())
        wait_until(lambda: bool(decoders_of(worker.process.pid)))
        [child] = decoders_of(worker.process.pid)
        # It never answers by itself.
        os.kill(child, signal.SIGSTOP)
        worker.terminate()
        assert error_of(asked.result()) == (503, "draining", None)
        assert worker.process.wait(8) == 0
        assert is_gone(Path("/proc") / str(child))


def decoders_of(process: int) -> list[int]:
    """The decoders that the threads of a process began."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [child for child in children if b"references.child" in Path(f"/proc/{child}/cmdline").read_bytes()]
