"""Engines turn pieces of text into samples."""

from __future__ import annotations

from gpu_worker.config import Settings
from gpu_worker.engines.base import Capabilities, Engine, Utterance

__all__ = ["Capabilities", "Engine", "Utterance", "load_engine"]


def load_engine(settings: Settings) -> Engine:
    """Loads the configured engine; slow, so not for an event loop. Raises EngineLoadError."""
    if settings.engine == "tone":
        from gpu_worker.engines.tone import ToneEngine

        return ToneEngine(settings.tone_real_time_factor, settings.tone_batch)
    from gpu_worker.engines.cpu import CpuEngine

    return CpuEngine.load(settings.threads)
