"""The cache on disk: private, bounded, a day at most, and whole whatever happens to its writers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest

from gpu_worker.references.reference import Reference
from gpu_worker.voice_cache import MAX_AGE_SECONDS, VoiceCache, VoiceCacheError
from tests.gpu_worker.voices.recordings import tone

RATE = 24_000
ROOM = 100_000_000
KEPT_BYTES = 2 * 3 * RATE


def reference(number: int = 0, seconds: float = 3) -> Reference:
    """A voice of its own pitch."""
    samples = tone(200 + number, seconds, RATE).astype(np.float32) / np.float32(32_768)
    return Reference(f"{number:064x}", samples, RATE)


def put_back(path: Path, seconds: float) -> None:
    """Makes a file that much older."""
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Not there yet."""
    return tmp_path / "below" / "voices"


def test_what_was_put_is_got_bit_for_bit_by_another_process_too(folder: Path) -> None:
    voice = reference()
    VoiceCache(folder, ROOM).put(voice)
    found = VoiceCache(folder, ROOM).get(voice.sha256, RATE)
    assert found is not None
    assert np.array_equal(found.samples, voice.samples)
    assert VoiceCache(folder, ROOM).get(voice.sha256, 16_000) is None
    assert VoiceCache(folder, ROOM).get("f" * 64, RATE) is None


def test_folder_and_files_are_for_their_owner_alone(folder: Path) -> None:
    VoiceCache(folder, ROOM).put(reference())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]
    folder.chmod(0o755)
    VoiceCache(folder, ROOM)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "link"):
        with pytest.raises(VoiceCacheError, match="VOICE_CACHE"):
            VoiceCache(folder, ROOM)


def test_a_voice_is_kept_for_a_day_since_it_was_put_however_often_it_is_used(folder: Path) -> None:
    cache = VoiceCache(folder, ROOM)
    cache.put(reference())
    path = folder / f"{reference().sha256}-{RATE}"
    put_back(path, MAX_AGE_SECONDS - 60)
    put_at = path.stat().st_mtime
    assert cache.touch(reference().sha256, RATE)
    assert cache.get(reference().sha256, RATE) is not None
    assert path.stat().st_mtime == pytest.approx(put_at, abs=0.001)
    assert path.stat().st_atime == pytest.approx(time.time(), abs=5)
    put_back(path, MAX_AGE_SECONDS)
    assert not cache.has(reference().sha256, RATE)
    assert not cache.touch(reference().sha256, RATE)
    assert cache.get(reference().sha256, RATE) is None
    cache.sweep()
    assert list(folder.iterdir()) == []


def test_a_file_from_the_future_is_not_used(folder: Path) -> None:
    cache = VoiceCache(folder, ROOM)
    cache.put(reference())
    put_back(next(folder.iterdir()), -3600)
    assert cache.get(reference().sha256, RATE) is None


def test_what_was_not_used_for_longest_goes_first(folder: Path) -> None:
    cache = VoiceCache(folder, 3 * KEPT_BYTES + 1000)
    for number in range(3):
        cache.put(reference(number))
        put_back(folder / f"{number:064x}-{RATE}", 300 - number)
    assert cache.touch(reference(0).sha256, RATE)
    cache.put(reference(3))
    assert [number for number in range(4) if cache.has(reference(number).sha256, RATE)] == [0, 2, 3]


def test_what_is_damaged_is_dropped(folder: Path) -> None:
    cache = VoiceCache(folder, ROOM)
    path = folder / f"{reference().sha256}-{RATE}"
    cache.put(reference())
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[5000] ^= 1
    for content in (
        b"",
        whole[:20],
        whole[:-2],
        whole[:-1],
        whole + b"\0\0",
        bytes(flipped),
        b"V" * len(whole),
    ):
        path.write_bytes(content)
        assert cache.get(reference().sha256, RATE) is None
        assert not path.exists()
    # The name is part of what the digest covers: one voice's file is no other's.
    path.write_bytes(whole)
    path.rename(folder / f"{reference(1).sha256}-{RATE}")
    assert cache.get(reference(1).sha256, RATE) is None


def test_only_its_own_files_are_touched(folder: Path, tmp_path: Path) -> None:
    cache = VoiceCache(folder, ROOM)
    (folder / "notes.txt").write_text("mine")
    put_back(folder / "notes.txt", 10 * MAX_AGE_SECONDS)
    (tmp_path / "outside").write_bytes(b"x")
    (folder / f"{reference().sha256}-{RATE}").symlink_to(tmp_path / "outside")
    assert cache.get(reference().sha256, RATE) is None
    assert not cache.touch(reference().sha256, RATE)
    cache.sweep()
    assert (folder / "notes.txt").read_text() == "mine"
    assert (tmp_path / "outside").read_bytes() == b"x"


def test_a_deleted_voice_is_gone(folder: Path) -> None:
    cache = VoiceCache(folder, ROOM)
    cache.put(reference(1))
    cache.put(reference(2))
    assert cache.delete(reference(1).sha256)
    assert not cache.delete(reference(1).sha256)
    assert cache.get(reference(1).sha256, RATE) is None
    assert cache.has(reference(2).sha256, RATE)


def put_for_ever(folder: Path, first: int, at_work: Event) -> None:
    """What a process does until it is killed."""
    cache = VoiceCache(folder, 6 * KEPT_BYTES)
    cache.put(reference(first))
    at_work.set()
    while True:
        for number in range(first, first + 4):
            cache.put(reference(number))
            cache.get(reference(number + 2).sha256, RATE)
            cache.delete(reference(number + 1).sha256)


@pytest.mark.slow
def test_writers_that_are_killed_amid_their_work_leave_nothing_half(folder: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    for round_number in range(3):
        begun = [spawn.Event() for _ in range(2)]
        writers = [spawn.Process(target=put_for_ever, args=(folder, 2 * n, begun[n])) for n in range(2)]
        for writer in writers:
            writer.start()
        for event in begun:
            assert event.wait(30)
        time.sleep(0.1 + 0.013 * round_number)
        for writer in writers:
            assert writer.is_alive()
            os.kill(writer.pid or 0, signal.SIGKILL)
            writer.join()
        for path in folder.iterdir():
            if not path.name.startswith(".draft-"):
                assert VoiceCache(folder, ROOM).get(path.name.split("-")[0], RATE) is not None
    cache = VoiceCache(folder, 2 * KEPT_BYTES + 1000)
    for path in folder.glob(".draft-*"):
        put_back(path, 120)
    cache.sweep()
    assert not list(folder.glob(".draft-*"))
    assert len(list(folder.iterdir())) <= 2


def test_what_an_engine_derives_is_made_once_a_voice() -> None:
    made = []
    voice = reference()
    for _ in range(3):
        assert voice.derived("model", lambda: made.append(1) or len(made)) == 1  # type: ignore[func-returns-value]
    assert voice.derived("another", lambda: "other") == "other"
