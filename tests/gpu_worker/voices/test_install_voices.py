"""The installer says what is there, fetches what is not, and takes no half file for a voice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from hibari.voices import VOICES

from tests.gpu_worker.worker_process import running_worker

EMMA = VOICES["emma"]


def install(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, without a way out to the network."""
    return subprocess.run(
        [sys.executable, "-m", "gpu_worker.install_voices", *arguments],
        env={"PATH": os.environ["PATH"], "HIBARI_HOME": str(folder), "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_list_says_what_is_here(tmp_path: Path) -> None:
    listed = install(tmp_path, "--list")
    assert listed.returncode == 0
    states = {line.split()[0]: line.endswith("not installed") for line in listed.stdout.splitlines()}
    assert states == {"heart": False, "emma": True, "fable": True, "fenrir": True, "kore": True}


def test_a_half_file_is_no_voice(tmp_path: Path) -> None:
    (tmp_path / EMMA["file"]).write_bytes(bytes(1000))
    (tmp_path / VOICES["kore"]["file"]).write_bytes(bytes(VOICES["kore"]["bytes"]))
    listed = install(tmp_path, "--list").stdout.splitlines()
    assert [line for line in listed if line.endswith("  installed")] == listed[:1]


def test_without_a_connection_it_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    failed = install(tmp_path, "heart", "emma", "kore")
    assert failed.returncode == 1
    assert "heart is installed already." in failed.stdout
    lines = failed.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["emma was not installed", "kore was not installed"]
    assert all("Check the connection" in line for line in lines)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody", "emma"), "There is no voice nobody; there are heart, emma"),
        (("--all", "emma"), "not both"),
    ],
)
def test_wrong_use_is_told_before_anything_is_fetched(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    refused = install(tmp_path, *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert words in refused.stderr


def test_without_a_name_it_explains_itself(tmp_path: Path) -> None:
    explained = install(tmp_path)
    assert explained.returncode == 2
    assert "HIBARI_HOME" in explained.stdout


def test_a_worker_starts_beside_a_half_file_and_does_not_list_it(tmp_path: Path) -> None:
    home = tmp_path / "hibari"
    home.mkdir()
    (home / EMMA["file"]).write_bytes(bytes(1000))
    with running_worker(tmp_path, ENGINE="cpu", HIBARI_HOME=str(home)) as worker:
        assert httpx.get(f"{worker.url}/voices").json() == {"voices": ["heart"], "default": "heart"}
