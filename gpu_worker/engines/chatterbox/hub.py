"""Checkpoints from the hub."""

from __future__ import annotations

import os
from pathlib import Path

from gpu_worker.engines.base import EngineLoadError
from gpu_worker.engines.chatterbox.kinds import Kind


def fetched(kind: Kind, folder: Path | None = None) -> Path:
    """The files of a model, in `folder` or the hub's own cache (HF_HOME); HF_TOKEN is sent where it is set.

    Raises EngineLoadError.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise EngineLoadError(f"{error.name} is not installed; see requirements/worker-gpu.txt") from error
    try:
        return Path(
            snapshot_download(
                kind.repository,
                allow_patterns=list(kind.patterns),
                local_dir=folder,
                token=os.environ.get("HF_TOKEN") or None,
            )
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        message = f"{kind.repository} cannot be fetched from the hub: {shortened(error)}"
        raise EngineLoadError(f"{message}; MODEL_DIR names a folder that has it") from error


def shortened(error: BaseException) -> str:
    """What an error of a library says, fit for one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:400] or type(error).__name__
