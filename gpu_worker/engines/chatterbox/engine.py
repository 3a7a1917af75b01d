"""Chatterbox as an engine: loads a model, sees how many requests fit, and speaks once to be sure."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
import torch

from gpu_worker.engines.base import Capabilities, Chunk, EngineFigures, EngineLoadError, Failed, Utterance
from gpu_worker.engines.chatterbox.kinds import KINDS
from gpu_worker.engines.chatterbox.loading import chosen_device, load, offered_languages
from gpu_worker.engines.chatterbox.model import Model
from gpu_worker.engines.chatterbox.session import ChatterboxSession
from gpu_worker.references.reference import Reference

_DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# The longest that a piece becomes, prompt and speech.
_LONGEST_POSITIONS: Final = 1280
# What flow matching and vocoder take at their peak, and others on the machine.
_RESERVE_BYTES: Final = 2_000_000_000
_MOST_ON_CPU: Final = 8
_MOST_ON_GPU: Final = 32
_WARM_UP: Final = "Ready."


class ChatterboxEngine:
    """See Engine. One session at a time is what a device is best used by: its batch is the concurrency."""

    def __init__(self, model: Model, languages: tuple[str, ...], *, max_batch: int = 0) -> None:
        """`max_batch` 0 is as many as memory has room for."""
        self._model = model
        self._capabilities = Capabilities(
            engine=model.kind.name,
            models=(model.kind.name,),
            voices=model.voices,
            languages=languages,
            features=frozenset({"clone", "tags"} if model.kind.performs_tags else {"clone"}),
            sample_rate=model.sample_rate,
            speeds=(1.0, 1.0),
            max_batch=max_batch or _room(model),
        )

    @classmethod
    def load(
        cls,
        name: str,
        folder: Path | None,
        *,
        device: str = "auto",
        dtype: str = "float32",
        threads: int = 1,
        max_batch: int = 0,
        flow_seconds: float = 10.0,
    ) -> ChatterboxEngine:
        """Raises EngineLoadError."""
        if device == "auto":
            device = chosen_device()
        if device == "cuda" and not torch.cuda.is_available():
            raise EngineLoadError("this machine has no GPU that torch can use; DEVICE=cpu does without")
        torch.set_num_threads(threads)
        kind = KINDS[name]
        upstream = load(kind, folder, device=device)
        languages = offered_languages(kind, upstream)
        with torch.inference_mode():
            model = Model(kind, upstream, dtype=_DTYPES[dtype], flow_seconds=flow_seconds)
        engine = cls(model, languages, max_batch=max_batch)
        engine.check()
        return engine

    @property
    def capabilities(self) -> Capabilities:
        """See Engine."""
        return self._capabilities

    def can_speak(self, text: str) -> bool:
        """See Engine."""
        return any(character.isalnum() for character in text)

    def open_session(self) -> ChatterboxSession:
        """See Engine."""
        return ChatterboxSession(self._model, self._capabilities.max_batch)

    def learn(self, reference: Reference) -> None:
        """See Learner."""
        self._model.learn(reference)

    def figures(self) -> EngineFigures:
        """See Measured."""
        stages = self._model.stages
        return EngineFigures(dict(stages.seconds), stages.tokens, stages.voices_made, stages.voices_found)

    def check(self) -> None:
        """Speaks with its own voice, where it has one. Raises EngineLoadError where that is no sound."""
        if not self._model.voices:
            return
        session = self.open_session()
        try:
            session.join(
                Utterance(
                    text=_WARM_UP,
                    model=self._model.kind.name,
                    voice=self._model.voices[0],
                    language=self._capabilities.languages[0],
                    speed=1.0,
                    seed=0,
                )
            )
            peak = _peak(session)
        finally:
            session.close()
        if not math.isfinite(peak):
            raise EngineLoadError("its first words are no sound: not all samples are numbers")
        if peak == 0:
            raise EngineLoadError("its first words are silence")


def _peak(session: ChatterboxSession) -> float:
    peak = 0.0
    while True:
        for _, outcome in session.step():
            if isinstance(outcome, Chunk):
                if not np.isfinite(outcome.samples).all():
                    return math.nan
                peak = max(peak, float(np.abs(outcome.samples).max()))
            elif isinstance(outcome, Failed):
                raise EngineLoadError(f"it does not speak: {outcome.error}") from outcome.error
            else:
                return peak


def _room(model: Model) -> int:
    """How many requests memory has room for, each guided and as long as a piece can be."""
    backbone = model.t3.backbone
    numbers = 2 * 2 * backbone.layers * backbone.width * _LONGEST_POSITIONS
    bytes_each = numbers * backbone.dtype.itemsize
    on_gpu = model.device.startswith("cuda")
    free = torch.cuda.mem_get_info()[0] if on_gpu else _available_bytes() // 2
    most = _MOST_ON_GPU if on_gpu else _MOST_ON_CPU
    return max(1, min(most, int(free - _RESERVE_BYTES) // int(bytes_each)))


def _available_bytes() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
