"""The GPUs of this machine as their driver sees them (NVML); none where there is no driver."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

_FRESH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One GPU at one moment; None is a figure that it does not tell (a MIG slice has no utilisation)."""

    index: int
    utilization_percent: int | None
    memory_used_bytes: int | None
    temperature_celsius: int | None


class GpuReader:
    """Asks the driver at most once a second, whoever asks. Waits for the driver: not for an event loop."""

    def __init__(self) -> None:
        self._nvml = _open_nvml()
        self._lock = threading.Lock()
        self._samples: tuple[GpuSample, ...] = ()
        self._read_at = -math.inf

    def samples(self) -> tuple[GpuSample, ...]:
        """Every GPU that this process may see; empty without a driver."""
        if self._nvml is None:
            return ()
        with self._lock:
            if time.monotonic() - self._read_at >= _FRESH_SECONDS:
                self._samples = _read_all(self._nvml)
                self._read_at = time.monotonic()
            return self._samples


def _open_nvml() -> ModuleType | None:
    try:
        import pynvml

        pynvml.nvmlInit()
    except ImportError:
        return None
    except pynvml.NVMLError:
        return None
    nvml: ModuleType = pynvml
    return nvml


def _read_all(nvml: ModuleType) -> tuple[GpuSample, ...]:
    count: int | None = _told(nvml, nvml.nvmlDeviceGetCount)
    samples = []
    for index in range(count or 0):
        handle = _told(nvml, nvml.nvmlDeviceGetHandleByIndex, index)
        if handle is None:
            continue
        utilization = _told(nvml, nvml.nvmlDeviceGetUtilizationRates, handle)
        memory = _told(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)
        temperature = _told(nvml, nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU)
        samples.append(
            GpuSample(
                index=index,
                utilization_percent=None if utilization is None else int(utilization.gpu),
                memory_used_bytes=None if memory is None else int(memory.used),
                temperature_celsius=None if temperature is None else int(temperature),
            )
        )
    return tuple(samples)


def _told(nvml: ModuleType, ask: Callable[..., Any], *arguments: object) -> Any:
    """What the driver says, or None where it does not say it for this GPU."""
    try:
        return ask(*arguments)
    except nvml.NVMLError:
        return None
