"""Releases made by processes: killed for good and gone on with, and the same bytes wherever they are made."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from apps.contributions.models import Campaign, Release
from apps.contributions.releasing import services
from tests.contributions.releasing import data
from tests.platform import CHECKOUT, test_database_url

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

MAKER = "tests.contributions.releasing.maker"


def make(release: Release, folder: Path, *files: int, **environment: str) -> int:
    """In a process of its own, with `media` in that folder; answers how it ended."""
    told = {**os.environ, "DATABASE_URL": test_database_url(), "VAR_DIR": str(folder), **environment}
    command = [sys.executable, "-W", "ignore", "-m", MAKER, str(release.pk), *map(str, files)]
    return subprocess.run(command, cwd=CHECKOUT, env=told, check=False).returncode


def test_killed_again_and_again(campaign: Campaign, six: data.Speakers, tmp_path: Path) -> None:
    """Each process makes one file and dies with the next one stored and not written down."""
    release = services.freeze(campaign=campaign, by=None)
    kills = 0
    while make(release, tmp_path, 1) == -signal.SIGKILL:
        kills += 1
        release.refresh_from_db()
        assert release.steps_done == kills
        with connection.cursor() as cursor:  # so much time goes by
            cursor.execute("UPDATE contributions_release SET claimed_until = now() - interval '1 second'")
        if kills == 9:  # the papers are three files
            break
    assert make(release, tmp_path) == 0
    release.refresh_from_db()
    assert (release.state, kills) == ("ready", 9)
    again = release.files
    Release.objects.update(state="queued", steps_done=0, files=[])
    assert make(release, tmp_path) == 0
    release.refresh_from_db()
    assert release.files == again


def test_the_same_bytes_in_another_place(campaign: Campaign, six: data.Speakers, tmp_path: Path) -> None:
    release = services.freeze(campaign=campaign, by=None)
    there = tmp_path / "there"
    shutil.copytree(tmp_path / "media", there / "media")
    assert make(release, tmp_path, PYTHONHASHSEED="1") == 0
    release.refresh_from_db()
    assert release.state == "ready"
    Release.objects.update(state="queued", steps_done=0, files=[])
    here = release.files
    odd = {"PYTHONHASHSEED": "2", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "OMP_NUM_THREADS": "2"}
    assert make(release, there, **odd) == 0
    release.refresh_from_db()
    assert release.files == here
    for name in data.names(release):
        found = [
            (folder / "media" / "releases" / str(campaign.pk) / "1" / "1" / name).read_bytes()
            for folder in (tmp_path, there)
        ]
        assert found[0] == found[1]
