"""What goes along with the files of a release: its datasheet, a manifest, and checksums."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]

from apps.contributions.models import Purpose
from apps.contributions.releasing.contents import MIN_SPEAKERS, SAMPLE_RATE, Contents

File = dict[str, Any]
_HOUR_MS: Final = 3_600_000
DATASHEET: Final = "datasheet.md"
MANIFEST: Final = "manifest.json"
CHECKSUMS: Final = "SHA256SUMS"
ALL: Final = (DATASHEET, MANIFEST, CHECKSUMS)
_FORMATS: Final = (
    ("ljspeech.tar", "LJSpeech: `metadata.csv` with `id|raw|normalised`, WAV; `speakers.csv` for the rest"),
    ("common-voice.tar", "Common Voice: `validated.tsv`, `train.tsv`, `dev.tsv`, `test.tsv`, FLAC"),
    ("audiofolder.tar", "Hugging Face audiofolder: a folder for each split with `metadata.csv`, FLAC"),
    ("parquet-*.parquet", f"Parquet with the FLAC inside, as `datasets` reads it; pyarrow {pa.__version__}"),
    ("webdataset-*.tar", "WebDataset: shards with `ID.flac` and `ID.json`"),
)


def manifest(contents: Contents, files: Sequence[File], removed_ids: Sequence[str]) -> bytes:
    """For programs: what the datasheet says, and each file."""
    release, facts = contents.release, contents.facts
    told = {
        "name": facts["name"],
        "organization": facts["organization"],
        "version": release.version,
        "frozen_at": release.frozen_at.isoformat(),
        "language": facts["language"],
        "licence": facts["licence"],
        "purposes": facts["purposes"],
        "consents": contents.consents(),
        "gates": facts["gates"],
        "sample_rate": SAMPLE_RATE,
        "splits": {split: asdict(tally) for split, tally in contents.tallies().items()},
        "speakers": contents.demographics(),
        "removed_ids": list(removed_ids),
        "files": [{name: file[name] for name in ("name", "bytes", "sha256")} for file in files],
    }
    return (json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def checksums(files: Sequence[File]) -> bytes:
    """As `sha256sum --check` reads them."""
    lines = [f"{file['sha256']}  {file['name']}\n" for file in sorted(files, key=lambda file: file["name"])]
    return "".join(lines).encode()


def datasheet(contents: Contents, removed_ids: Sequence[str]) -> bytes:
    """For people, in the order of "Datasheets for Datasets" (Gebru et al., 2021)."""
    release, facts = contents.release, contents.facts
    parts = [
        f"# {facts['name']}, version {release.version}",
        f"Frozen at {release.frozen_at.isoformat()}. Licence: {facts['licence']}.",
        _motivation(contents),
        _composition(contents),
        _collection(contents),
        _preprocessing(),
        _uses(contents),
        _distribution(),
        _maintenance(contents, removed_ids),
    ]
    return ("\n\n".join(parts) + "\n").encode()


def _motivation(contents: Contents) -> str:
    facts = contents.facts
    lines = ["## Motivation", f"Collected for {facts['organization']}."]
    if facts["description"].strip():
        lines.append(facts["description"].strip())
    if contents.release.notes.strip():
        lines.append(f"Notes on this version: {contents.release.notes.strip()}")
    return "\n\n".join(lines)


def _composition(contents: Contents) -> str:
    """Counts by split, and of what speakers told."""
    tallies = contents.tallies()
    rows = [
        f"| {split} | {tally.clips} | {tally.speakers} | {tally.duration_ms / _HOUR_MS:.3f} "
        f"| {tally.speech_ms / _HOUR_MS:.3f} |"
        for split, tally in tallies.items()
    ]
    table = ["| split | clips | speakers | hours | hours of speech |", "|---|---|---|---|---|", *rows]
    words = [
        "## Composition",
        f"Recordings of single sentences, read by volunteers and paid contributors in the language "
        f"`{contents.language}`, each with the sentence as it was shown, and with numbers and the like "
        f"written out. Audio is mono at {SAMPLE_RATE // 1000} kHz with 16 bits.",
        "\n".join(table),
        "No speaker is in two splits. Ids of clips and speakers are pseudonyms of this version alone: in "
        "another one the same clip and the same speaker have others.",
    ]
    demographics = contents.demographics()
    if not demographics:
        words.append(
            f"What speakers say of themselves is left out: that is told of {MIN_SPEAKERS} speakers and more."
        )
    for name, counts in demographics.items():
        told = ", ".join(f"{said}: {count}" for said, count in counts.items())
        words.append(f"Speakers by {name.replace('_', ' ')}, as they chose to tell: {told}.")
    return "\n\n".join(words)


def _collection(contents: Contents) -> str:
    gates = "\n".join(f"| {name} | {value} |" for name, value in sorted(contents.facts["gates"].items()))
    consents = "\n".join(
        f"| {Purpose(row['purpose']).label} | {row['locale']} | {row['version']} | `{row['sha256']}` "
        f"| {row['clips']} |"
        for row in contents.consents()
    )
    return (
        "## Collection process\n\n"
        "Speakers recorded prompted sentences with a browser, heard each recording before they sent it, and "
        "were told by machine and by people whether it was good. A recording is in this version only if it "
        "was accepted, by the gates below, by at least two listeners, or by staff.\n\n"
        f"| gate | value |\n|---|---|\n{gates}\n\n"
        "Every speaker is an adult by their own word and agreed to each purpose apart, to these texts; the "
        "SHA-256 is of the exact words that were shown:\n\n"
        f"| purpose | locale | version | SHA-256 | clips |\n|---|---|---|---|---|\n{consents}"
    )


def _preprocessing() -> str:
    return (
        "## Preprocessing\n\n"
        "What a browser sent was decoded, mixed to mono, resampled to 48 kHz and kept as FLAC. Nothing was "
        "cut, denoised or levelled."
    )


def _uses(contents: Contents) -> str:
    purposes = ", ".join(Purpose(purpose).label.lower() for purpose in contents.facts["purposes"])
    others = "They did not agree to any other one"
    if Purpose.VOICE_CLONING not in contents.facts["purposes"]:
        others += ", least of all to synthetic speech that sounds like them"
    words = f"Speakers agreed to these uses: {purposes}. {others}. Do not try to find out who they are."
    return f"## Uses\n\n{words}"


def _distribution() -> str:
    rows = "\n".join(f"| `{name}` | {words} |" for name, words in _FORMATS)
    return (
        f"## Distribution\n\nThe same clips in each of these:\n\n| file | format |\n|---|---|\n{rows}\n\n"
        f"`{CHECKSUMS}` has the SHA-256 of every file: check with `sha256sum --check {CHECKSUMS}`."
    )


def _maintenance(contents: Contents, removed_ids: Sequence[str]) -> str:
    words = (
        "## Maintenance\n\n"
        "Speakers can withdraw at any time. Each version names the clips of the one before whose speakers "
        "did: delete them wherever you have them."
    )
    if contents.release.version == 1:
        return words
    if not removed_ids:
        return f"{words}\n\nSince the version before, none was withdrawn."
    listed = "\n".join(f"- `{removed}`" for removed in removed_ids)
    return f"{words}\n\nWithdrawn since the version before ({len(removed_ids)}):\n\n{listed}"
