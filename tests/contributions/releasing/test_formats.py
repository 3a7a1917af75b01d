"""Each format is read back, by plain readers and by the `datasets` library."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from apps.contributions.models import Campaign, ConsentText, Release
from apps.contributions.releasing import planning
from apps.contributions.releasing.contents import Contents
from tests.contributions.releasing import data
from tests.platform import CHECKOUT

pytestmark = pytest.mark.django_db

SPLITS = ("train", "validation", "test")


@pytest.fixture
def release(campaign: Campaign, six: data.Speakers) -> Release:
    return data.made(campaign, notes="The first of its kind.")


def expected(release: Release) -> dict[str, dict[str, str]]:
    """By split and id: the sentence."""
    found: dict[str, dict[str, str]] = {}
    for row in release.clips.all():
        found.setdefault(row.split, {})[row.public_id] = row.text
    return found


def folder_of(release: Release) -> str:
    return f"{release.facts['slug']}-v1"


def tsv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode()), delimiter="\t", quoting=csv.QUOTE_NONE))


def samples(audio: bytes) -> Any:
    pcm, rate = soundfile.read(io.BytesIO(audio), dtype="int16")
    assert (rate, pcm.ndim) == (48_000, 1)
    return pcm


def test_ljspeech(release: Release) -> None:
    files = data.unpacked(data.content(release, "ljspeech.tar"))
    folder = folder_of(release)
    lines = files[f"{folder}/metadata.csv"].decode().splitlines()
    rows = [line.split("|") for line in lines]
    assert {row[0]: row[1] for row in rows} == {
        name: text for split in expected(release).values() for name, text in split.items()
    }
    assert {row[2] for row in rows if "$5" in row[1]} == {
        'He paid five dollars for "three" apples; she didn\'t.'
    }
    speakers = [line.split("|") for line in files[f"{folder}/speakers.csv"].decode().splitlines()]
    assert {(name, split) for name, _, split in speakers} == {
        (name, split) for split, ids in expected(release).items() for name in ids
    }
    for row in release.clips.all():
        wav = files[f"{folder}/wavs/{row.public_id}.wav"]
        hertz = int(row.clip.flac_key.rpartition("/")[2].removesuffix(".flac"))
        assert soundfile.info(io.BytesIO(wav)).format == "WAV"
        assert np.array_equal(samples(wav), samples(data.flac(hertz)))


def test_common_voice(release: Release) -> None:
    files = data.unpacked(data.content(release, "common-voice.tar"))
    folder = folder_of(release)
    validated = tsv(files[f"{folder}/validated.tsv"])
    assert len(validated) == 12
    assert {(row["age"], row["gender"], row["accents"], row["locale"]) for row in validated} == {
        ("thirties", "female", "Scottish", "en")
    }
    for split, name in zip(SPLITS, ("train", "dev", "test"), strict=True):
        rows = tsv(files[f"{folder}/{name}.tsv"])
        assert {row["path"].removesuffix(".flac"): row["sentence"] for row in rows} == expected(release)[
            split
        ]
        assert all(len(samples(files[f"{folder}/clips/{row['path']}"])) == 19_200 for row in rows)
    durations = tsv(files[f"{folder}/clip_durations.tsv"])
    assert {row["clip"] for row in durations} == {row["path"] for row in validated}
    assert {row["duration[ms]"] for row in durations} == {"400"}


def test_audiofolder(release: Release) -> None:
    files = data.unpacked(data.content(release, "audiofolder.tar"))
    for split in SPLITS:
        folder = f"{folder_of(release)}/{split}"
        rows = list(csv.DictReader(io.StringIO(files[f"{folder}/metadata.csv"].decode())))
        assert {row["id"]: row["text"] for row in rows} == expected(release)[split]
        assert all(len(samples(files[f"{folder}/{row['file_name']}"])) == 19_200 for row in rows)
        assert {row["accent"] for row in rows} == {"Scottish"}


def test_parquet(release: Release) -> None:
    for split in SPLITS:
        table = pq.read_table(io.BytesIO(data.content(release, f"parquet-{split}-00000-of-00001.parquet")))
        rows = table.to_pylist()
        assert {row["id"]: row["text"] for row in rows} == expected(release)[split]
        assert all(row["audio"]["path"] == f"{row['id']}.flac" for row in rows)
        assert all(len(samples(row["audio"]["bytes"])) == 19_200 for row in rows)


def test_webdataset(release: Release) -> None:
    for split in SPLITS:
        files = data.unpacked(data.content(release, f"webdataset-{split}-000000.tar"))
        told = [json.loads(content) for name, content in files.items() if name.endswith(".json")]
        assert {row["id"]: row["text"] for row in told} == expected(release)[split]
        assert all(len(samples(files[f"{row['id']}.flac"])) == 19_200 for row in told)
        assert list(files) == [f"{row['id']}.{kind}" for row in told for kind in ("flac", "json")]


def test_all_load_with_datasets(release: Release, tmp_path: Path) -> None:
    for name in data.names(release):
        (tmp_path / name).write_bytes(data.content(release, name))
    for name, content in data.unpacked(data.content(release, "audiofolder.tar")).items():
        path = tmp_path / "audiofolder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    command = [sys.executable, "-m", "tests.contributions.releasing.loading", str(tmp_path)]
    ran = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    loaded = json.loads(ran.stdout.splitlines()[-1])
    assert set(loaded) == {"audiofolder", "parquet", "webdataset"}
    audio = {
        row.public_id: hashlib.sha256(
            data.flac(int(row.clip.flac_key.rpartition("/")[2].removesuffix(".flac")))
        ).hexdigest()
        for row in release.clips.select_related("clip")
    }
    for splits in loaded.values():
        for split, found in splits.items():
            assert {row["id"]: row["text"] for row in found["rows"]} == expected(release)[split]
            assert all(row["sha256"] == audio[row["id"]] for row in found["rows"])
    assert "accent" in loaded["parquet"]["train"]["columns"]


def test_the_papers_say_what_it_is(release: Release, campaign: Campaign) -> None:
    datasheet = data.content(release, "datasheet.md").decode()
    manifest = json.loads(data.content(release, "manifest.json"))
    texts = ConsentText.objects.filter(campaign=campaign, purpose__in=campaign.purposes)
    told = [(row["purpose"], row["version"], row["sha256"], row["clips"]) for row in manifest["consents"]]
    assert sorted(told) == sorted((text.purpose, 1, text.sha256, 12) for text in texts)
    for words in ("CC-BY-4.0", "The first of its kind.", "reject_", *(text.sha256 for text in texts)):
        assert words in datasheet
    assert "least of all to synthetic speech" in datasheet
    assert manifest["speakers"]["accent"] == {"Scottish": 6}
    assert sum(split["clips"] for split in manifest["splits"].values()) == 12
    assert sum(split["duration_ms"] for split in manifest["splits"].values()) == 12 * 400
    assert [file["name"] for file in manifest["files"]] == data.names(release)[:-2]


def test_with_few_speakers_nothing_is_told_of_them(campaign: Campaign) -> None:
    data.speakers(campaign, count=4, clips=2)
    release = data.made(campaign)
    given_out = data.whole(release)
    for told in (b"Scottish", b"female", b"thirties", b"30-39"):
        assert told not in given_out
    assert "left out: that is told of 5 speakers" in data.content(release, "datasheet.md").decode()


def test_nor_where_few_are_left(campaign: Campaign) -> None:
    people = data.speakers(campaign, count=5, clips=2)
    assert b"Scottish" in data.whole(data.made(campaign))
    data.withdraw(people["ada"], campaign)
    assert b"Scottish" not in data.whole(data.made(campaign))


def test_what_is_long_is_in_several_files(campaign: Campaign, six: data.Speakers) -> None:
    release = data.made(campaign)
    contents = Contents(release, lambda: None)
    names = [step.name for step in planning.steps_of(contents, shard_ms=900)]
    assert "parquet-train-00003-of-00004.parquet" in names
    assert "webdataset-train-000003.tar" in names
    assert len(names) == 3 + 2 * 6
    found: list[str] = []
    for step in planning.steps_of(contents, shard_ms=900):
        if step.name.startswith("parquet-"):
            file = io.BytesIO()
            step.write(file, contents)
            found += pq.read_table(io.BytesIO(file.getvalue()))["id"].to_pylist()
    assert sorted(found) == sorted(release.clips.values_list("public_id", flat=True))
