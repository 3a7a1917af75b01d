"""Parquet with the audio inside, as `datasets` decodes it without being told of its columns.

What is written depends on pyarrow's version, which its footer names: the same version, the same bytes.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import IO, Any, Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from apps.contributions.releasing.contents import SAMPLE_RATE, Contents, Item, Span

# Of audio, for each group: what is in memory at once, here and where it is read.
_ROWS_A_GROUP: Final = 50
_AUDIO: Final = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_COLUMNS: Final = (
    ("id", pa.string()),
    ("text", pa.string()),
    ("normalized_text", pa.string()),
    ("speaker_id", pa.string()),
    ("language", pa.string()),
    ("duration_ms", pa.int32()),
)
_OF_SPEAKERS: Final = tuple((name, pa.string()) for name in ("age_band", "gender", "accent"))


def write(into: IO[bytes], contents: Contents, span: Span) -> None:
    schema = _schema(contents)
    # FLAC is compressed already; statistics and dictionaries would be of no use to anybody.
    options: dict[str, Any] = {
        "version": "2.6",
        "data_page_version": "1.0",
        "compression": "none",
        "use_dictionary": False,
        "write_statistics": False,
        "store_schema": True,
    }
    items = contents.items(span=span)
    with pq.ParquetWriter(into, schema, **options) as writer:
        while rows := [_row(item, contents) for item in islice(items, _ROWS_A_GROUP)]:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema), row_group_size=_ROWS_A_GROUP)


def _schema(contents: Contents) -> Any:
    columns = [*_COLUMNS, *(_OF_SPEAKERS if contents.tells_of_speakers else ())]
    features: dict[str, Any] = {"audio": {"sampling_rate": SAMPLE_RATE, "_type": "Audio"}}
    features |= {name: {"dtype": str(kind), "_type": "Value"} for name, kind in columns}
    told = json.dumps({"info": {"features": features}})
    return pa.schema([("audio", _AUDIO), *columns], metadata={"huggingface": told})


def _row(item: Item, contents: Contents) -> dict[str, Any]:
    row: dict[str, Any] = {
        "audio": {"bytes": contents.flac(item), "path": f"{item.id}.flac"},
        "id": item.id,
        "text": item.text,
        "normalized_text": item.normalised,
        "speaker_id": item.speaker,
        "language": contents.language,
        "duration_ms": item.duration_ms,
    }
    if contents.tells_of_speakers:
        row |= {name: getattr(item, name) or None for name, _ in _OF_SPEAKERS}
    return row
