"""Archives that have the same bytes whenever and wherever they are made.

Plain tar: what a compressor makes of the same bytes differs between its versions, and FLAC gains nothing.
"""

from __future__ import annotations

import csv
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Final

from django.conf import settings

_MODE: Final = 0o644


class Tar:
    """Files are added in the order in which they lie in it. `mtime` is in seconds since the epoch."""

    def __init__(self, into: IO[bytes], *, mtime: int) -> None:
        self._tar = tarfile.open(fileobj=into, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self._mtime = mtime

    def add(self, name: str, content: bytes) -> None:
        self.add_file(name, io.BytesIO(content))

    def add_file(self, name: str, file: IO[bytes]) -> None:
        """From its beginning, in parts."""
        info = tarfile.TarInfo(name)
        info.size = file.seek(0, os.SEEK_END)
        info.mtime = self._mtime
        info.mode = _MODE
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        file.seek(0)
        self._tar.addfile(info, file)

    def close(self) -> None:
        self._tar.close()


class Table:
    """Rows of text, kept on disk until they are added to an archive; lines end with a line feed."""

    def __init__(self, file: IO[bytes], *, delimiter: str, is_quoted: bool) -> None:
        self.file = file
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        # Without quotes a cell must not hold the delimiter; see `plain`.
        self._writer: Any = csv.writer(
            self._text,
            delimiter=delimiter,
            lineterminator="\n",
            quoting=csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE,
            quotechar='"' if is_quoted else None,
        )
        self._delimiter = None if is_quoted else delimiter

    def add(self, cells: Sequence[object]) -> None:
        delimiter = self._delimiter
        self._writer.writerow([plain(str(cell), delimiter) if delimiter else str(cell) for cell in cells])

    def add_to(self, tar: Tar, name: str) -> None:
        self._text.flush()
        tar.add_file(name, self.file)


@contextmanager
def table(*, delimiter: str = ",", is_quoted: bool = True) -> Iterator[Table]:
    with scratch_file() as file:
        made = Table(file, delimiter=delimiter, is_quoted=is_quoted)
        yield made
        made._text.detach()


def plain(cell: str, delimiter: str) -> str:
    """On one line, and without what separates cells."""
    return " ".join(cell.replace(delimiter, " ").split())


def scratch_file() -> IO[bytes]:
    """Without a name: it is gone with the task, however that ends."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=settings.VAR_DIR)
