"""What a history holds in the long run: words are found, days end, files go with their rows."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from time_machine import travel

from apps.accounts.models import Organization
from apps.accounts.services import set_history_days
from apps.core import media
from apps.core.errors import InvalidRequest
from apps.tts.history import items
from apps.tts.history.listing import listed
from apps.tts.models import HistoryItem
from tests.cast import acme, alice, charlie, globex
from tests.tts.history_rows import item
from voiceflow.settings.media import storage

__all__ = ["acme", "alice", "charlie", "globex"]


@pytest.fixture(autouse=True)
def disk(settings: Any, tmp_path: Path) -> Path:
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}
    return tmp_path / "media"


def ago(**distance: float) -> datetime:
    return timezone.now() - timedelta(**distance)


def found(organization: Organization, q: str = "", **days: date) -> list[str]:
    return [found.text for found in listed(organization, q=q, **days)]


@pytest.mark.parametrize(
    ("q", "is_found"),
    [
        ("quick", True),
        ("QUICK brown", True),
        ("brown quick", True),
        ("qui", True),
        ("uick", False),
        ("quick purple", False),
        ("3.50", True),
        ("don't", True),
        ("ada@example.com", True),
        ("well-known", True),
        ("known", True),
        ("größe", True),
        ("你好", True),
        ("'", False),
        ("\\", False),
        ("& | !", False),
        ("quick & !brown", True),  # words, no operators; those without letters say nothing
        ("", True),
        ("   ", True),
    ],
)
def test_words_are_found_by_their_beginnings(acme: Organization, q: str, is_found: bool) -> None:
    item(
        acme,
        "The quick brown fox paid $3.50; don't tell ada@example.com, the well-known. Größe, 你好世界。",
    )
    assert bool(found(acme, q)) is is_found


@hypothesis_settings(
    max_examples=100,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(q=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=200))
def test_whatever_is_searched_for_is_no_error(acme: Organization, q: str) -> None:
    found(acme, q)


def test_what_was_searched_for_is_found_among_ones_own(acme: Organization, globex: Organization) -> None:
    item(acme, "A secret of acme.")
    item(globex, "A secret of globex.")
    assert found(acme, "secret") == ["A secret of acme."]
    assert found(globex) == ["A secret of globex."]


def test_days_are_utc_and_both_included(acme: Organization) -> None:
    for day in (1, 2, 3):
        item(
            acme,
            f"day {day}",
            at=datetime(2026, 3, day, 23, 59, 59, tzinfo=UTC),
            expires_at=timezone.now() + timedelta(days=1),
        )
    assert found(acme) == ["day 3", "day 2", "day 1"]
    assert found(acme, start=date(2026, 3, 2)) == ["day 3", "day 2"]
    assert found(acme, end=date(2026, 3, 2)) == ["day 2", "day 1"]
    assert found(acme, start=date(2026, 3, 2), end=date(2026, 3, 2)) == ["day 2"]


def test_when_its_days_are_over_an_item_is_not_seen_and_soon_not_there(acme: Organization) -> None:
    row = item(acme)
    assert items.remove_expired() == 0
    with travel(timezone.now() + timedelta(days=30, minutes=1)):
        assert found(acme) == []
        assert items.remove_expired() == 1
        assert items.remove_expired() == 0
    assert not media.exists(row.media_key)


def test_fewer_days_hold_for_what_is_there_more_do_not(acme: Organization) -> None:
    set_history_days(organization=acme, days=30)
    old = item(acme, "ten days", at=ago(days=10))
    item(acme, "two days", at=ago(days=2))
    set_history_days(organization=acme, days=7)
    assert found(acme) == ["two days"]
    set_history_days(organization=acme, days=90)
    assert found(acme) == ["two days", "ten days"]
    assert HistoryItem.objects.get(pk=old.pk).expires_at == old.expires_at
    set_history_days(organization=acme, days=7)
    assert items.remove_expired() == 1
    assert not media.exists(old.media_key)
    assert found(acme) == ["two days"]


def test_turning_it_off_removes_nothing_before_its_time(acme: Organization) -> None:
    set_history_days(organization=acme, days=30)
    item(acme, at=ago(days=20))
    set_history_days(organization=acme, days=0)
    assert items.remove_expired() == 0
    assert len(found(acme)) == 1


def test_a_removal_that_was_killed_after_the_file_is_finished_by_the_next(acme: Organization) -> None:
    row = item(acme, expires_at=ago(minutes=1))
    media.delete(row.media_key)
    assert items.remove_expired() == 1


def test_more_than_a_batch_is_removed(acme: Organization) -> None:
    for _ in range(205):
        item(acme, size_bytes=0, expires_at=ago(minutes=1))
    kept = item(acme, "kept")
    assert items.remove_expired() == 205
    assert list(HistoryItem.objects.all()) == [kept]


def test_one_is_deleted_with_its_file(acme: Organization) -> None:
    row, other = item(acme), item(acme)
    items.delete_item(item=row)
    assert list(HistoryItem.objects.all()) == [other]
    assert not media.exists(row.media_key)
    assert media.exists(other.media_key)


def test_all_is_out_of_sight_and_its_words_are_gone_at_once(
    acme: Organization, globex: Organization, django_capture_on_commit_callbacks: Any
) -> None:
    rows = [item(acme, f"secret {number}", options={"language": "en"}) for number in range(3)]
    item(acme, "over already", expires_at=ago(days=1))
    other = item(globex, "secret of another")
    with django_capture_on_commit_callbacks(execute=True):
        assert items.delete_all(organization=acme) == 3
    assert found(acme) == []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT text, options::text, search::text FROM tts_historyitem WHERE organization_id = %s",
            [acme.pk],
        )
        assert set(cursor.fetchall()) == {("", "{}", "")}
    assert items.remove_expired() == 4
    assert not any(media.exists(row.media_key) for row in rows)
    assert found(globex) == ["secret of another"]
    assert media.exists(other.media_key)


def test_files_without_a_row_are_swept(acme: Organization, disk: Path) -> None:
    row = item(acme)
    orphan, young = (f"history/{acme.pk}/{uuid.uuid4()}" for _ in range(2))
    for key in (orphan, young):
        media.save(key, b"left behind")
    old = time.time() - 2 * 3600
    for key in (orphan, row.media_key):
        os.utime(disk / key, (old, old))
    assert items.sweep() == 1
    assert not media.exists(orphan)
    assert media.exists(young)
    assert media.exists(row.media_key)


@pytest.mark.parametrize("days", [-1, 366])
def test_days_have_bounds(acme: Organization, days: int) -> None:
    with pytest.raises(InvalidRequest) as refused:
        set_history_days(organization=acme, days=days)
    assert refused.value.param == "history_days"


@pytest.mark.slow
def test_a_hundred_thousand_are_searched_beside_those_of_others(
    acme: Organization, globex: Organization
) -> None:
    """Words of every text, of a few, of none: what a search reads is bounded by its own organization."""
    for organization, count in ((acme, 100_000), (globex, 200_000)):
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO tts_historyitem (id, organization_id, request_id, mode, surface, model, voice,
                    format, options, text, characters, audio_ms, size_bytes, expires_at)
                SELECT gen_random_uuid(), %s, 'req', 'live', 'generate', 'm', 'v', 'wav', '{}',
                    'common ' || repeat(md5(n::text) || ' words of some length ', 6)
                        || CASE WHEN n %% 20000 = 0 THEN 'rare' ELSE '' END,
                    300, 1000, 0, now() + interval '1 day'
                FROM generate_series(1, %s) AS n
                """,
                [organization.pk, count],
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tts_historyitem")
    for q, count in (("common", 50), ("rare", 5), ("rar", 5), ("nowhere", 0), ("common rare", 5)):
        assert "Seq Scan" not in listed(acme, q=q)[:50].explain()
        began = time.perf_counter()
        assert len(listed(acme, q=q)[:50]) == count
        assert time.perf_counter() - began < 2, q
