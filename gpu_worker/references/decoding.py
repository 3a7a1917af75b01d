"""Bytes of a recording to a Reference, by a child process that a hostile file cannot leave."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

import numpy as np

from gpu_worker.references.checking import MAX_SECONDS, PADDING_SECONDS, fault_of
from gpu_worker.references.reference import Reference

MAX_REFERENCE_BYTES: Final = 20_000_000

_WALL_SECONDS: Final = 20.0
_EXIT_SECONDS: Final = 5.0
_READ_BYTES: Final = 1 << 16
# Past this the child is told to stop: what is longer is refused anyway.
_DECODED_SECONDS: Final = MAX_SECONDS + 2 * PADDING_SECONDS
# One resampled frame may overshoot; FLAC's largest, of 8 kHz, plays 8 s.
_ANSWER_SECONDS: Final = MAX_SECONDS + 10
_UNREADABLE: Final = "The reference could not be decoded; send a plain recording in wav or flac."


class InvalidReferenceError(ValueError):
    """The recording is refused; its words say why and what to send instead."""


class Children:
    """The processes that decode right now, so that the end of the worker need not wait for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def add(self, child: subprocess.Popen[bytes]) -> None:
        """One that has begun."""
        with self._lock:
            self._running.add(child)
            if self._closed:
                child.kill()

    def end(self, child: subprocess.Popen[bytes]) -> None:
        """Ends one and takes it from the system."""
        with self._lock:
            self._running.discard(child)
        child.kill()
        child.wait()

    def close(self) -> None:
        """Ends all there are, and at once those that still begin; those who wait for them go on."""
        with self._lock:
            self._closed = True
            for child in self._running:
                child.kill()


def decode_reference(
    data: bytes, sha256: str, sample_rate: int, children: Children | None = None
) -> Reference:
    """Decodes and checks a recording: 3 to 30 s, made mono at `sample_rate` Hz. Blocks for 0.2 s and more.

    `sha256` names it and is not checked here. Must be called by a thread that lives until it returns.
    Raises InvalidReferenceError, and OSError where the machine has no process or memory left for it.
    """
    if len(data) > MAX_REFERENCE_BYTES:
        raise InvalidReferenceError(f"The reference is larger than {MAX_REFERENCE_BYTES} bytes.")
    answer = _answer_of_child(data, sample_rate, children or Children())
    if answer[:1] == b"R":
        raise InvalidReferenceError(answer[1:].decode(errors="replace"))
    if answer[:1] != b"A":
        raise InvalidReferenceError(_UNREADABLE)
    pcm = np.frombuffer(answer, "<i2", offset=1, count=(len(answer) - 1) // 2)
    samples = pcm.astype(np.float32) / np.float32(32768)
    if fault := fault_of(samples, sample_rate):
        raise InvalidReferenceError(fault)
    return Reference(sha256, samples, sample_rate)


def _answer_of_child(data: bytes, sample_rate: int, children: Children) -> bytes:
    """What the child wrote, or nothing where it failed or took too long."""
    arguments = (str(os.getpid()), str(sample_rate), str(_DECODED_SECONDS))
    file = os.memfd_create("reference")
    try:
        with os.fdopen(os.dup(file), "wb") as writer:
            writer.write(data)
        os.lseek(file, 0, os.SEEK_SET)
        child = subprocess.Popen(
            [sys.executable, "-P", "-s", "-m", "gpu_worker.references.child", *arguments],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            # Nothing of this process's environment, for it holds secrets.
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
            # Ctrl-C in a terminal drains the worker and must not end a decoder.
            start_new_session=True,
        )
    finally:
        os.close(file)
    children.add(child)
    try:
        return _read_within_limits(child, 2 * int(sample_rate * _ANSWER_SECONDS))
    finally:
        children.end(child)


def _read_within_limits(child: subprocess.Popen[bytes], max_bytes: int) -> bytes:
    assert child.stdout is not None  # noqa: S101 - it was asked for
    give_up_at = time.monotonic() + _WALL_SECONDS
    answer = bytearray()
    with child.stdout as pipe:
        poll = select.poll()
        poll.register(pipe, select.POLLIN | select.POLLHUP)
        while (left := give_up_at - time.monotonic()) > 0 and len(answer) <= max_bytes:
            if not poll.poll(1000 * left):
                break
            part = os.read(pipe.fileno(), _READ_BYTES)
            answer += part
            if not part:
                return bytes(answer) if _has_ended_well(child) else b""
    return b""


def _has_ended_well(child: subprocess.Popen[bytes]) -> bool:
    try:
        return child.wait(_EXIT_SECONDS) == 0
    except subprocess.TimeoutExpired:
        return False
