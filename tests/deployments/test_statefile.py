"""The supervisor's memory on disk."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from apps.deployments.providers.base import Wanted
from apps.deployments.providers.local import statefile
from apps.deployments.providers.local.statefile import RecordedProcess, RecordedState
from apps.deployments.providers.local.wire import WireError

STATE = RecordedState(
    wanted=(Wanted(uuid4(), "one", "tone", 2, 3), Wanted(uuid4(), "two", "cpu", 0, 1)),
    processes=(RecordedProcess(pid=4711, identity="boot:1"),),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    statefile.write(path, STATE)
    statefile.write(path, STATE)
    assert statefile.read(path) == STATE
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_file_nothing_is_wanted(tmp_path: Path) -> None:
    assert statefile.read(tmp_path / "state.json") == RecordedState()


def test_every_beginning_of_a_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    statefile.write(path, STATE)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(WireError):
            statefile.read(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"wanted": []},
        {"wanted": {"not-an-id": {}}},
        {"wanted": {str(uuid4()): {"name": "one"}}},
        {"processes": {}},
        {"processes": [{}]},
        {"processes": [{"pid": 1, "identity": "init"}]},
        {"processes": [{"pid": "7", "identity": "x"}]},
        {"processes": [{"pid": 7, "identity": None}]},
    ],
)
def test_what_is_not_a_state_is_damaged(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"version": 1, "wanted": {}, "processes": []} | changes))
    with pytest.raises(WireError):
        statefile.read(path)
