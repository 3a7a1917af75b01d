"""Children that never outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from apps.core import processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
IGNORES_SIGTERM = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(600)",
]
# Starts a child of its own in the same group, says its pid, and leaves it behind.
LEAVES_A_CHILD = [
    sys.executable,
    "-c",
    "import subprocess, sys; "
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)",
]
# A parent that starts a child through `spawn`, says its pid, and waits to be killed.
PARENT = [
    sys.executable,
    "-c",
    "import os, sys, time; from apps.core import processes; "
    "child = processes.spawn(['sleep', '600'], env=os.environ, log=None); "
    "print(child.pid, child.identity, flush=True); time.sleep(600)",
]


def start(argv: list[str]) -> processes.Process:
    return processes.spawn(argv, env=os.environ, log=subprocess.PIPE)


def first_line(process: processes.Process) -> str:
    assert process.popen is not None
    assert process.popen.stdout is not None
    with process.popen.stdout as output:
        return output.readline().decode().strip()


def test_a_child_leads_a_group_of_its_own() -> None:
    child = processes.spawn(SLEEP, env=os.environ, log=None)
    try:
        assert os.getpgid(child.pid) == child.pid
    finally:
        processes.terminate(child, 5)


def test_terminate_lets_it_end_by_itself() -> None:
    child = processes.spawn(SLEEP, env=os.environ, log=None)
    assert processes.terminate(child, 5)
    assert child.returncode() == -signal.SIGTERM


def test_terminate_kills_what_does_not_listen() -> None:
    child = start(IGNORES_SIGTERM)
    assert first_line(child) == "deaf"
    assert not processes.terminate(child, 0.2)
    assert child.returncode() == -signal.SIGKILL


def test_terminate_kills_the_rest_of_the_group() -> None:
    leader = start(LEAVES_A_CHILD)
    grandchild_pid = int(first_line(leader))
    grandchild_identity = processes.identity(grandchild_pid)
    assert grandchild_identity is not None
    assert leader.wait(5)
    processes.terminate(leader, 1)
    left = processes.find(grandchild_pid, grandchild_identity)
    assert left is None or left.wait(5)


def test_a_killed_parent_takes_its_children_along() -> None:
    parent = start(PARENT)
    pid, identity = first_line(parent).split(" ")
    child = processes.find(int(pid), identity)
    assert child is not None
    os.kill(parent.pid, signal.SIGKILL)
    assert parent.wait(5)
    assert child.wait(5)


def test_a_process_is_found_again_by_pid_and_identity_alone() -> None:
    child = processes.spawn(SLEEP, env=os.environ, log=None)
    found = processes.find(child.pid, child.identity)
    assert found is not None
    assert found.is_running()
    assert processes.find(child.pid, "an earlier process") is None
    processes.terminate(child, 5)
    assert not found.is_running()
    assert processes.find(child.pid, child.identity) is None


def test_output_is_appended_to_a_log_file(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    for word in ("first", "second"):
        child = processes.spawn([sys.executable, "-c", f"print({word!r})"], env=os.environ, log=log)
        assert child.wait(10)
    assert log.read_text() == "first\nsecond\n"


def test_standard_input_is_given_and_closed() -> None:
    child = processes.spawn(["cat"], env=os.environ, log=subprocess.PIPE, stdin=b"port 1\n")
    assert first_line(child) == "port 1"
    assert child.wait(5)


def test_a_program_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        processes.spawn(["/no/such/program"], env=os.environ, log=None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a child as somebody else")
def test_root_runs_a_child_as_another_account() -> None:
    child = processes.spawn(["id", "-un"], env=os.environ, log=subprocess.PIPE, user="nobody", cwd=Path("/"))
    assert first_line(child) == "nobody"
    assert child.wait(5)
