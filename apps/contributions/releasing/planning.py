"""The steps in which a release is made: one file each, and its papers last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Final

from apps.contributions.releasing.contents import Contents, Span
from apps.contributions.releasing.formats import audiofolder, common_voice, ljspeech, parquet, webdataset

# How much audio one file of several holds: about 200 MB of FLAC.
SHARD_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Step:
    """Makes the file of that name."""

    name: str
    write: Callable[[IO[bytes], Contents], None]


def steps_of(contents: Contents, *, shard_ms: int = SHARD_MS) -> list[Step]:
    """All but the papers, always the same for the same clips."""
    spans = _spans(contents, shard_ms)
    steps = [
        Step("ljspeech.tar", ljspeech.write),
        Step("common-voice.tar", common_voice.write),
        Step("audiofolder.tar", audiofolder.write),
    ]
    for split, of_split in spans.items():
        for number, span in enumerate(of_split):
            name = f"parquet-{split}-{number:05d}-of-{len(of_split):05d}.parquet"
            steps.append(Step(name, partial(parquet.write, span=span)))
    for split, of_split in spans.items():
        for number, span in enumerate(of_split):
            steps.append(Step(f"webdataset-{split}-{number:06d}.tar", partial(webdataset.write, span=span)))
    return steps


def _spans(contents: Contents, shard_ms: int) -> dict[str, list[Span]]:
    """By split; each is as long as `shard_ms` at most, a single clip excepted."""
    spans: dict[str, list[Span]] = {}
    length = 0
    for split, clip_id, duration_ms in contents.lengths():
        of_split = spans.setdefault(split, [])
        if of_split and length + duration_ms <= shard_ms:
            of_split[-1] = replace(of_split[-1], last=clip_id)
            length += duration_ms
        else:
            of_split.append(Span(split, clip_id, clip_id))
            length = duration_ms
    return {split: spans[split] for split in contents.tallies()}
