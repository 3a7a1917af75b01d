"""One owner a folder. The kernel lets go of the lock when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from .errors import EmbeddedError


class LockHeldError(EmbeddedError):
    """Another process holds the lock. `pid` is its, 0 where it has not written it yet."""

    def __init__(self, path: Path, pid: int, note: str) -> None:
        super().__init__(f"{path} is held by process {pid}{f' ({note})' if note else ''}.")
        self.pid = pid
        self.note = note


class FolderLock:
    """An exclusive lock on `path`, held until `release` or the end of this process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path, note: str = "") -> FolderLock:
        """Raises `LockHeldError`, which carries the holder's pid and `note`, when it is taken."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, held_note = _holder(descriptor)
            os.close(descriptor)
            raise LockHeldError(path, pid, held_note) from None
        lock = cls(path, descriptor)
        lock.describe(note)
        return lock

    def describe(self, note: str) -> None:
        """Says to those who find the lock taken what its holder is."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps({"pid": os.getpid(), "note": note}).encode(), 0)

    def release(self) -> None:
        # The file stays: removing it would let two processes lock two files of the same name.
        os.close(self._descriptor)


def _holder(descriptor: int) -> tuple[int, str]:
    try:
        content = json.loads(os.pread(descriptor, 4096, 0))
        return int(content["pid"]), str(content["note"])
    except ValueError:
        return 0, ""
