"""Common Voice: `validated.tsv`, one table for each split, clip durations, and `clips/`.

Votes are left out: what they led to is that a clip is here.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import IO, Final

from apps.contributions.models import Contributor, ReleasedClip
from apps.contributions.releasing.contents import Contents, Item
from apps.contributions.releasing.formats.tars import Table, Tar, table

HEAD: Final = ("client_id", "path", "sentence", "age", "gender", "accents", "locale", "segment")
_S = ReleasedClip.Split
_TABLES: Final = {str(_S.TRAIN): "train", str(_S.VALIDATION): "dev", str(_S.TEST): "test"}
_A = Contributor.AgeBand
# Spelled as there.
_AGES: Final = {
    str(_A.TEENS): "teens",
    str(_A.TWENTIES): "twenties",
    str(_A.THIRTIES): "thirties",
    str(_A.FORTIES): "fourties",
    str(_A.FIFTIES): "fifties",
    str(_A.SIXTIES): "sixties",
    str(_A.OLDER): "seventies",
}


def write(into: IO[bytes], contents: Contents) -> None:
    tar = Tar(into, mtime=contents.mtime)
    with ExitStack() as closing:

        def begun(head: tuple[str, ...]) -> Table:
            made = closing.enter_context(table(delimiter="\t", is_quoted=False))
            made.add(head)
            return made

        validated, durations = begun(HEAD), begun(("clip", "duration[ms]"))
        by_split = {split: begun(HEAD) for split in _TABLES}
        for item in contents.items():
            row = _row(item, contents.language)
            validated.add(row)
            by_split[item.split].add(row)
            durations.add([row[1], item.duration_ms])
            tar.add(f"{contents.folder}/clips/{row[1]}", contents.flac(item))
        validated.add_to(tar, f"{contents.folder}/validated.tsv")
        for split, rows in by_split.items():
            rows.add_to(tar, f"{contents.folder}/{_TABLES[split]}.tsv")
        durations.add_to(tar, f"{contents.folder}/clip_durations.tsv")
    tar.close()


def _row(item: Item, language: str) -> list[str]:
    age = _AGES.get(item.age_band, "")
    path = f"{item.id}.flac"
    return [item.speaker, path, item.text, age, item.gender, item.accent, language, ""]
