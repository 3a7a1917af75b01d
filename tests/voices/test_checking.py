"""Recordings before they become references: what is taken, what is kept of it, and what is refused how."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apps.core.errors import AppError, InvalidRequest, PayloadTooLarge
from apps.voices.recordings.checking import MAX_UPLOAD_BYTES, Reference, reference_of
from apps.voices.recordings.fitness import made_reference
from gpu_worker.references.checking import fault_of
from gpu_worker.references.decoding import decode_reference
from tests.gpu_worker.voices.recordings import (
    FORMATS,
    encoded,
    encoded_as,
    loudest_hertz,
    recording,
    sha256_of,
    tone,
    wav,
)
from tests.platform import until

CHECKOUT = Path(__file__).resolve().parent.parent.parent
TAKEN = [name for name in FORMATS if "5.1" not in name]


def checked(*files: bytes) -> Reference:
    return reference_of([io.BytesIO(file) for file in files])


def samples_of(reference: Reference) -> tuple[np.ndarray, int]:
    with wave.open(io.BytesIO(reference.wav)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2"), file.getframerate()


def refusal(*files: bytes) -> AppError:
    with pytest.raises(AppError) as caught:
        checked(*files)
    assert caught.value.message.endswith(".")
    assert caught.value.param == "file"
    return caught.value


@pytest.mark.parametrize("name", TAKEN)
def test_what_people_send_is_kept_as_a_plain_wav_that_workers_take(name: str) -> None:
    reference = checked(encoded(name, hertz=333))
    samples, rate = samples_of(reference)
    assert rate == reference.sample_rate <= 48_000
    assert loudest_hertz(samples, rate) == pytest.approx(333, abs=2)
    assert len(samples) / rate == pytest.approx(reference.duration_seconds, abs=0.001)
    assert reference.sha256 == sha256_of(reference.wav)
    taken = decode_reference(reference.wav, reference.sha256, 24_000)
    assert loudest_hertz(taken.samples, 24_000) == pytest.approx(333, abs=2)


def test_nothing_else_of_a_file_is_kept() -> None:
    secret = b"where I live"
    chunk = (
        b"LIST" + (len(secret) + 12).to_bytes(4, "little") + b"INFOICMT" + len(secret).to_bytes(4, "little")
    )
    whole = recording()
    marked = whole[:36] + chunk + secret + whole[36:]
    assert secret not in checked(marked).wav
    assert checked(marked).sha256 == checked(whole).sha256


def test_of_a_long_one_thirty_seconds_are_kept_from_its_first_sound_on() -> None:
    quiet = np.zeros(24_000 * 40, "<i2")
    reference = checked(wav(np.concatenate([quiet, tone(350, 60, 24_000)])))
    samples, rate = samples_of(reference)
    assert reference.duration_seconds == 30
    assert loudest_hertz(samples[: rate * 29], rate) == pytest.approx(350, abs=2)
    assert np.abs(samples[: rate // 10]).max() > 1000


def test_several_are_joined() -> None:
    reference = checked(recording(hertz=300, seconds=2), encoded("mp3", hertz=600, seconds=2))
    samples, rate = samples_of(reference)
    assert rate == 24_000
    assert reference.duration_seconds == pytest.approx(4.2, abs=0.1)
    assert loudest_hertz(samples[: 2 * rate], rate) == pytest.approx(300, abs=2)
    assert loudest_hertz(samples[round(2.3 * rate) : 4 * rate], rate) == pytest.approx(600, abs=2)


CLIPPED = wav((np.sign(tone(300, 4, 24_000)) * 32_767).astype("<i2"))
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "recording_format"),
    "zeros": (lambda: bytes(100_000), "recording_format"),
    "a page": (lambda: b"<!doctype html>" * 1000, "recording_format"),
    "a header alone": (lambda: recording()[:44], "recording_too_short"),
    "damaged": (lambda: b"OggS" + os.urandom(60_000), "recording_unreadable"),
    "too short": (lambda: recording(seconds=2.9), "recording_too_short"),
    "too long": (lambda: recording(seconds=121), "recording_too_long"),
    "silent": (lambda: recording(level=0), "recording_silent"),
    "a murmur": (lambda: recording(level=0.002), "recording_silent"),
    "a second of sound": (
        lambda: wav(np.concatenate([tone(300, 1, 24_000), np.zeros(24_000 * 9, "<i2")])),
        "recording_silent",
    ),
    "clipped": (lambda: CLIPPED, "recording_clipped"),
    "six channels": (lambda: encoded("wav, 24 bit, 5.1"), "recording_channels"),
    "a telephone of old": (
        lambda: encoded_as("wav", "pcm_s16le", 4000, "mono", tone(300, 5, 4000)),
        "recording_format",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_recording_of_a_voice_is_refused_with_a_sentence_and_a_code(name: str) -> None:
    make, code = REFUSED[name]
    error = refusal(make())
    assert isinstance(error, InvalidRequest)
    assert error.code == code


def test_one_that_is_too_large_is_refused_unread() -> None:
    began = time.monotonic()
    error = refusal(bytes(MAX_UPLOAD_BYTES + 1))
    assert isinstance(error, PayloadTooLarge)
    assert error.code == "recording_too_large"
    assert time.monotonic() - began < 2


def test_none_and_too_many_are_refused() -> None:
    assert refusal().code == "recording_missing"
    assert refusal(*[recording(seconds=0.2)] * 26).code == "too_many_files"


@pytest.mark.parametrize("seconds", [3.0, 3.00001, 29.85, 29.95, 30.0, 30.3, 119.9])
@pytest.mark.parametrize("rate", [8_000, 11_025, 24_000, 44_100, 48_000])
def test_whatever_passes_here_passes_at_the_worker(seconds: float, rate: int) -> None:
    """At the worker's rate a recording must not turn out a sample too short, or too long."""
    kept, facts = made_reference(tone(300, seconds, rate).tobytes(), rate)
    assert facts.duration_seconds <= 30
    taken = decode_reference(kept, sha256_of(kept), 24_000)
    assert fault_of(taken.samples, 24_000) is None


def test_only_so_many_are_checked_at_once() -> None:
    """Each may take a core: the third waits for one of the first two."""
    files = [recording(hertz=300 + number, seconds=110) for number in range(6)]
    found: list[Reference] = []
    threads = [threading.Thread(target=lambda file=file: found.append(checked(file))) for file in files]
    most = 0
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, len(children_of(os.getpid())))
        time.sleep(0.005)
    assert len({reference.sha256 for reference in found}) == 6
    assert 1 <= most <= 2


def children_of(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            except (FileNotFoundError, ProcessLookupError, IndexError):
                continue
            if b"apps.voices.recordings.child" in command and int(parent) == pid:
                found.append(int(folder.name))
    return found


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Also with one that is killed while the child still waits for its bytes."""
    script = (
        "import subprocess, sys, os, time\n"
        "command = [sys.executable, '-m', 'apps.voices.recordings.child', str(os.getpid()), '5']\n"
        "child = subprocess.Popen(command, stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=CHECKOUT, start_new_session=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    until(lambda: no_new_privileges(child), what="confinement")
    parent.kill()
    parent.wait()
    until(lambda: not Path(f"/proc/{child}").exists() or is_zombie(child), what="the child's end")


def no_new_privileges(pid: int) -> bool:
    return "NoNewPrivs:\t1" in Path(f"/proc/{pid}/status").read_text()


CONFINED = {
    "Max open files": "3",
    "Max file size": "0",
    "Max address space": str(1 << 30),
    "Max cpu time": "15",
}


def limits_of(pid: int) -> dict[str, str]:
    """Those of `CONFINED`."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return {
        name: line.removeprefix(name).split()[0]
        for name in CONFINED
        for line in lines
        if line.startswith(name)
    }


def is_zombie(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_child_has_no_secrets_files_or_memory(tmp_path: Path) -> None:
    """Looked at from outside, while it waits for its bytes."""
    file = tmp_path / "pipe"
    os.mkfifo(file)
    opened = os.open(file, os.O_RDWR)
    with subprocess.Popen(
        [sys.executable, "-m", "apps.voices.recordings.child", str(os.getpid()), "5"],
        stdin=opened,
        stdout=subprocess.PIPE,
        cwd=CHECKOUT,
    ) as child:
        try:
            until(lambda: no_new_privileges(child.pid), what="confinement")
            until(lambda: limits_of(child.pid) == CONFINED, what="its limits, which come after that")
        finally:
            child.send_signal(signal.SIGKILL)
            os.close(opened)
