"""From samples to figures. Times in ms unless a name says otherwise."""

from __future__ import annotations

import ctypes
import math
import sys
import time
from collections.abc import Sequence
from typing import Any

import psutil  # type: ignore[import-untyped]

_LIBC = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank: one of the values, so that a p95 was really seen."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all its threads, ended ones included.

    On Linux to the nanosecond by the process's own clock, elsewhere to the tick.
    """
    if _LIBC is None:
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    clock = ctypes.c_int()
    if _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)) != 0:
        raise ProcessLookupError(f"There is no process {pid}.")
    return time.clock_gettime(clock.value)


def memory_mb(pid: int) -> float:
    """What of a process lies in memory, in MB (10**6 bytes)."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def children(pid: int) -> list[int]:
    """The processes that a process has started, oldest first."""
    return [child.pid for child in psutil.Process(pid).children()]


def rounded(figures: dict[str, Any]) -> dict[str, Any]:
    """To three digits after the point, nested figures included."""
    return {
        name: rounded(value)
        if isinstance(value, dict)
        else round(value, 3)
        if isinstance(value, float)
        else value
        for name, value in figures.items()
    }
