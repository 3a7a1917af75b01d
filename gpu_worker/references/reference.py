"""A decoded recording of a voice, and what engines derive from it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from gpu_worker.audio import Samples

T = TypeVar("T")


class Reference:
    """A voice to clone: float32 mono `samples` in [-1, 1] at `sample_rate` Hz, named by its file's SHA-256.

    What an engine works out from it (conditionals, embeddings) is kept by `derived` on this very object: it
    is shared by the requests that use the voice and goes with it after 24 h, on deletion, or when memory is
    wanted for others.
    """

    __slots__ = ("_derived", "_lock", "sample_rate", "samples", "sha256")

    def __init__(self, sha256: str, samples: Samples, sample_rate: int) -> None:
        samples.setflags(write=False)
        self.sha256 = sha256
        self.samples = samples
        self.sample_rate = sample_rate
        self._lock = threading.Lock()
        self._derived: dict[Hashable, object] = {}

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / self.sample_rate

    def derived(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returned for this key the first time; other threads wait for it meanwhile."""
        with self._lock:
            if key not in self._derived:
                self._derived[key] = make()
            return cast("T", self._derived[key])
