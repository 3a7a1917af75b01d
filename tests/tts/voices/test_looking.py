"""How long a look at a cloned voice is good for, with a database that answers and with one that does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.accounts.services import create_organization
from apps.core.errors import NotFound, PermissionDenied, Unavailable
from apps.core.threads import BlockingThreads
from apps.tts.cloning import LOOK_EVERY_SECONDS, TRUSTED_SECONDS, Clone
from apps.voices.models import Voice
from apps.voices.resolving import find_voice
from apps.voices.services import delete_voice, suspend_voice, withdraw_consent
from gpu_worker.protocol import MAX_CONSENT_AGE_SECONDS
from tests.voices.recordings import actor, clone
from voiceflow.settings.media import storage


@pytest.fixture
def threads() -> Iterator[BlockingThreads]:
    running = BlockingThreads(1, name="voices")
    yield running
    running.stop()


@pytest.fixture
def owner(transactional_db: None) -> User:
    return User.objects.create_user("owner@example.com")


@pytest.fixture
def voice(owner: User, settings: Any, tmp_path: Path) -> Voice:
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}
    return clone(create_organization(name="Acme", owner=owner), owner)


@pytest.fixture
def found(voice: Voice, threads: BlockingThreads) -> Clone:
    assert voice.organization_id is not None
    resolved = find_voice(organization_id=voice.organization_id, reference="Ada")
    assert resolved is not None
    return Clone.found(resolved, 1, threads)


def take_away() -> None:
    """From whoever asks for voices."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE voices_voice RENAME TO voices_voice_away")


def bring_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE voices_voice_away RENAME TO voices_voice")


def test_a_consent_ends_everywhere_within_a_minute() -> None:
    assert LOOK_EVERY_SECONDS <= 20
    assert TRUSTED_SECONDS <= MAX_CONSENT_AGE_SECONDS == 60


async def test_a_look_is_good_for_a_while(found: Clone, voice: Voice, owner: User) -> None:
    await _in_thread(found, lambda: withdraw_consent(voice=voice, by=actor(owner)))
    await found.require()
    found.look_at = time.monotonic()
    with pytest.raises(PermissionDenied) as caught:
        await found.require()
    assert caught.value.code == "consent_withdrawn"


async def test_what_ended_gives_no_token(found: Clone, voice: Voice, owner: User) -> None:
    assert await found.token()
    await _in_thread(found, lambda: suspend_voice(voice=voice, reason="A complaint."))
    found.doubt()
    with pytest.raises(PermissionDenied, match="A complaint"):
        await found.token()
    await _in_thread(found, lambda: delete_voice(voice=voice, by=actor(owner)))
    found.doubt()
    with pytest.raises(NotFound):
        await found.token()


async def test_what_is_still_consented_to_is_good_for_another_while(found: Clone) -> None:
    found.doubt()
    before = time.monotonic()
    await found.require()
    assert found.look_at >= before + LOOK_EVERY_SECONDS
    assert found.known_until >= before + TRUSTED_SECONDS


async def test_with_the_database_away_it_is_trusted_for_a_minute_and_no_longer(found: Clone) -> None:
    await _in_thread(found, take_away)
    try:
        found.look_at = 0.0
        await found.require()
        assert found.look_at > time.monotonic()
        found.doubt()
        with pytest.raises(Unavailable):
            await found.require()
    finally:
        await _in_thread(found, bring_back)


async def _in_thread(found: Clone, work: Callable[[], None]) -> None:
    await found._threads.run(work)
