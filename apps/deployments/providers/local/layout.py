"""Where the supervisor keeps its files, and how its socket is reached whatever the length of the path."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# sun_path holds 108 bytes on Linux and 104 on macOS, a closing zero among them.
_LONGEST_SOCKET_PATH = 103
_OPEN_FOLDERS = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True)
class Layout:
    """All of it lies under `var_dir`/run/local-provider, which only its owner may enter."""

    var_dir: Path

    @property
    def folder(self) -> Path:
        return self.var_dir / "run" / "local-provider"

    @property
    def socket(self) -> Path:
        return self.folder / "control.sock"

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def ports(self) -> Path:
        """One file a worker, which it writes the number of its port into."""
        return self.folder / "ports"

    def create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self.ports.mkdir(exist_ok=True)


def listen(path: Path) -> socket.socket:
    """A listening Unix socket that only its owner may write to; one left behind is replaced."""
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with _short(path) as address:
            server.bind(address)
    finally:
        os.umask(before)
    server.listen(16)
    server.setblocking(False)
    return server


def connect(path: Path, timeout_seconds: float) -> socket.socket:
    """Raises OSError where nobody listens."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(timeout_seconds)
    try:
        with _short(path) as address:
            client.connect(address)
    except BaseException:
        client.close()
        raise
    return client


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for `path` that fits into a socket address."""
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        yield str(path)
        return
    if not _OPEN_FOLDERS.is_dir():
        raise OSError(f"The path {path} is too long for a socket. Set VAR_DIR to a shorter one.")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(_OPEN_FOLDERS / str(folder) / path.name)
    finally:
        os.close(folder)
