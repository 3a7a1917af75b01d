"""Made step by step: what dies is gone on with, what is withdrawn meanwhile is given out in nothing."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from apps.accounts.models import Organization
from apps.contributions import consenting, deciding, withdrawing
from apps.contributions.models import Campaign, Release
from apps.contributions.releasing import claims, keeping, making, services, tasks
from apps.core import media
from apps.core.media.local import PrivateFiles
from apps.webhooks.models import Event
from tests.contributions.releasing import data
from tests.platform import until

pytestmark = pytest.mark.django_db

STEPS = 10  # three archives, three splits as Parquet and as WebDataset, the papers


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


class Files(PrivateFiles):
    """Media that does something when the next file of a release is written."""

    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None

    def _save(self, name: str, content: Any) -> str:
        if name.startswith("releases/"):
            self._do("before")
        saved = super()._save(name, content)
        if name.startswith("releases/"):
            self._do("after")
        return saved

    def _do(self, when: str) -> None:
        act, _ = getattr(Files, when), setattr(Files, when, None)
        if act is not None:
            act()


@pytest.fixture
def files(settings: Any, media_folder: Path) -> type[Files]:
    backend = {"BACKEND": f"{__name__}.Files", "OPTIONS": {"location": media_folder}}
    settings.STORAGES = settings.STORAGES | {"default": backend}
    Files.before = Files.after = None
    return Files


def kill() -> None:
    raise Killed


def lapse(release: Release) -> None:
    """So much time goes by."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contributions_release SET claimed_until = now() - interval '1 second'")


def steps_done(release: Release) -> int:
    release.refresh_from_db()
    return release.steps_done


def told(event: Event) -> Any:
    return json.loads(event.body)["data"]


def test_it_becomes_ready_with_an_event(campaign: Campaign, acme: Organization, six: data.Speakers) -> None:
    release = services.freeze(campaign=campaign, by=None)
    for number in range(STEPS):
        assert steps_done(release) == number
        assert making.make(release.pk)
    assert release.state == "making"
    assert not making.make(release.pk)
    release.refresh_from_db()
    assert (release.state, release.steps_done, release.steps_total) == ("ready", STEPS, STEPS)
    assert release.ready_at is not None
    event = Event.objects.for_organization(acme).get(type="release.ready")
    assert told(event) == {
        "campaign_id": str(campaign.pk),
        "release_id": str(release.pk),
        "version": 1,
        "clips": 12,
        "removed": 0,
    }
    assert not making.make(release.pk)


def test_what_is_told_of_a_file_is_true(campaign: Campaign, six: data.Speakers) -> None:
    release = data.made(campaign)
    for file in release.files:
        content = data.content(release, file["name"])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    sums = data.content(release, "SHA256SUMS").decode().splitlines()
    assert sums == sorted(sums, key=lambda line: line.split()[1])
    told = {file["name"]: file["sha256"] for file in release.files if file["name"] != "SHA256SUMS"}
    assert {name: digest for digest, name in map(str.split, sums)} == told


def test_one_task_makes_it_at_a_time(campaign: Campaign, six: data.Speakers) -> None:
    release = services.freeze(campaign=campaign, by=None)
    assert claims.waiting() == [release.pk]
    held = claims.claim(release.pk)
    assert held is not None
    assert claims.claim(release.pk) is None
    assert not making.make(release.pk)
    assert claims.waiting() == []
    lapse(release)
    assert claims.waiting() == [release.pk]
    assert making.make(release.pk)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_each_step_it_goes_on(
    campaign: Campaign, six: data.Speakers, files: type[Files], when: str
) -> None:
    release = services.freeze(campaign=campaign, by=None)
    for number in range(STEPS):
        setattr(files, when, kill)
        with pytest.raises(Killed):
            making.make(release.pk)
        assert steps_done(release) == number
        assert not making.make(release.pk)
        lapse(release)
        assert making.make(release.pk)
        assert steps_done(release) == number + 1
    assert not making.make(release.pk)
    release.refresh_from_db()
    assert release.state == "ready"
    assert len(list(media.listed(keeping.folder_of(release)))) == len(release.files)


def test_the_same_bytes_each_time(campaign: Campaign, six: data.Speakers) -> None:
    release = data.made(campaign)
    first = release.files
    assert Release.objects.update(state="queued", steps_done=0, files=[], generation=7) == 1
    assert data.finished(release).files == first


@pytest.mark.parametrize("number", range(STEPS + 1))
def test_withdrawn_between_steps(campaign: Campaign, six: data.Speakers, number: int) -> None:
    release = services.freeze(campaign=campaign, by=None)
    for _ in range(number):
        making.make(release.pk)
    ids = data.ids_of(release, six["ada"])
    data.withdraw(six["ada"], campaign)
    # Carried out is carried out, whenever it goes on.
    assert list(media.listed(keeping.folder_of(release))) == []
    data.finished(release)
    assert_without(release, ids, clips=10)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [0, 3, 9])
def test_withdrawn_in_a_step(
    campaign: Campaign, six: data.Speakers, files: type[Files], when: str, number: int
) -> None:
    release = services.freeze(campaign=campaign, by=None)
    for _ in range(number):
        making.make(release.pk)
    ids = data.ids_of(release, six["ada"])
    setattr(files, when, lambda: data.withdraw(six["ada"], campaign))
    data.finished(release)
    assert_without(release, ids, clips=10)


def assert_without(release: Release, ids: set[str], *, clips: int) -> None:
    assert release.state == "ready"
    assert release.clips_count == clips
    given_out = data.whole(release)
    assert not [name for name in ids if name.encode() in given_out]
    # Ada's recordings; Ben's are there in five formats, one of them WAV.
    assert not [hertz for hertz in (200, 201) if data.flac(hertz) in given_out]
    assert given_out.count(data.flac(210)) == 4
    kept = {key for key, _ in media.listed(keeping.folder_of(release))}
    assert kept == {keeping.key_of(release, name) for name in data.names(release)}
    event = Event.objects.filter(type="release.ready").get()
    assert told(event)["clips"] == clips


def test_all_withdrawn_is_no_release(campaign: Campaign) -> None:
    ada = data.speakers(campaign, count=1, clips=2)["ada"]
    release = services.freeze(campaign=campaign, by=None)
    making.make(release.pk)
    data.withdraw(ada, campaign)
    data.finished(release)
    assert (release.state, release.problem) == ("failed", "All of its recordings were withdrawn.")
    assert list(media.listed(keeping.folder_of(release))) == []
    assert not Event.objects.filter(type="release.ready").exists()


def test_a_task_that_lost_its_claim_spoils_nothing(campaign: Campaign, six: data.Speakers) -> None:
    """It was held up for long, and writes what has been withdrawn since."""
    release = services.freeze(campaign=campaign, by=None)
    held = claims.claim(release.pk)
    assert held is not None
    ids = data.ids_of(release, six["ada"])
    old = Release.objects.get(pk=release.pk)
    lapse(release)
    data.withdraw(six["ada"], campaign)
    data.finished(release)
    making._kept(old, "ljspeech.tar", io.BytesIO(b"".join(name.encode() for name in ids)))
    assert not held.rows.exists()
    release.refresh_from_db()
    assert hashlib.sha256(data.content(release, "ljspeech.tar")).hexdigest() == release.files[0]["sha256"]
    tasks.tidy()
    assert_without(release, ids, clips=10)


def test_the_next_one_names_what_was_removed(campaign: Campaign, six: data.Speakers) -> None:
    first = data.made(campaign)
    gone = data.ids_of(first, six["ada"])
    assert first.removed_ids == []
    data.withdraw(six["ada"], campaign)
    second = data.made(campaign)
    assert second.removed_ids == sorted(gone)
    datasheet = data.content(second, "datasheet.md").decode()
    assert all(f"- `{name}`" in datasheet for name in gone)
    event = Event.objects.filter(type="release.ready").order_by("-id")[0]
    assert told(event)["removed"] == 2
    third = data.made(campaign)
    assert third.removed_ids == []


def test_also_what_is_removed_while_it_is_made_and_is_not_in_it(
    campaign: Campaign, six: data.Speakers, staff: Any
) -> None:
    first = data.made(campaign)
    for clip in six["ada"].clips.all():
        deciding.take_back(clip, by=staff, reason="Another look.")
    second = services.freeze(campaign=campaign, by=staff)
    for _ in range(STEPS):
        making.make(second.pk)
    data.withdraw(six["ada"], campaign)
    data.finished(second)
    assert second.state == "ready"
    assert second.removed_ids == sorted(data.ids_of(first, six["ada"]))
    names = data.names(second)
    assert len(names) == len(set(names)) == STEPS + 2
    assert second.removed_ids[0] in data.content(second, "manifest.json").decode()


def test_audio_that_is_lost_fails_it(campaign: Campaign, six: data.Speakers, staff: Any) -> None:
    release = services.freeze(campaign=campaign, by=staff)
    clip = six["ada"].clips.all()[0]
    audio = media.read(clip.flac_key)
    media.delete(clip.flac_key)
    data.finished(release)
    assert release.state == "failed"
    assert "is gone from the storage" in release.problem
    media.save(clip.flac_key, audio)
    services.try_again(release)
    assert data.finished(release).state == "ready"


def test_what_always_ends_it_fails_it(campaign: Campaign, six: data.Speakers, files: type[Files]) -> None:
    release = services.freeze(campaign=campaign, by=None)
    for _ in range(making.MAX_TRIES):
        files.before = lambda: 1 / 0  # type: ignore[assignment, return-value]
        with pytest.raises(ZeroDivisionError):
            making.make(release.pk)
        lapse(release)
    assert not making.make(release.pk)
    release.refresh_from_db()
    assert (release.state, release.problem) == ("failed", "The last step ended with ZeroDivisionError.")


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_renewed_until_it_is_in_vain(campaign: Campaign, six: data.Speakers) -> None:
    release = services.freeze(campaign=campaign, by=None)
    held = claims.claim(release.pk)
    assert held is not None
    lapse(release)
    with claims.renewed(held, every_seconds=0.05) as in_vain:
        until(lambda: claims.waiting() == [], what="a renewed claim")
        assert not in_vain.is_set()
        withdrawing.withdraw(consenting.in_force(six["ada"], campaign)["train"])
        assert in_vain.wait(10)


@pytest.mark.django_db(transaction=True)
def test_withdrawn_in_the_very_moment(campaign: Campaign, six: data.Speakers) -> None:
    """The withdrawal is not committed when everything is made: becoming ready waits for it."""
    release = services.freeze(campaign=campaign, by=None)
    for _ in range(STEPS):
        making.make(release.pk)
    ids = data.ids_of(release, six["ada"])
    consent = consenting.in_force(six["ada"], campaign)["train"]
    withdrawn, go_on = threading.Event(), threading.Event()

    def withdraw() -> None:
        try:
            with transaction.atomic():
                withdrawing.withdraw(consent)
                withdrawn.set()
                go_on.wait(10)
        finally:
            connection.close()

    person = threading.Thread(target=withdraw)
    person.start()
    assert withdrawn.wait(10)
    threading.Timer(1.0, go_on.set).start()
    assert making.make(release.pk)
    person.join()
    assert not Event.objects.filter(type="release.ready").exists()
    data.finished(release)
    assert_without(release, ids, clips=10)
