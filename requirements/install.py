"""Installs pinned requirements with pip, in a few lines that never stop for long.

`python requirements/install.py base.txt …` with the Python of the virtual environment. Standard library
only. The pins are complete, so pip need not resolve anything; its configuration (index, certificates)
is the user's own.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SAY_EVERY_SECONDS = 3.0
# Compiling every module of every package takes longer than compiling, at first import, those that are used.
PIP = ["-m", "pip", "install", "--no-deps", "--no-compile", "--no-input", "--disable-pip-version-check"]
COLLECTED = re.compile(r"(?:Collecting|Processing|Requirement already satisfied:) (?:\S*/)?([^\s=<>;]+)")


class Progress:
    """What pip has said so far, in one line every few seconds."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.collected = 0
        self.doing = "starting pip"
        self.lines: list[str] = []
        self._began = time.monotonic()
        self._done = threading.Event()

    def read(self, line: str) -> None:
        self.lines.append(line)
        if found := re.match(
            r"(?:Collecting|Processing|Requirement already satisfied:) (?:\S*/)?([^\s=<>;]+)", line
        ):
            self.collected += 1
            self.doing = found[1]
        elif line.lstrip().startswith("Downloading"):
            self.doing = line.strip().replace("Downloading", "downloading", 1)
        elif line.startswith("Installing collected"):
            self.doing = "unpacking them"

    def speak(self) -> None:
        while not self._done.wait(SAY_EVERY_SECONDS):
            self._say(f"{min(self.collected, self.total)} of {self.total} packages, {self.doing}")

    def finish(self) -> None:
        self._done.set()

    def _say(self, text: str) -> None:
        sys.stdout.write(f"  {time.monotonic() - self._began:3.0f} s  {text}\n")
        sys.stdout.flush()


def main(names: list[str]) -> int:
    pins = {
        line.partition("==")[0]
        for name in names
        for line in (FOLDER / name).read_text().splitlines()
        if re.match(r"[A-Za-z0-9]", line)
    }
    sys.stdout.write(f"Installing {len(pins)} packages into the virtual environment\n")
    sys.stdout.flush()
    progress = Progress(total=len(pins))
    speaker = threading.Thread(target=progress.speak, daemon=True)
    speaker.start()
    files = [part for name in names for part in ("-r", str(FOLDER / name))]
    with subprocess.Popen(
        [sys.executable, *PIP, *files], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        for line in pip.stdout or ():
            progress.read(line.rstrip())
    progress.finish()
    if pip.returncode != 0:
        sys.stdout.write(
            "\n".join(progress.lines[-20:]) + f"\npip ended with exit status {pip.returncode}.\n"
        )
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
