"""Celery is killed while it makes a release, with files stored that were not written down.

A lock that the test holds stops it at one statement. What waits there when it dies is either lost, or done by
the database after its death: both happen.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.contributions.models import Campaign, Release, ReleasedClip
from apps.contributions.releasing import services, tasks
from apps.webhooks.models import Event
from tests.contributions import dying, held
from tests.contributions.releasing import data
from tests.platform import until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

SECONDS = 90.0
# Nine files, each a step, and three papers, which are one step.
FILES, PAPERS_STEP = 12, 9


@pytest.fixture
def celery(media_folder: Path) -> Iterator[dying.Celery]:
    with dying.Celery(media_folder, queues="releases") as running:
        yield running


class Making:
    """A release that Celery makes, stopped amid each of its steps."""

    def __init__(self, release: Release, celery: dying.Celery, reads: held.Lock, row: held.Lock) -> None:
        self.release, self.celery, self.reads, self.row = release, celery, reads, row

    def begin(self) -> None:
        """A process that stops amid a step, before its file is stored."""
        go_on()
        self.reads.take()
        self.celery.start()
        self.reads.until_reached()

    def store(self) -> None:
        """The file of this step is stored, and not written down."""
        self.row.take()
        self.reads.let_go()
        self.row.until_reached()

    def to(self, step: int) -> None:
        """Amid that step."""
        while self.done() < step:
            self.store()
            self.reads.take()
            self.row.let_go()
            self.reads.until_reached()

    def done(self) -> int:
        self.release.refresh_from_db()
        return self.release.steps_done

    def kill_with_file_stored(self, step: int, *, is_lost: bool) -> None:
        self.begin()
        self.to(step)
        self.store()
        self.celery.kill_at(self.row, is_lost=is_lost)
        assert self.done() == (step if is_lost else step + 1)


def go_on() -> None:
    """Time goes by, and the schedule calls for what nobody is at."""
    held.lapse(Release)
    tasks.sweep()


def is_ready(release: Release) -> bool:
    release.refresh_from_db()
    return release.state == Release.State.READY


def contents(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file below it, by name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_release_is_whole_wherever_celery_is_killed(
    campaign: Campaign, six: data.Speakers, media_folder: Path, celery: dying.Celery
) -> None:
    release = services.freeze(campaign=campaign, by=None)
    folder = media_folder / "releases" / str(campaign.pk)
    with held.reading(ReleasedClip) as reads, held.row(release) as row:
        making = Making(release, celery, reads, row)
        making.kill_with_file_stored(1, is_lost=True)
        making.kill_with_file_stored(5, is_lost=False)
        making.kill_with_file_stored(PAPERS_STEP, is_lost=True)
    assert len(contents(folder)) == FILES

    # Ready, and the event not written yet.
    with held.writing(Event) as events:
        events.take()
        go_on()
        celery.start()
        events.until_reached()
        celery.kill_at(events)
    release.refresh_from_db()
    assert release.state == "making"

    go_on()
    celery.start()
    until(lambda: is_ready(release), seconds=SECONDS)
    assert celery.kills == 4
    stored = contents(folder)
    assert stored == {file["name"]: file["sha256"] for file in release.files}
    assert len(stored) == FILES
    event = Event.objects.get(type="release.ready")
    assert json.loads(event.body)["data"]["release_id"] == str(release.pk)

    # And by one that nobody kills.
    made = release.files
    shutil.rmtree(folder)
    Release.objects.update(state="queued", steps_done=0, files=[])
    tasks.sweep()
    until(lambda: is_ready(release), seconds=SECONDS)
    assert release.files == made
    assert contents(folder) == stored
