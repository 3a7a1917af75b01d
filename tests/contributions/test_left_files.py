"""Files of recordings that nothing leads to any more are found by their names, and go."""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import uuid4

import pytest

from apps.contributions import left_files
from apps.contributions.models import Campaign, Clip, Contributor
from apps.core import media
from tests.contributions import collecting

pytestmark = pytest.mark.django_db


@pytest.fixture
def clip(campaign: Campaign, dora: Contributor) -> Clip:
    """Accepted."""
    return collecting.clip(dora, campaign.prompts.all()[0], state="accepted")


def stored(folder: Path, key: str, *, hours: float = 2) -> str:
    """So long ago."""
    media.save(key, b"sound")
    written_at = time.time() - hours * 3600
    os.utime(folder / key, (written_at, written_at))
    return key


def test_those_of_no_clip_go(clip: Clip, media_folder: Path) -> None:
    kept = [stored(media_folder, f"{clip.folder}/original"), stored(media_folder, f"{clip.folder}/a.flac")]
    left = stored(media_folder, f"clips/{clip.campaign_id}/{uuid4()}/original")
    assert left_files.sweep() == 1
    assert not media.exists(left)
    assert all(map(media.exists, kept))
    assert left_files.sweep() == 0


def test_those_of_one_that_was_withdrawn_go(clip: Clip, media_folder: Path) -> None:
    Clip.objects.update(state="withdrawn")
    left = stored(media_folder, f"{clip.folder}/a.flac")
    assert left_files.sweep() == 1
    assert not media.exists(left)


@pytest.mark.parametrize("name", ["clips/readme", "clips/a/b/original", "clips/a/b/c/original"])
def test_what_is_no_recording_stays(clip: Clip, media_folder: Path, name: str) -> None:
    stored(media_folder, name)
    assert left_files.sweep() == 0
    assert media.exists(name)


def test_those_that_were_just_stored_stay(clip: Clip, media_folder: Path) -> None:
    """Their clip is written in a moment."""
    stored(media_folder, f"clips/{clip.campaign_id}/{uuid4()}/original", hours=0.5)
    assert left_files.sweep() == 0


def test_as_many_as_there_are(clip: Clip, media_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left_files, "_BATCH", 2)
    for _ in range(5):
        stored(media_folder, f"clips/{clip.campaign_id}/{uuid4()}/original")
    assert left_files.sweep() == 5
