"""`python -m gpu_worker.install_voices [--list] [--all | NAME…]`: fetches more voices of the CPU engine.

A worker lists them at its next start. Exit status: 0 all are there, 1 one could not be fetched, 2 a name or
an option is wrong, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from gpu_worker.engines.hibari_voices import (
    NAMES,
    VoiceNotFetchedError,
    install,
    is_installed,
    size_bytes,
)

_FAILED: Final = 1
_WRONG_USE: Final = 2
_INTERRUPTED: Final = 130


def main(arguments: Sequence[str]) -> int:
    """Lists or fetches voices; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        _say_error(f"There is no voice {', '.join(unknown)}; there are {', '.join(NAMES)}.")
        return _WRONG_USE
    if options.all and options.names:
        _say_error("Name voices or give --all, not both.")
        return _WRONG_USE
    if options.list:
        return _list()
    wanted = NAMES if options.all else tuple(options.names)
    if not wanted:
        parser.print_help()
        return _WRONG_USE
    try:
        failures = sum(not _install(name) for name in wanted)
    except KeyboardInterrupt:
        _say_error("Interrupted; what was not said to be installed is not there.")
        return _INTERRUPTED
    return _FAILED if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gpu_worker.install_voices",
        description="Fetches more voices of the CPU engine; a worker lists them at its next start. "
        "HIBARI_HOME names the folder that they are kept in.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}")
    parser.add_argument("--all", action="store_true", help="every voice that there is")
    parser.add_argument("--list", action="store_true", help="say which voices there are, and which are here")
    return parser


def _list() -> int:
    for name in NAMES:
        size = f"{size_bytes(name) / 1e6:.1f} MB"
        _say(f"{name:8} {size:>8}  {'installed' if is_installed(name) else 'not installed'}")
    return 0


def _install(name: str) -> bool:
    if is_installed(name):
        _say(f"{name} is installed already.")
        return True
    _say(f"Fetching {name}, {size_bytes(name) / 1e6:.1f} MB …")
    try:
        install(name)
    except VoiceNotFetchedError as error:
        _say_error(f"{name} was not installed: {error}")
        return False
    _say(f"{name} is installed.")
    return True


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's own words


def _say_error(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - a command's own words


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
