"""Nothing of ours tells others what it does: no identity is kept, and nobody is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platform import CHECKOUT


@pytest.mark.parametrize("module", ["gpu_worker.engines.cpu", "apps.contributions.quality.models"])
def test_onnxruntime_keeps_no_identity(tmp_path: Path, module: str) -> None:
    """It would do so as it is imported, for what it is about to send."""
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    code = f"import {module}, onnxruntime; onnxruntime.SessionOptions()"
    subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
