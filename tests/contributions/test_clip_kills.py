"""A clip on its way, from the upload to what it earns, through a web server and a Celery that are killed.

A lock that the test holds stops the process at one statement. What waits there when it dies is lost, or
done by the database after its death: both happen.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from apps.contributions import checking, ledger, left_files, sentences, tasks
from apps.contributions.models import Campaign, Clip, Contributor, Posting
from apps.core import media
from apps.webhooks.models import Event
from tests.contributions import dying, held, speaking
from tests.contributions.visitor import API
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


def is_in(clip: Clip, state: Clip.State) -> bool:
    clip.refresh_from_db()
    return clip.state == state


def stored(media_folder: Path, clip: Clip) -> list[str]:
    """Endings of its files; the original has none."""
    return sorted(file.suffix for file in media_folder.joinpath(clip.folder).iterdir())


# ---- uploads -----------------------------------------------------------------------------------------
@pytest.fixture
def site(dora: Contributor, media_folder: Path) -> Iterator[dying.Site]:
    """With dora there."""
    assert dora.user is not None
    with dying.Site(media_folder, dora.user) as running:
        yield running


def test_no_upload_is_lost_or_kept_twice_wherever_the_server_is_killed(
    site: dying.Site, campaign: Campaign, media_folder: Path
) -> None:
    prompt, upload_id, content = campaign.prompts.all()[0], uuid4(), uuid4().bytes * 50

    def send() -> int:
        """What the recorder sends until it is answered."""
        form = {"upload_id": str(upload_id), "prompt_id": str(prompt.pk), "duration_ms": "4000"}
        recording = {"recording": ("take.webm", io.BytesIO(content), "audio/webm")}
        return site.post(f"{API}/clips", data=form, files=recording).status_code

    def recordings() -> list[Path]:
        return [path for path in media_folder.rglob("*") if path.is_file()]

    # The recording stored, its clip not written.
    with held.row(prompt) as lock:
        site.killed_at(lock, send, is_lost=True)
    assert not Clip.objects.exists()
    [left] = recordings()

    # Both, and nobody hears of it.
    site.server.restart()
    with held.row(prompt) as lock:
        site.killed_at(lock, send)
    clip = Clip.objects.get()
    assert checking.waiting() == [clip.pk]

    site.server.restart()
    assert send() == 200
    assert Clip.objects.get() == clip
    assert media.read(clip.original_key) == content
    assert len(recordings()) == 2
    hours_ago = time.time() - 2 * 3600
    os.utime(left, (hours_ago, hours_ago))
    assert left_files.sweep() == 1
    assert recordings() == [media_folder / clip.original_key]


# ---- checks ------------------------------------------------------------------------------------------
@pytest.fixture
def celery(media_folder: Path) -> Iterator[dying.Celery]:
    with dying.Celery(media_folder, queues="clips") as running:
        yield running


def test_no_clip_is_lost_or_paid_twice_wherever_celery_is_killed(
    campaign: Campaign, dora: Contributor, media_folder: Path, celery: dying.Celery
) -> None:
    """Each death is another clip's. Those before it wait, since their claims have not run out."""
    sentences.import_text(campaign, "\n".join(SPOKEN))

    def sent(number: int) -> Clip:
        """By nobody checked yet: no process runs."""
        return speaking.sent(dora, campaign.prompts.get(text=SPOKEN[number]), speaking.spoken(SPOKEN[number]))

    # Before it has claimed the clip; what claims it is done after its death.
    unclaimed = sent(0)
    with held.row(unclaimed) as lock:
        lock.take()
        celery.start()
        lock.until_reached()
        assert is_in(unclaimed, Clip.State.UPLOADED)
        celery.kill_at(lock)
    assert is_in(unclaimed, Clip.State.CHECKING)

    # While it listens.
    measured = sent(1)
    celery.start()
    until(lambda: is_in(measured, Clip.State.CHECKING), seconds=SECONDS)
    celery.kill()
    assert stored(media_folder, measured) == [""]

    # With its audio stored, and nothing decided.
    undecided = sent(2)
    with held.row(undecided) as lock:
        celery.start()
        until(lambda: is_in(undecided, Clip.State.CHECKING), seconds=SECONDS)
        lock.take()
        lock.until_reached()
        celery.kill_at(lock)
    assert is_in(undecided, Clip.State.CHECKING)
    assert stored(media_folder, undecided) == ["", ".flac"]

    # Amid deciding, with no money posted yet.
    unpaid = sent(3)
    with held.writing(Posting) as lock:
        lock.take()
        celery.start()
        lock.until_reached()
        celery.kill_at(lock)
    assert is_in(unpaid, Clip.State.CHECKING)
    assert not Posting.objects.exists()

    # At the end of deciding: the database does it, and nobody hears of it.
    unheard = sent(4)
    with held.row(dora) as lock:
        lock.take()
        celery.start()
        lock.until_reached()
        assert is_in(unheard, Clip.State.CHECKING)
        celery.kill_at(lock)
    assert is_in(unheard, Clip.State.ACCEPTED)

    held.lapse(Clip)
    celery.start()
    tasks.sweep()
    clips = Clip.objects.filter(campaign=campaign)
    until(lambda: not clips.exclude(state="accepted").exists(), seconds=SECONDS, what="all to be accepted")
    tasks.sweep()
    assert celery.kills == 5
    assert clips.count() == 5
    for clip in clips:
        assert stored(media_folder, clip) == ["", ".flac"]
        assert media.read(clip.flac_key)[:4] == b"fLaC"
        assert list(clip.postings.values_list("kind", flat=True)) == ["earned"]
        assert list(clip.decisions.values_list("to_state", flat=True)) == ["accepted"]
    events = Event.objects.filter(type="clip.accepted")
    told = [json.loads(body)["data"]["clip_id"] for body in events.values_list("body", flat=True)]
    assert sorted(told) == sorted(str(clip.pk) for clip in clips)
    assert ledger.balance(dora).pending == sum(clip.earned_cents for clip in clips) > 0
    assert ledger.flaws() == []
