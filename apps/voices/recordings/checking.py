"""Uploaded recordings to a reference, by a child process that a hostile file cannot leave."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from apps.core.errors import InvalidRequest, PayloadTooLarge, Unavailable

MAX_UPLOAD_BYTES: Final = 20_000_000
MAX_FILES: Final = 25

_WALL_SECONDS: Final = 25.0
_EXIT_SECONDS: Final = 5.0
_TURN_SECONDS: Final = 20.0
_READ_BYTES: Final = 1 << 16
# A reference of 30 s at 48 kHz takes 2.9 MB.
_MAX_ANSWER_BYTES: Final = 4_000_000
_UNREADABLE: Final = "The recording could not be decoded; send a plain one in WAV or FLAC."
# Each child may take a core and a gigabyte.
_turns = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Reference:
    """What is kept of recordings: a mono WAV file of at most 30 s, without anything else that was in them."""

    wav: bytes = field(repr=False)
    sha256: str
    duration_seconds: float
    sample_rate: int


def reference_of(files: Sequence[IO[bytes]]) -> Reference:
    """Joins, checks and decodes recordings, 3 to 120 s in all. Blocks for 0.3 s and more.

    Raises `InvalidRequest` with a code and a sentence for what is no fit recording, `PayloadTooLarge`, and
    `Unavailable` where too many are being checked.
    """
    if not files:
        raise InvalidRequest("Send a recording of the voice.", code="recording_missing", param="file")
    if len(files) > MAX_FILES:
        raise InvalidRequest(f"Send at most {MAX_FILES} recordings.", code="too_many_files", param="file")
    if not _turns.acquire(timeout=_TURN_SECONDS):
        message = "Too many recordings are being checked. Try again in a few seconds."
        raise Unavailable(message, retry_after_seconds=5)
    try:
        with tempfile.TemporaryFile() as joined:
            answer = _answer_of_child(joined, _joined(files, joined))
    finally:
        _turns.release()
    return _read(answer)


def _joined(files: Sequence[IO[bytes]], into: IO[bytes]) -> list[int]:
    lengths = []
    for file in files:
        before = into.tell()
        file.seek(0)
        shutil.copyfileobj(file, into)
        lengths.append(into.tell() - before)
        if into.tell() > MAX_UPLOAD_BYTES:
            message = f"A recording has at most {MAX_UPLOAD_BYTES // 10**6} MB."
            raise PayloadTooLarge(message, code="recording_too_large", param="file")
    into.seek(0)
    return lengths


def _read(answer: bytes) -> Reference:
    head, _, wav = answer.partition(b"\n")
    told: dict[str, Any] = json.loads(head) if head else {}
    if not wav:
        message = str(told.get("message", _UNREADABLE))
        raise InvalidRequest(message, code=str(told.get("code", "recording_unreadable")), param="file")
    return Reference(
        wav=wav,
        sha256=hashlib.sha256(wav).hexdigest(),
        duration_seconds=float(told["duration_seconds"]),
        sample_rate=int(told["sample_rate"]),
    )


def _answer_of_child(file: IO[bytes], lengths: list[int]) -> bytes:
    """What the child wrote, or nothing where it failed. Raises `Unavailable` where it took too long.

    By its own CPU time a hostile file fails first: what is not done by then waited for a busy machine.
    """
    with _child(file, lengths) as child:
        assert child.stdout is not None  # noqa: S101 - it was asked for
        give_up_at = time.monotonic() + _WALL_SECONDS
        answer = bytearray()
        poll = select.poll()
        poll.register(child.stdout, select.POLLIN | select.POLLHUP)
        while len(answer) <= _MAX_ANSWER_BYTES:
            if not poll.poll(1000 * max(0, give_up_at - time.monotonic())):
                raise Unavailable("The recording was not checked in time. Try again.", retry_after_seconds=5)
            part = os.read(child.stdout.fileno(), _READ_BYTES)
            answer += part
            if not part:
                return bytes(answer) if _has_ended_well(child) else b""
    return b""


@contextlib.contextmanager
def _child(file: IO[bytes], lengths: list[int]) -> Iterator[subprocess.Popen[bytes]]:
    arguments = [str(os.getpid()), *map(str, lengths)]
    child = subprocess.Popen(
        [sys.executable, "-P", "-s", "-m", "apps.voices.recordings.child", *arguments],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        # Nothing of this process's environment, for it holds secrets.
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _has_ended_well(child: subprocess.Popen[bytes]) -> bool:
    try:
        return child.wait(_EXIT_SECONDS) == 0
    except subprocess.TimeoutExpired:
        return False
