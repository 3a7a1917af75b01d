"""Celery's process is killed for good, with all that it is at, while it checks clips and makes releases.

A lock that the test holds stops it at one statement. What waits there when it dies is either lost, or done by
the database after its death: both happen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.accounts.models import Organization
from apps.contributions import ledger, sentences, tasks
from apps.contributions.models import Campaign, Clip, Contributor, Posting, Release, ReleasedClip
from apps.contributions.releasing import services
from apps.contributions.releasing import tasks as releasing
from apps.webhooks.models import Event
from tests.contributions import collecting, dying, held, speaking
from tests.contributions.releasing import data
from tests.e2e.clips_worker import ClipsWorker
from tests.platform import until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

SPOKEN = (
    "The old lighthouse keeper climbed the narrow stairs every evening before sunset.",
    "She counted seven white gulls on the harbour wall and smiled.",
    "The river was high after three days of rain.",
    "We are going to the market on Friday.",
    "He bought two apples and a loaf of bread.",
)
SECONDS = 90.0


@pytest.fixture
def celery(media_folder: Path, request: pytest.FixtureRequest) -> Iterator[Celery]:
    running = Celery(media_folder)
    yield running
    running.end()


class Celery:
    """The process of one queue; it runs from the first `start` on."""

    def __init__(self, media_folder: Path) -> None:
        self.surroundings = dying.surroundings(media_folder)
        self.process: ClipsWorker | None = None
        self.kills = 0

    def start(self, queue: str) -> None:
        if self.process is None:
            self.process = ClipsWorker(self.surroundings, queues=queue)
        else:
            self.process.start_again()

    def kill(self, *locks: held.Lock, is_lost: bool = False) -> None:
        """While it waits for one of the locks; what it waits to have done is `is_lost`, or done after all."""
        assert self.process is not None
        self.process.kill()
        self.kills += 1
        for lock in locks:
            if is_lost:
                lock.lose_waiting()
            lock.let_go()
        held.until_gone(dying.NAME)

    def end(self) -> None:
        if self.process is not None:
            self.process.__exit__(None, None, None)


# ---- clips -------------------------------------------------------------------------------------------
def is_in(clip: Clip, state: Clip.State) -> bool:
    clip.refresh_from_db()
    return clip.state == state


def told_of(kind: str, name: str) -> list[str]:
    """That field of each event of the kind."""
    return [json.loads(event.body)["data"][name] for event in Event.objects.filter(type=kind)]


def test_no_clip_is_lost_or_paid_twice_wherever_celery_is_killed(
    acme: Organization, media_folder: Path, celery: Celery
) -> None:
    """Each death is another clip's. Those before it wait, since their claims have not run out."""
    campaign = collecting.campaign(acme, prompts=0)
    sentences.import_text(campaign, "\n".join(SPOKEN))
    dora = collecting.speaker("dora")
    collecting.agree(dora, campaign)

    def sent(number: int) -> Clip:
        """By nobody checked yet: no process runs."""
        return speaking.sent(dora, campaign.prompts.get(text=SPOKEN[number]), speaking.spoken(SPOKEN[number]))

    def stored(clip: Clip) -> list[str]:
        files = media_folder.joinpath("clips", str(campaign.pk), str(clip.pk)).iterdir()
        return sorted(file.suffix for file in files)

    # Before it has claimed the clip; what claims it is done after its death.
    unclaimed = sent(0)
    with held.row(unclaimed) as lock:
        lock.take()
        celery.start("clips")
        lock.until_reached()
        assert is_in(unclaimed, Clip.State.UPLOADED)
        celery.kill(lock)
    assert is_in(unclaimed, Clip.State.CHECKING)

    # While it listens.
    measured = sent(1)
    celery.start("clips")
    until(lambda: is_in(measured, Clip.State.CHECKING), seconds=SECONDS)
    celery.kill()
    assert stored(measured) == [""]

    # With its audio stored, and nothing decided.
    undecided = sent(2)
    with held.row(undecided) as lock:
        celery.start("clips")
        until(lambda: is_in(undecided, Clip.State.CHECKING), seconds=SECONDS)
        lock.take()
        lock.until_reached()
        celery.kill(lock)
    assert is_in(undecided, Clip.State.CHECKING)
    assert stored(undecided) == ["", ".flac"]

    # Amid deciding, with no money posted yet.
    unpaid = sent(3)
    with held.writing(Posting) as lock:
        lock.take()
        celery.start("clips")
        lock.until_reached()
        celery.kill(lock)
    assert is_in(unpaid, Clip.State.CHECKING)
    assert not Posting.objects.exists()

    # At the end of deciding: the database does it, and nobody hears of it.
    unheard = sent(4)
    with held.row(dora) as lock:
        lock.take()
        celery.start("clips")
        lock.until_reached()
        assert is_in(unheard, Clip.State.CHECKING)
        celery.kill(lock)
    assert is_in(unheard, Clip.State.ACCEPTED)

    held.lapse(Clip)
    celery.start("clips")
    tasks.sweep()
    clips = Clip.objects.filter(campaign=campaign)
    until(lambda: not clips.exclude(state="accepted").exists(), seconds=SECONDS, what="all to be accepted")
    tasks.sweep()
    assert celery.kills == 5
    assert clips.count() == 5
    for clip in clips:
        assert stored(clip) == ["", ".flac"]
        assert media_folder.joinpath(clip.flac_key).exists()
        assert list(clip.postings.values_list("kind", flat=True)) == ["earned"]
        assert list(clip.decisions.values_list("to_state", flat=True)) == ["accepted"]
    assert sorted(told_of("clip.accepted", "clip_id")) == sorted(str(clip.pk) for clip in clips)
    assert ledger.balance(dora).pending == sum(clip.earned_cents for clip in clips) > 0
    assert ledger.flaws() == []


# ---- releases ----------------------------------------------------------------------------------------
class Making:
    """A release that Celery makes, stopped amid each of its steps."""

    def __init__(self, release: Release, celery: Celery, reads: held.Lock, row: held.Lock) -> None:
        self.release, self.celery, self.reads, self.row = release, celery, reads, row

    def begin(self) -> None:
        """A process that stops amid a step, before its file is stored."""
        go_on()
        self.reads.take()
        self.celery.start("releases")
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
        self.celery.kill(self.row, is_lost=is_lost)
        assert self.done() == (step if is_lost else step + 1)


def go_on() -> None:
    """Time goes by, and the schedule calls for what nobody is at."""
    held.lapse(Release)
    releasing.sweep()


def contents(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file below it, by name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_release_is_whole_wherever_celery_is_killed(
    campaign: Campaign, six: dict[str, Contributor], media_folder: Path, celery: Celery
) -> None:
    release = services.freeze(campaign=campaign, by=None)
    folder = media_folder / "releases" / str(campaign.pk)
    with held.reading(ReleasedClip) as reads, held.row(release) as row:
        making = Making(release, celery, reads, row)
        making.kill_with_file_stored(1, is_lost=True)
        making.kill_with_file_stored(5, is_lost=False)
        # Its papers, which are three files.
        making.kill_with_file_stored(9, is_lost=True)
    assert len(contents(folder)) == 12

    # Ready, and the event not written yet.
    with held.writing(Event) as events:
        events.take()
        go_on()
        celery.start("releases")
        events.until_reached()
        celery.kill(events)
    release.refresh_from_db()
    assert release.state == "making"

    go_on()
    celery.start("releases")
    until(lambda: is_ready(release), seconds=SECONDS)
    assert celery.kills == 4
    stored = contents(folder)
    assert stored == {file["name"]: file["sha256"] for file in release.files}
    assert len(stored) == 12
    assert told_of("release.ready", "release_id") == [str(release.pk)]

    # And by one that nobody kills.
    made = release.files
    Release.objects.update(state="queued", steps_done=0, files=[])
    releasing.sweep()
    until(lambda: is_ready(release), seconds=SECONDS)
    assert release.files == made
    assert contents(folder) == stored


def is_ready(release: Release) -> bool:
    release.refresh_from_db()
    return release.state == Release.State.READY


@pytest.fixture
def six(campaign: Campaign) -> data.Speakers:
    """Six speakers with two clips each."""
    return data.speakers(campaign, count=6, clips=2)
