"""Builds the environment of `make test-chatterbox` in the user's cache, once for each set of pins.

`python requirements/chatterbox_env.py` prints its Python. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PINS = Path(__file__).resolve().parent / "chatterbox-test.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PIP = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--no-input"]


def main() -> int:
    folder = _folder()
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        _say("Making the environment for Chatterbox's tests: 0.7 GB to download, 1.8 GB on disk, in")
        _say(f"  {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        for arguments in (["--extra-index-url", CPU_INDEX, _torch()], ["-r", str(PINS)]):
            installed = subprocess.run([python, *PIP, *arguments], stdout=sys.stderr, check=False)
            if installed.returncode:
                return installed.returncode
        _keep_python_part_of_torchaudio(folder)
        (folder / "complete").touch()
    sys.stdout.write(f"{python}\n")
    return 0


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]
    return cache / "voiceflow" / f"chatterbox-{sys.version_info.major}.{sys.version_info.minor}-{pins}"


def _torch() -> str:
    return next(line for line in PINS.read_text().splitlines() if line.startswith("torch=="))


def _keep_python_part_of_torchaudio(folder: Path) -> None:
    """Its compiled files link CUDA and do not load without; it goes on without them where they are gone."""
    for file in folder.glob("lib/python3*/site-packages/torchaudio/lib/*.so"):
        file.unlink()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
