"""hibari's voices: which are whole on this machine, and fetching the others. Its folder is `HIBARI_HOME`."""

from __future__ import annotations

import contextlib
import http.client
import time
from pathlib import Path
from typing import Final

from hibari.voices import BASE_URL, DEFAULT, VOICES, cache_dir, download, sha256_of, voice_path

# The default first, as engines list them.
NAMES: Final[tuple[str, ...]] = tuple(sorted(VOICES, key=lambda name: (name != DEFAULT, name)))
_MAX_PART_AGE_SECONDS: Final = 3600


class VoiceNotFetchedError(RuntimeError):
    """The voice's file could not be had; its words say why."""


def installed_voices() -> list[str]:
    """Voices whose file is here and whole. hibari itself takes any file of that name, or the network."""
    return [name for name in NAMES if is_installed(name)]


def is_installed(name: str) -> bool:
    """Whether the voice's file is here and is, byte for byte, the one that hibari names."""
    voice = VOICES[name]
    try:
        path = Path(voice_path(name, download_missing=False))
        return path.stat().st_size == voice["bytes"] and bool(sha256_of(path) == voice["sha256"])
    except OSError:
        return False


def size_bytes(name: str) -> int:
    """How large the voice's file is."""
    return int(VOICES[name]["bytes"])


def install(name: str) -> None:
    """Fetches a voice, which is there whole or not at all, whatever interrupts it.

    Raises VoiceNotFetchedError.
    """
    voice = VOICES[name]
    folder = Path(cache_dir())
    try:
        _remove_old_parts(folder)
        download(BASE_URL + voice["file"], str(folder / voice["file"]), voice["sha256"])
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        raise VoiceNotFetchedError(str(error)) from error


def _remove_old_parts(folder: Path) -> None:
    for part in folder.glob("*.part"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - part.stat().st_mtime > _MAX_PART_AGE_SECONDS:
                part.unlink()
