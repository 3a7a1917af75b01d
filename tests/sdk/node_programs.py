"""Programs for Node.js in `tests/sdk/node`, with the packages that their lock pins."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent / "node"
INSTALLED = Path(__file__).resolve().parents[2] / "var" / "node"
INSTALL_SECONDS = 240
RUN_SECONDS = 60


def install() -> Path:
    """The folder with the packages, installed once for each lock; downloads a few MB the first time."""
    pinned = b"".join((SOURCES / name).read_bytes() for name in ("package.json", "package-lock.json"))
    folder = INSTALLED / hashlib.sha256(pinned).hexdigest()[:16]
    if not folder.exists():
        INSTALLED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=INSTALLED) as made:
            _install_into(Path(made) / "new")
            # Another run may have been quicker, and its folder is as good.
            if not folder.exists():
                (Path(made) / "new").rename(folder)
    for program in SOURCES.glob("*.mjs"):
        shutil.copy(program, folder)
    return folder


def _install_into(folder: Path) -> None:
    folder.mkdir()
    for name in (".npmrc", "package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--fetch-retries=2", "--fetch-timeout=60000"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


class Program:
    """One program; `environment` is added to that of the tests."""

    def __init__(self, folder: Path, name: str, **environment: str) -> None:
        self._command = ["node", str(folder / name)]
        self._environment = os.environ | environment

    def run(self, *arguments: str) -> Any:
        """What it writes, as JSON. Fails the test where the program fails."""
        with self.running(*arguments) as process:
            return result_of(process)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [*self._command, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()


def result_of(process: subprocess.Popen[str]) -> Any:
    out, err = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 0, err
    return json.loads(out)
