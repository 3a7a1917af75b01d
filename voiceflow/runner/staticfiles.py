"""Whether the collected static files are still those of the sources."""

from __future__ import annotations

import hashlib
from pathlib import Path


def fingerprint(checkout: Path) -> str:
    """Changes with every static file of ours and with the packages that bring some."""
    pins = checkout / "requirements" / "base.txt"
    sources = [checkout / "static", *sorted((checkout / "apps").glob("*/static"))]
    files = sorted(file for source in sources for file in source.rglob("*") if file.is_file())
    digest = hashlib.sha256(pins.read_bytes())
    for file in files:
        found = file.stat()
        digest.update(f"{file.relative_to(checkout)}:{found.st_size}:{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
