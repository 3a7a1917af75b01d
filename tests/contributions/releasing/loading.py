"""`python -m tests.contributions.releasing.loading FOLDER`: loads a release with the `datasets` library.

In a process of its own, for what it reads of the environment and leaves in the process. Prints JSON: for each
format and split the columns, and of each row its id, text and the SHA-256 of its audio.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any


def main(folder: Path) -> None:
    os.environ["HF_HOME"] = str(folder / "cache")
    os.environ["HF_HUB_OFFLINE"] = os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from datasets import Audio, load_dataset

    _do_without_torch()
    audiofolder = next(path for path in (folder / "audiofolder").iterdir() if path.is_dir())
    loaded = {
        "audiofolder": load_dataset("audiofolder", data_dir=str(audiofolder)),
        "parquet": load_dataset("parquet", data_files=_by_split(folder, "parquet")),
        "webdataset": load_dataset("webdataset", data_files=_by_split(folder, "webdataset")),
    }
    told: dict[str, Any] = {}
    for name, splits in loaded.items():
        column = "flac" if name == "webdataset" else "audio"
        for split, rows in splits.items():
            # Decoding needs torch, which nothing else here does.
            assert isinstance(rows.features[column], Audio), rows.features
            raw = rows.cast_column(column, Audio(decode=False))
            told.setdefault(name, {})[split] = {
                "columns": sorted(raw.column_names),
                "rows": [_row(row, column) for row in raw],
            }
    print(json.dumps(told))  # noqa: T201


def _do_without_torch() -> None:
    """What makes a table of files looks for the encoder of arrays, and then has none to encode."""
    torch, codec = ModuleType("torch"), ModuleType("torchcodec.encoders")
    for name in ("Tensor", "Generator"):
        setattr(torch, name, type(name, (), {}))
    torch.nn = SimpleNamespace(Module=type("Module", (), {}))  # type: ignore[attr-defined]
    codec.AudioEncoder = None  # type: ignore[attr-defined]
    sys.modules |= {"torch": torch, "torchcodec": ModuleType("torchcodec"), "torchcodec.encoders": codec}


def _by_split(folder: Path, kind: str) -> dict[str, list[str]]:
    """The files of each split that has any."""
    found = {
        name: sorted(map(str, folder.glob(f"{kind}-{name}-*"))) for name in ("train", "validation", "test")
    }
    return {split: files for split, files in found.items() if files}


def _row(row: dict[str, Any], column: str) -> dict[str, str]:
    fields = row["json"] if column == "flac" else row
    audio = row[column]["bytes"] or Path(row[column]["path"]).read_bytes()
    return {
        "id": fields["id"],
        "text": fields["text"],
        "speaker": fields["speaker_id"],
        "sha256": hashlib.sha256(audio).hexdigest(),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
