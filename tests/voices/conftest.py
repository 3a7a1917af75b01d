from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cast import acme, alice, bob, charlie, globex
from voiceflow.settings.media import storage

__all__ = ["acme", "alice", "bob", "charlie", "globex"]


@pytest.fixture(autouse=True)
def media_folder(settings: Any, tmp_path: Path) -> Path:
    """Media of the test's own."""
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}
    return tmp_path / "media"
