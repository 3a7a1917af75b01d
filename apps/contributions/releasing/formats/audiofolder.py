"""Hugging Face audiofolder: a folder for each split, with FLAC files and a `metadata.csv`."""

from __future__ import annotations

from typing import IO, Final

from apps.contributions.models import ReleasedClip
from apps.contributions.releasing.contents import Contents, Item
from apps.contributions.releasing.formats.tars import Tar, table

_COLUMNS: Final = ("file_name", "id", "text", "normalized_text", "speaker_id", "language", "duration_ms")
_OF_SPEAKERS: Final = ("age_band", "gender", "accent")


def write(into: IO[bytes], contents: Contents) -> None:
    tar = Tar(into, mtime=contents.mtime)
    for split in contents.tallies():
        _write_split(tar, contents, ReleasedClip.Split(split))
    tar.close()


def _write_split(tar: Tar, contents: Contents, split: ReleasedClip.Split) -> None:
    folder = f"{contents.folder}/{split}"
    with table() as metadata:
        metadata.add([*_COLUMNS, *(_OF_SPEAKERS if contents.tells_of_speakers else ())])
        for item in contents.items(split):
            metadata.add(_row(item, contents))
            tar.add(f"{folder}/{item.id}.flac", contents.flac(item))
        metadata.add_to(tar, f"{folder}/metadata.csv")


def _row(item: Item, contents: Contents) -> list[object]:
    row: list[object] = [f"{item.id}.flac", item.id, item.text, item.normalised, item.speaker]
    row += [contents.language, item.duration_ms]
    return [*row, item.age_band, item.gender, item.accent] if contents.tells_of_speakers else row
