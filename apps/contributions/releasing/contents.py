"""What a release has in it, read from its frozen rows in parts: never all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, QuerySet, Sum

from apps.contributions.models import Campaign, Clip, ConsentRecord, Contributor, Release, ReleasedClip
from apps.core import media

# With fewer, what somebody says of themselves could tell who they are.
MIN_SPEAKERS: Final = 5
SAMPLE_RATE: Final = 48_000
_AT_ONCE: Final = 500


class AudioLost(Exception):
    """The recording of a clip is gone from the storage."""


@dataclass(frozen=True, slots=True)
class Item:
    """One clip under its public name; what its speaker said of themselves, where that may be told."""

    id: str
    speaker: str
    split: str
    text: str
    normalised: str
    duration_ms: int
    flac_key: str
    age_band: str = ""
    gender: str = ""
    accent: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Clips of one split, from one public id to another, both included."""

    split: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Tally:
    clips: int
    speakers: int
    duration_ms: int
    speech_ms: int


class Contents:
    """Of one release. `keep_on` is called for each clip, and raises where the rest is in vain."""

    def __init__(self, release: Release, keep_on: Callable[[], None]) -> None:
        self.release = release
        self.facts: dict[str, Any] = release.facts
        self.language: str = release.facts["language"]
        self.folder = f"{release.facts['slug']}-v{release.version}"
        self.mtime = int(release.frozen_at.timestamp())
        self.keep_on = keep_on
        speakers = self._rows.order_by().values("speaker").distinct().count()
        self.tells_of_speakers = speakers >= MIN_SPEAKERS

    @property
    def _rows(self) -> QuerySet[ReleasedClip]:
        return ReleasedClip.objects.filter(release=self.release, is_removed=False).order_by("public_id")

    def items(self, split: str | None = None, span: Span | None = None) -> Iterator[Item]:
        """By public id, which is in no order that means anything."""
        rows = self._rows
        if split is not None:
            rows = rows.filter(split=split)
        if span is not None:
            rows = rows.filter(split=span.split, public_id__gte=span.first, public_id__lte=span.last)
        after = ""
        while batch := list(rows.filter(public_id__gt=after).select_related("clip")[:_AT_ONCE]):
            for row in batch:
                self.keep_on()
                yield self._item(row)
            after = batch[-1].public_id

    def lengths(self) -> Iterator[tuple[str, str, int]]:
        """Split, public id and duration in ms of each clip, by split and id."""
        rows = self._rows.order_by("split", "public_id")
        for split, clip_id, duration_ms in rows.values_list("split", "public_id", "clip__duration_ms"):
            yield split, clip_id, duration_ms or 0

    def flac(self, item: Item) -> bytes:
        """The recording: 48 kHz mono, 16 bits. Raises `AudioLost` and `Unavailable`."""
        try:
            return media.read(item.flac_key)
        except (FileNotFoundError, ValueError) as error:  # no key is no key of media
            raise AudioLost(f"The recording of {item.id} is gone from the storage.") from error

    def tallies(self) -> dict[str, Tally]:
        """By split; those that have nothing are left out."""
        found = self._rows.order_by().values("split")
        rows = found.annotate(
            clips=Count("pk"),
            speakers=Count("speaker", distinct=True),
            duration=Sum("clip__duration_ms"),
            speech=Sum("clip__speech_ms"),
        )
        by_split = {
            row["split"]: Tally(row["clips"], row["speakers"], row["duration"] or 0, row["speech"] or 0)
            for row in rows
        }
        return {split: by_split[split] for split in ReleasedClip.Split.values if split in by_split}

    def demographics(self) -> dict[str, dict[str, int]]:
        """How many speakers said what, by what was asked; empty where that may not be told."""
        if not self.tells_of_speakers:
            return {}
        counts: dict[str, dict[str, int]] = {"age_band": {}, "gender": {}, "accent": {}}
        for speaker in self._rows.order_by("speaker").values_list("speaker", flat=True).distinct():
            for name, told in counts.items():
                said = self.release.speakers.get(speaker, {}).get(name) or "not told"
                told[said] = told.get(said, 0) + 1
        return {name: dict(sorted(told.items())) for name, told in counts.items()}

    def consents(self) -> list[dict[str, Any]]:
        """Each text that was agreed to, and for how many clips."""
        clips = Clip.objects.filter(pk__in=self._rows.order_by().values("clip_id"))
        records = ConsentRecord.objects.filter(purpose__in=self.facts["purposes"], clips__in=clips)
        names = ("purpose", "locale", "version", "sha256")
        counted = records.order_by(*names).values(*names).annotate(count=Count("clips", distinct=True))
        return [{name: row[name] for name in names} | {"clips": row["count"]} for row in counted]

    def _item(self, row: ReleasedClip) -> Item:
        told = self.release.speakers.get(row.speaker, {}) if self.tells_of_speakers else {}
        return Item(
            id=row.public_id,
            speaker=row.speaker,
            split=row.split,
            text=row.text,
            normalised=row.normalised,
            duration_ms=row.clip.duration_ms or 0,
            flac_key=row.clip.flac_key,
            **told,
        )


def facts_of(campaign: Campaign, *, slug: str, gates: dict[str, Any]) -> dict[str, Any]:
    """What a release keeps of its campaign, which changes."""
    return {
        "name": campaign.name,
        "slug": slug,
        "description": campaign.description,
        "language": campaign.language,
        "licence": campaign.licence,
        "purposes": sorted(campaign.purposes),
        "organization": campaign.organization.name,
        "gates": gates,
    }


def told_by(contributor: Contributor) -> dict[str, str]:
    """What a release keeps of what a speaker said of themselves; empty where that was nothing."""
    told = {name: getattr(contributor, name) for name in ("age_band", "gender", "accent")}
    return {name: value for name, value in told.items() if value}
