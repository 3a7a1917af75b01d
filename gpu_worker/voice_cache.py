"""Decoded references on disk, for a day at most: a folder that several workers may share."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import struct
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gpu_worker.consent import SHA256_PATTERN
from gpu_worker.references.reference import Reference

MAX_AGE_SECONDS: Final = 24 * 3600

_DRAFT_PREFIX: Final = ".draft-"
_MAX_DRAFT_AGE_SECONDS: Final = 60
_MAX_CLOCK_STEP_SECONDS: Final = 60
_NAME: Final = re.compile(r"[0-9a-f]{64}-[0-9]{4,6}")
_MAGIC: Final = b"VFR1"
_HEADER: Final = struct.Struct("<4s32s")


class VoiceCacheError(OSError):
    """The folder cannot be used; its words say why."""


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    size: int
    put_at: float
    used_at: float


class VoiceCache:
    """Files named by SHA-256 and sample rate, in a folder of mode 0700.

    A file's modification time is when it was put, which no use changes; its access time is when it was used
    last, by any worker. Files appear whole or not at all and carry their own digest; a process may be killed
    anywhere. Methods block; several threads and processes may call them at once.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._make_private()

    def get(self, sha256: str, sample_rate: int) -> Reference | None:
        """The reference if it is here, whole and not older than a day; what is damaged is dropped."""
        path = self._path(sha256, sample_rate)
        with _opened(path) as file:
            if file is None or not _is_current(os.fstat(file).st_mtime):
                return None
            with os.fdopen(file, "rb", closefd=False) as reader:
                content = reader.read(self._max_bytes)
        samples = _unpacked(path.name, content)
        if samples is None:
            path.unlink(missing_ok=True)
            return None
        return Reference(sha256, samples, sample_rate)

    def has(self, sha256: str, sample_rate: int) -> bool:
        """Whether the reference may still be used."""
        with _opened(self._path(sha256, sample_rate)) as file:
            return file is not None and _is_current(os.fstat(file).st_mtime)

    def touch(self, sha256: str, sample_rate: int) -> bool:
        """Whether the reference may still be used; notes the use."""
        with _opened(self._path(sha256, sample_rate)) as file:
            if file is None:
                return False
            status = os.fstat(file)
            if not _is_current(status.st_mtime):
                return False
            with contextlib.suppress(OSError):
                os.utime(file, ns=(time.time_ns(), status.st_mtime_ns))
            return True

    def put(self, reference: Reference) -> None:
        """Keeps it for a day from now, at the cost of what was not used for longest. Raises OSError."""
        path = self._path(reference.sha256, reference.sample_rate)
        draft_file, draft_name = tempfile.mkstemp(prefix=_DRAFT_PREFIX, dir=self._folder)
        draft = Path(draft_name)
        try:
            with os.fdopen(draft_file, "wb") as writer:
                writer.write(_packed(path.name, reference))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        self.sweep()

    def delete(self, sha256: str) -> bool:
        """Removes the reference at every rate; whether there was any."""
        found = False
        # A pattern of the caller's making would delete what is others'.
        if not SHA256_PATTERN.fullmatch(sha256):
            return found
        for path in self._folder.glob(f"{sha256}-*"):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                found = True
        return found

    def sweep(self) -> None:
        """Removes what is too old, what killed processes left half written, and what is over the limit."""
        entries = []
        for path, status in self._files():
            entry = _Entry(path, status.st_size, status.st_mtime, status.st_atime)
            if path.name.startswith(_DRAFT_PREFIX):
                if not _is_current(entry.put_at, _MAX_DRAFT_AGE_SECONDS):
                    path.unlink(missing_ok=True)
            elif not _NAME.fullmatch(path.name):
                continue
            elif _is_current(entry.put_at):
                entries.append(entry)
            else:
                path.unlink(missing_ok=True)
        total = sum(entry.size for entry in entries)
        for entry in sorted(entries, key=lambda entry: max(entry.used_at, entry.put_at)):
            if total <= self._max_bytes:
                break
            entry.path.unlink(missing_ok=True)
            total -= entry.size

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    yield path, status

    def _path(self, sha256: str, sample_rate: int) -> Path:
        return self._folder / f"{sha256}-{sample_rate}"

    def _make_private(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = self._folder.lstat()
            if not stat.S_ISDIR(status.st_mode):
                raise VoiceCacheError(f"VOICE_CACHE is not a folder: {self._folder}.")
            if status.st_uid != os.geteuid():
                raise VoiceCacheError(f"VOICE_CACHE belongs to another user: {self._folder}.")
            self._folder.chmod(0o700)
            with tempfile.TemporaryFile(prefix=_DRAFT_PREFIX, dir=self._folder):
                pass
        except VoiceCacheError:
            raise
        except OSError as error:
            message = f"VOICE_CACHE cannot be used: {self._folder}: {error.strerror}."
            raise VoiceCacheError(message) from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """A descriptor of that regular file, or None where there is none."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield file if stat.S_ISREG(os.fstat(file).st_mode) else None
    finally:
        os.close(file)


def _is_current(put_at: float, max_age_seconds: float = MAX_AGE_SECONDS) -> bool:
    # A time to come means that the clock was set back: how old it is nobody knows.
    return -_MAX_CLOCK_STEP_SECONDS <= time.time() - put_at < max_age_seconds


def _packed(name: str, reference: Reference) -> bytes:
    pcm = (reference.samples * np.float32(32768)).clip(-32768, 32767).round().astype("<i2").tobytes()
    return _HEADER.pack(_MAGIC, _digest(name, pcm)) + pcm


def _unpacked(name: str, content: bytes) -> np.ndarray[tuple[int], np.dtype[np.float32]] | None:
    if len(content) <= _HEADER.size or len(content) % 2:
        return None
    magic, digest = _HEADER.unpack_from(content)
    pcm = content[_HEADER.size :]
    if magic != _MAGIC or digest != _digest(name, pcm):
        return None
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def _digest(name: str, pcm: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + pcm).digest()
