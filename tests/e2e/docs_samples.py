"""Runs a sample of the docs as it stands there, with the reader's own address and key."""

from __future__ import annotations

import html
import os
import subprocess
import sys
from pathlib import Path

from apps.console.docs.samples import samples_of
from tests.platform import Tenant

PROGRAMS = {
    "curl": ["bash", "-c"],
    "python": [sys.executable, "-c"],
    "javascript": ["node", "--input-type=module", "-e"],
    "openai": [sys.executable, "-c"],
    "elevenlabs": [sys.executable, "-c"],
}


def run_sample(tenant: Tenant, name: str, language: str, *, folder: Path) -> str:
    """In `folder`; answers what it printed."""
    samples = samples_of(name, tenant.server.url)
    code = next(html.unescape(sample.code) for sample in samples if sample.language == language)
    assert "YOUR_API_KEY" in code
    run = subprocess.run(
        [*PROGRAMS[language], code.replace("YOUR_API_KEY", tenant.live)],
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout
