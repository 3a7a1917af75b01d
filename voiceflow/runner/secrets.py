"""Secrets of a development machine: made once, kept under var/, readable by their owner only."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

_MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(64),
    "KEY_PEPPERS": lambda: f"1:{secrets.token_hex(32)}",
    "FIELD_ENCRYPTION_KEYS": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "CONSENT_SECRET": lambda: secrets.token_urlsafe(48),
    "ADMIN_PASSWORD": lambda: secrets.token_urlsafe(12),
}


def development_secrets(path: Path) -> dict[str, str]:
    """The secrets kept in `path`; what is missing there is made and written first."""
    kept = read_assignments(path) if path.is_file() else {}
    missing = {name: make() for name, make in _MAKERS.items() if name not in kept}
    if missing:
        kept |= missing
        _write_private(path, "".join(f"{name}={value}\n" for name, value in kept.items()))
    return kept


def read_assignments(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a file that this project wrote."""
    lines = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name.strip(): value.strip().strip("\"'") for name, _, value in lines if name[:1] != "#"}


def with_secrets(environ: Mapping[str, str], path: Path) -> dict[str, str]:
    """`environ` with the kept secrets where it names none of its own."""
    return development_secrets(path) | {name: value for name, value in environ.items() if value}


def _write_private(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    part.replace(path)
