"""Engines turn pieces of text into samples."""

from __future__ import annotations

from gpu_worker.config import Settings
from gpu_worker.engines.base import Capabilities, Engine, EngineLoadError, Utterance
from gpu_worker.protocol import CHATTERBOX_ENGINES

__all__ = ["Capabilities", "Engine", "Utterance", "load_engine"]


def load_engine(settings: Settings) -> Engine:
    """Loads the configured engine; slow, so not for an event loop. Raises EngineLoadError."""
    if settings.engine == "tone":
        from gpu_worker.engines.tone import ToneEngine

        return ToneEngine(settings.tone_real_time_factor, settings.tone_batch)
    if settings.engine in CHATTERBOX_ENGINES:
        return _chatterbox(settings)
    from gpu_worker.engines.cpu import CpuEngine

    return CpuEngine.load(settings.threads)


def _chatterbox(settings: Settings) -> Engine:
    try:
        from gpu_worker.engines.chatterbox.engine import ChatterboxEngine
    except ImportError as error:
        message = f"ENGINE={settings.engine} needs {error.name}, which is not installed"
        raise EngineLoadError(f"{message}: requirements/worker-gpu.txt has it") from error
    return ChatterboxEngine.load(
        settings.engine,
        settings.model_dir,
        device=settings.device,
        dtype=settings.dtype,
        threads=settings.threads,
        max_batch=settings.max_batch,
        flow_seconds=settings.flow_seconds,
    )
