"""What the supervisor must know after it was killed: what is wanted, and which processes it had."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.deployments.providers.base import Wanted
from apps.deployments.providers.local import wire

_VERSION = 1


@dataclass(frozen=True, slots=True)
class RecordedProcess:
    """A worker process by pid and start time (`apps.core.processes.identity`)."""

    pid: int
    identity: str


@dataclass(frozen=True, slots=True)
class RecordedState:
    wanted: tuple[Wanted, ...] = ()
    processes: tuple[RecordedProcess, ...] = ()


def write(path: Path, state: RecordedState) -> None:
    """Replaces the file at once: a reader finds the old state or the new one, also after a power cut."""
    body = {
        "version": _VERSION,
        "wanted": {str(wanted.deployment_id): wire.wanted_to_json(wanted) for wanted in state.wanted},
        "processes": [{"pid": process.pid, "identity": process.identity} for process in state.processes],
    }
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(body, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read(path: Path) -> RecordedState:
    """An empty state where there is no file yet. Raises `wire.WireError` for one that is damaged."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return RecordedState()
    body = wire.decode(raw)
    if not isinstance(body, dict) or body.get("version") != _VERSION:
        raise wire.WireError(f"The state file is not of version {_VERSION}.")
    wanted, processes = body.get("wanted"), body.get("processes")
    if not isinstance(wanted, dict) or not isinstance(processes, list):
        raise wire.WireError("The state file lacks its lists.")
    return RecordedState(
        wanted=tuple(wire.wanted_from_json(wire.uuid_from(key), value) for key, value in wanted.items()),
        processes=tuple(_process(entry) for entry in processes),
    )


def _process(entry: Any) -> RecordedProcess:
    match entry:
        case {"pid": int(pid), "identity": str(identity)} if pid > 1:
            return RecordedProcess(pid=pid, identity=identity)
    raise wire.WireError("A process in the state file has no pid and identity.")
