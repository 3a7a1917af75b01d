"""One terminal for many processes: whole lines, each with the name of who said it."""

from __future__ import annotations

import os
import sys
import threading
from typing import IO

_COLOURS = ("36", "35", "33", "32", "34", "96", "95", "93")
_LONGEST_LINE_BYTES = 65536
_NAME_WIDTH = 9


class Console:
    """Writes from any thread; a line is never cut by another's."""

    def __init__(self, out: IO[bytes] | None = None, *, colour: bool | None = None) -> None:
        self._out = out if out is not None else sys.stdout.buffer
        self._colour = _is_terminal(self._out) if colour is None else colour
        self._lock = threading.Lock()
        self._names: list[str] = []
        # Nobody reads any more (`make run | head`): go on silently, to the end of the shutdown.
        self._unheard = False

    def say(self, text: str) -> None:
        """A line of the runner's own."""
        self._write(b"".join(f"{line}\n".encode() for line in text.split("\n")))

    def problem(self, text: str) -> None:
        self.say(f"\x1b[1;31m{text}\x1b[0m" if self._colour else text)

    def pump(self, name: str, pipe: IO[bytes]) -> threading.Thread:
        """Copies `pipe` line by line under `name`, in a thread that ends with the pipe."""
        prefix = self._prefix(name)
        thread = threading.Thread(target=self._copy, args=(prefix, pipe), name=f"log-{name}", daemon=True)
        thread.start()
        return thread

    def _copy(self, prefix: bytes, pipe: IO[bytes]) -> None:
        with pipe:
            while line := pipe.readline(_LONGEST_LINE_BYTES):
                self._write(prefix + line.rstrip(b"\r\n") + b"\n")

    def _prefix(self, name: str) -> bytes:
        if name not in self._names:
            self._names.append(name)
        label = f"{name:<{_NAME_WIDTH}}| "
        if self._colour:
            colour = _COLOURS[self._names.index(name) % len(_COLOURS)]
            label = f"\x1b[{colour}m{label}\x1b[0m"
        return label.encode()

    def _write(self, data: bytes) -> None:
        with self._lock:
            if self._unheard:
                return
            try:
                self._out.write(data)
                self._out.flush()
            except BrokenPipeError:
                self._unheard = True


def _is_terminal(out: IO[bytes]) -> bool:
    return out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
