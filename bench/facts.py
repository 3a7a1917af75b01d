"""What a figure is worth nothing without: which code, on which machine, how busy."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def facts(checkout: Path) -> dict[str, object]:
    """To be read at the start: the load average is then that of others."""
    return {
        "commit": _git(checkout, "rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git(checkout, "status", "--porcelain", "--untracked-files=no")),
        "cpu_model": _cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_1m": round(os.getloadavg()[0], 2),
    }


def _git(checkout: Path, *arguments: str) -> str | None:
    """None outside a repository, or without git."""
    try:
        return subprocess.run(
            ["git", *arguments], cwd=checkout, check=True, capture_output=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
