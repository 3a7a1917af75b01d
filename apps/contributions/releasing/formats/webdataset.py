"""WebDataset: shards of one split, each clip as `ID.flac` beside `ID.json`."""

from __future__ import annotations

import json
from typing import IO, Any

from apps.contributions.releasing.contents import Contents, Item, Span
from apps.contributions.releasing.formats.tars import Tar


def write(into: IO[bytes], contents: Contents, span: Span) -> None:
    tar = Tar(into, mtime=contents.mtime)
    for item in contents.items(span=span):
        tar.add(f"{item.id}.flac", contents.flac(item))
        told = json.dumps(_told(item, contents), ensure_ascii=False, sort_keys=True)
        tar.add(f"{item.id}.json", told.encode())
    tar.close()


def _told(item: Item, contents: Contents) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": item.id,
        "text": item.text,
        "normalized_text": item.normalised,
        "speaker_id": item.speaker,
        "language": contents.language,
        "duration_ms": item.duration_ms,
    }
    if contents.tells_of_speakers:
        told |= {"age_band": item.age_band, "gender": item.gender, "accent": item.accent}
    return told
