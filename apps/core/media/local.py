"""Media on this machine's disk."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

# A file is written in seconds: what is left of one after so long belongs to a process that was killed.
_PART_SECONDS = 3600


class PrivateFiles(FileSystemStorage):
    """Files that only this account may read, each there whole or not at all; a name is taken as it is given.

    Django's own storage gives a file another name where its own is taken, and has no URL to keep from it.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: File[bytes]) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return name

    def listed(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """Names below the folder, and when each was written; parts that nobody will finish are removed."""
        root = Path(self.location)
        for path in root.joinpath(folder).rglob("*"):
            try:
                written_at = path.stat().st_mtime
            except FileNotFoundError:
                continue
            if path.suffix == ".part":
                if written_at < time.time() - _PART_SECONDS:
                    path.unlink(missing_ok=True)
            elif path.is_file():
                yield str(path.relative_to(root)), datetime.fromtimestamp(written_at, UTC)

    def url(self, name: str | None) -> str:
        raise NotImplementedError("media is reached by signed links alone")
