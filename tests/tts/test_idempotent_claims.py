"""Kept answers on disk and in a bucket: given again, expired, swept; a kill at any point leaves no trace."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from time_machine import travel

from apps.accounts.models import Organization, User
from apps.core import media
from apps.core.errors import Conflict
from apps.keys.models import ApiKey
from apps.keys.services import issue_key
from apps.tts.calls import Answer, Call
from apps.tts.idempotency import claims
from apps.tts.idempotency.claims import Asked, Claim
from apps.tts.models import IdempotentAnswer
from tests.cast import acme, alice
from tests.fakes.s3 import running_s3
from tests.usage.rows import process
from voiceflow.settings.media import storage

__all__ = ["acme", "alice"]

BODY = b"RIFF, and what follows" * 1000
HEADERS = {"Content-Type": "audio/wav", "X-Voice": "heart"}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with running_s3(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture(params=["disk", "bucket"])
def kept_in(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    environment: dict[str, Any] = {"S3_BUCKET": "", "VAR_DIR": tmp_path}
    if request.param == "bucket":
        environment |= request.getfixturevalue("s3")
    settings.STORAGES = settings.STORAGES | {"default": storage(environment)}
    settings.S3_BUCKET = environment["S3_BUCKET"]
    return str(request.param)


@pytest.fixture
def disk(settings: Any, tmp_path: Path) -> Path:
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}
    return tmp_path / "media"


@pytest.fixture
def key(acme: Organization, alice: User) -> ApiKey:
    return issue_key(organization=acme, name="k", mode="live", scopes=["speech"], created_by=alice).key


@pytest.fixture
def asked(key: ApiKey) -> Asked:
    return Asked(key.organization_id, key.id, "order-1", b"\1" * 32)


def claim(asked: Asked, owner_id: uuid.UUID | None = None) -> Claim | Answer:
    return claims.claim(asked, owner_id=owner_id or process().id)


def made(asked: Asked) -> IdempotentAnswer:
    """An answer that is kept."""
    claimed = claim(asked)
    assert isinstance(claimed, Claim)
    claims.keep(claimed, status=200, headers=HEADERS, body=BODY)
    return IdempotentAnswer.objects.get(pk=claimed.id)


def test_what_is_kept_is_given_again(kept_in: str, asked: Asked) -> None:
    row = made(asked)
    assert BODY[:22] not in media.read(row.media_key)
    again = claim(asked)
    assert isinstance(again, Answer)
    assert (again.status, again.body) == (200, BODY)
    assert again.headers == HEADERS | {"Idempotent-Replayed": "true"}


def test_at_its_end_row_and_file_go(kept_in: str, asked: Asked) -> None:
    row = made(asked)
    assert claims.remove_expired() == 0
    with travel(timezone.now() + timedelta(hours=24, minutes=1)):
        assert claims.remove_expired() == 1
        assert claims.remove_expired() == 0
    assert not media.exists(row.media_key)


def test_a_removal_killed_after_the_file_is_finished_by_the_next(disk: Path, asked: Asked) -> None:
    row = made(asked)
    media.delete(row.media_key)
    with travel(timezone.now() + timedelta(hours=25)):
        assert claims.remove_expired() == 1


def test_files_without_a_row_are_swept_once_they_are_old(disk: Path, asked: Asked) -> None:
    row = made(asked)
    orphan = f"idempotency/{uuid.uuid4()}/{uuid.uuid4()}"
    media.save(orphan, b"left behind")
    media.save("voices/other.wav", b"not ours")
    assert claims.sweep() == 0
    old = time.time() - 26 * 3600
    for name in (orphan, "voices/other.wav"):
        os.utime(disk / name, (old, old))
    assert claims.sweep() == 1
    assert not media.exists(orphan)
    assert media.exists("voices/other.wav")
    assert media.exists(row.media_key)


def test_what_is_old_is_swept_from_either_place(kept_in: str, asked: Asked) -> None:
    row = made(asked)
    with travel(timezone.now() + timedelta(hours=26)):
        assert claims.sweep() >= 1
    assert not media.exists(row.media_key)


def test_who_took_the_key_over_is_not_disturbed_by_who_had_it(disk: Path, asked: Asked) -> None:
    slow = claim(asked)
    assert isinstance(slow, Claim)
    with travel(timezone.now() + timedelta(minutes=14)):
        row = made(asked)
        claims.keep(slow, status=200, headers={}, body=b"late")
        claims.give_up(slow)
        again = claim(asked)
    assert isinstance(again, Answer)
    assert again.body == BODY
    assert [key for key, _ in media.listed("idempotency")] == [row.media_key]


@pytest.mark.parametrize(
    ("age", "silent_for", "is_free"),
    [
        (timedelta(seconds=5), timedelta(minutes=1), False),  # may not have shown life yet
        (timedelta(seconds=15), timedelta(seconds=20), False),
        (timedelta(seconds=40), timedelta(seconds=31), True),
        (timedelta(minutes=12), timedelta(seconds=1), False),
        (timedelta(minutes=14), timedelta(seconds=1), True),
    ],
)
def test_a_call_whose_maker_is_dead_is_made_anew(
    disk: Path, asked: Asked, age: timedelta, silent_for: timedelta, is_free: bool
) -> None:
    claim(asked, process(silent_for=silent_for).id)
    IdempotentAnswer.objects.update(created_at=timezone.now() - age)
    if is_free:
        assert isinstance(claim(asked), Claim)
    else:
        with pytest.raises(Conflict) as refused:
            claim(asked)
        assert refused.value.code == "idempotency_in_progress"


def call(**changed: Any) -> Call:
    values: dict[str, Any] = {
        "method": "POST",
        "path": "/generate",
        "query": {"a": "1", "b": "2"},
        "body": b"{}",
        "headers": {},
        "request_id": "req_1",
        "started": 0.0,
    }
    return Call(**values | changed)


def test_one_call_is_told_from_another_by_method_path_query_and_body() -> None:
    hashes = {
        other.digest()
        for other in (
            call(),
            call(method="PUT"),
            call(path="/generate2"),
            call(query={"a": "1"}),
            call(query={"a": "2", "b": "1"}),
            call(body=b"{} "),
        )
    }
    assert len(hashes) == 6
    same = call(query={"b": "2", "a": "1"}, headers={"x": "y"}, request_id="req_2", started=1.0)
    assert same.digest() == call().digest()
