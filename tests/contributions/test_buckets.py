"""Voice collection with its recordings and data sets in an S3 bucket, as where several machines serve."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import soundfile
from django.utils import timezone

from apps.accounts.models import User
from apps.contributions import checking, left_files, payouts, people, sentences
from apps.contributions.models import Campaign, Contributor, PayoutBatch
from apps.contributions.releasing import keeping, services
from apps.core import media
from tests.contributions import speaking
from tests.contributions.releasing import data
from tests.contributions.test_payouts import owe
from tests.fakes.s3 import running_s3
from voiceflow.settings.media import storage

pytestmark = pytest.mark.django_db

SENTENCE = "She counted seven white gulls on the harbour wall and smiled."


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with running_s3(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture(autouse=True)
def in_bucket(bucket: dict[str, str], settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {"default": storage(bucket)}
    settings.S3_BUCKET = bucket["S3_BUCKET"]


def keys(folder: str) -> list[str]:
    return sorted(key for key, _ in media.listed(folder))


def test_a_recording_from_its_upload_to_its_end(campaign: Campaign, dora: Contributor) -> None:
    sentences.import_prompts(campaign, [SENTENCE])
    clip = speaking.sent(dora, campaign.prompts.get(text=SENTENCE), speaking.spoken(SENTENCE))
    assert checking.check(clip.pk)
    clip.refresh_from_db()
    assert clip.state == "accepted", clip.reason
    assert keys(clip.folder) == sorted([clip.original_key, clip.flac_key])

    release = data.made(campaign)
    assert release.state == "ready", release.problem
    links = {link.name: link for link in services.links_of(release)}
    for link in links.values():
        answer = httpx.get(link.url).raise_for_status()
        assert hashlib.sha256(answer.content).hexdigest() == link.sha256
    files = data.unpacked(httpx.get(links["ljspeech.tar"].url).content)
    [wav] = [content for name, content in files.items() if name.endswith(".wav")]
    assert soundfile.info(io.BytesIO(wav)).samplerate == 48_000

    data.withdraw(dora, campaign)
    keeping.remove_files(release)
    assert keys(clip.folder) == []
    # What is not there is forbidden to who may not list.
    assert {httpx.get(link.url).status_code for link in links.values()} <= {403, 404}


def test_what_no_clip_leads_to_goes(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    left = f"clips/{campaign.pk}/{uuid4()}/original"
    media.save(left, b"sound")
    left_files.sweep()
    assert media.exists(left)  # its clip may be written in a moment
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr(left_files.timezone, "now", lambda: later)
    left_files.sweep()
    assert not media.exists(left)


def test_a_payout_file_says_nothing_to_who_reads_the_bucket(
    campaign: Campaign, dora: Contributor, staff: User
) -> None:
    owe(dora, campaign, 1500)
    people.set_payout_account(dora, "AT61 1904 3002 3457 3201")
    batch = payouts.propose(by=staff)
    assert isinstance(batch, PayoutBatch)
    payouts.approve(batch, by=staff)
    payouts.provider().send(batch)
    assert b"3201" not in media.read(batch.file_key)
    assert b"AT61 1904 3002 3457 3201" in payouts.file_of(batch)
