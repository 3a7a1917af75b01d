"""Child processes that never outlive their parent.

Standard library only, no Django: the runner, the embedded services and the local provider's
supervisor start their children here. Each child leads a session and process group of its own, so a
Ctrl-C in the terminal reaches only the parent, which then decides the order of the shutdown.

On Linux the kernel signals a child when the *thread* that started it ends (``PR_SET_PDEATHSIG``):
start long-lived children from a thread that lives as long as they should. macOS has no such signal;
there a child outlives a parent that was killed with SIGKILL, and is found again by its identity.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_ON_LINUX = sys.platform.startswith("linux")
# Loaded at import: the time between fork and exec is no place to open a library.
_LIBC = ctypes.CDLL(None, use_errno=True) if _ON_LINUX else None
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_POLL_SECONDS = 0.02

LogTarget = Path | IO[bytes] | int | None


@dataclass(frozen=True)
class Process:
    """A process known by pid and identity, so that a reused pid is never taken for it.

    ``popen`` is there for our own children and None for one found again by `find`.
    """

    pid: int
    identity: str
    popen: subprocess.Popen[bytes] | None = None

    def is_running(self) -> bool:
        if self.popen is not None:
            return self.popen.poll() is None
        return identity(self.pid) == self.identity

    def returncode(self) -> int | None:
        """Exit status as in `subprocess`; None while it runs, and for a process that is not our child."""
        return None if self.popen is None else self.popen.poll()

    def wait(self, timeout_seconds: float) -> bool:
        """True once the process has ended, False when it still runs after `timeout_seconds`."""
        deadline = time.monotonic() + timeout_seconds
        while self.is_running():
            remaining_seconds = deadline - time.monotonic()
            if remaining_seconds <= 0:
                return False
            time.sleep(min(_POLL_SECONDS, remaining_seconds))
        return True

    def signal(self, number: signal.Signals) -> None:
        """Signals the process itself; a process that has ended is no error."""
        if not self.is_running():
            return
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return

    def kill_group(self) -> None:
        """SIGKILL to all that is left of the process group, also after its leader has ended."""
        leader = identity(self.pid)
        if leader is not None and leader != self.identity:
            return  # the pid is another process's by now
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        except PermissionError:
            # macOS says this of a group of zombies; elsewhere it means that the group is not ours.
            if _ON_LINUX:
                raise


def spawn(
    argv: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str],
    log: LogTarget,
    user: str | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> Process:
    """Starts `argv` as leader of its own session; it gets `death_signal` when the calling thread ends.

    `env` is the whole environment. `log` takes stdout and stderr: a path (appended to), an open file or
    descriptor, `subprocess.PIPE`, or None for nowhere. `user` needs root. `stdin` is written at once and
    must fit into a pipe (64 KiB). Raises OSError when the program cannot be started.
    """
    account = pwd.getpwnam(user) if user is not None else None
    command = [os.fspath(part) for part in argv]
    with _opened(log) as output:
        popen = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_death_signal_setter(death_signal),
        )
    if stdin is not None and popen.stdin is not None:
        with popen.stdin as pipe:
            pipe.write(stdin)
        popen.stdin = None
    # A child that ended already is a zombie until it is waited for; it needs no identity any more.
    return Process(pid=popen.pid, identity=identity(popen.pid) or "ended", popen=popen)


def terminate(
    process: Process, grace_seconds: float, *, stop_signal: signal.Signals = signal.SIGTERM
) -> bool:
    """Asks the leader to stop, then kills what is left of its group after `grace_seconds`.

    True when it stopped by itself. Returns only when the leader has ended.
    """
    process.signal(stop_signal)
    stopped = process.wait(grace_seconds)
    process.kill_group()
    if process.popen is not None:
        process.popen.wait()
    else:
        process.wait(grace_seconds)
    return stopped


def find(pid: int, expected_identity: str) -> Process | None:
    """The process recorded earlier as `pid` and `expected_identity`, or None when it has ended."""
    if identity(pid) != expected_identity:
        return None
    return Process(pid=pid, identity=expected_identity)


def identity(pid: int) -> str | None:
    """When the process started, in a form that no later process with this pid shares; None if it ended.

    On Linux `<boot>:<clock ticks since boot>`, elsewhere the start time as `ps` prints it.
    """
    if not _ON_LINUX:
        return _identity_by_ps(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot_id = _BOOT_ID.read_text()[:8]
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name may hold spaces and brackets: fields are counted from the last bracket on.
    fields = stat.rpartition(")")[2].split()
    state, start_ticks = fields[0], fields[19]
    return None if state in "ZX" else f"{boot_id}:{start_ticks}"


def command_line(pid: int) -> str:
    """The arguments it was started with, joined by spaces; empty when it has ended."""
    if not _ON_LINUX:
        return _ps(pid, "args=")
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def die_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Asks the kernel to send this process `number` when the thread that forked it ends (Linux only)."""
    if _LIBC is not None and _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def _death_signal_setter(number: signal.Signals) -> Callable[[], None] | None:
    if not _ON_LINUX:
        return None
    parent_pid = os.getpid()

    def set_death_signal() -> None:
        die_with_parent(number)
        if os.getppid() != parent_pid:  # the parent died before the kernel knew of our wish
            os._exit(1)

    return set_death_signal


@contextmanager
def _opened(log: LogTarget) -> Iterator[IO[bytes] | int]:
    if isinstance(log, Path):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as opened:
            yield opened
    else:
        yield subprocess.DEVNULL if log is None else log


def _identity_by_ps(pid: int) -> str | None:
    state, _, started = _ps(pid, "stat=,lstart=").partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def _ps(pid: int, columns: str) -> str:
    answer = subprocess.run(
        ["ps", "-ww", "-o", columns, "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()
