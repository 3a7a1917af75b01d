"""/api/history: found, heard and deleted by a key that manages or a signed-in person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.core import media
from apps.keys import identity
from apps.tts.models import HistoryItem
from tests.cast import acme, alice, bob, charlie, globex, signed_in
from tests.keys.api_client import ApiClient, error_of, issue
from tests.tts.history_rows import AUDIO, item
from voiceflow.settings.media import storage

__all__ = ["acme", "alice", "bob", "charlie", "globex"]


@pytest.fixture(autouse=True)
def disk(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}


def texts(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [found["text"] for found in answer.json()["results"]]


def test_an_item_is_listed_with_all_of_it_but_its_audio(acme: Organization) -> None:
    api = ApiClient(acme)
    row = item(acme, "Hello.", key=api.issued.key, options={"speed": 1.25}, format="opus")
    (listed,) = api.get("/api/history").json()["results"]
    assert listed == {
        "id": str(row.pk),
        "request_id": "req_1",
        "mode": "live",
        "surface": "generate",
        "key_id": str(api.issued.key.pk),
        "model": "hibari",
        "voice": "heart",
        "format": "opus",
        "options": {"speed": 1.25},
        "text": "Hello.",
        "characters": 6,
        "audio_ms": 1200,
        "size_bytes": len(AUDIO),
        "content_type": "audio/ogg",
        "created_at": listed["created_at"],
        "expires_at": listed["expires_at"],
    }
    assert datetime.fromisoformat(listed["created_at"]) == row.created_at


def test_it_is_searched_and_paged(acme: Organization) -> None:
    api = ApiClient(acme)
    for day in range(1, 6):
        item(
            acme,
            f"Part {day}.",
            at=datetime(2026, 3, day, tzinfo=UTC),
            expires_at=timezone.now() + timedelta(days=1),
        )
    assert texts(api.get("/api/history", q="part 3")) == ["Part 3."]
    assert texts(api.get("/api/history", start="2026-03-04", end="2026-03-04")) == ["Part 4."]
    first = api.get("/api/history", page_size=2)
    assert texts(first) == ["Part 5.", "Part 4."]
    assert texts(api.get(first.json()["next"])) == ["Part 3.", "Part 2."]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"start": "yesterday"}, "start"),
        ({"end": "3000-01-01"}, "end"),
        ({"start": "2026-03-02", "end": "2026-03-01"}, None),
        ({"q": "x" * 201}, "q"),
        ({"q": "nul \x00 inside"}, "q"),
        ({"cursor": "nonsense"}, "cursor"),
    ],
)
def test_what_makes_no_sense_is_refused(acme: Organization, query: dict[str, str], param: str | None) -> None:
    assert error_of(ApiClient(acme).get("/api/history", **query), 400)["param"] == param


def test_the_audio_of_one_is_fetched_by_its_link(acme: Organization, settings: Any) -> None:
    row = item(acme)
    found = ApiClient(acme).get(f"/api/history/{row.pk}").json()
    assert found["audio_url"].startswith(settings.BASE_URL)
    fetched: Any = Client().get(found["audio_url"].removeprefix(settings.BASE_URL))
    assert b"".join(fetched.streaming_content) == AUDIO
    assert fetched.headers["Content-Type"] == "audio/wav"
    assert row.filename in fetched.headers["Content-Disposition"]
    in_an_hour = datetime.fromisoformat(found["audio_url_expires_at"]) - timezone.now()
    assert timedelta(minutes=59) < in_an_hour <= timedelta(hours=1)


def test_without_audio_there_is_no_link(acme: Organization) -> None:
    found = ApiClient(acme).get(f"/api/history/{item(acme, size_bytes=0).pk}").json()
    assert (found["audio_url"], found["audio_url_expires_at"]) == (None, None)


def test_one_is_deleted(acme: Organization) -> None:
    api, row = ApiClient(acme), item(acme)
    assert api.delete(f"/api/history/{row.pk}").status_code == 204
    assert not media.exists(row.media_key)
    assert error_of(api.delete(f"/api/history/{row.pk}"), 404)["code"] == "not_found"
    assert error_of(api.get(f"/api/history/{row.pk}"), 404)


def test_all_are_deleted_where_that_is_meant(acme: Organization, globex: Organization) -> None:
    api = ApiClient(acme)
    for _ in range(3):
        item(acme)
    other = item(globex)
    for query in ("", "?confirm=", "?confirm=true", "?all=1"):
        assert error_of(api.delete(f"/api/history{query}"), 400)["param"] == "confirm"
    assert texts(api.get("/api/history"))
    assert api.delete("/api/history?confirm=all").json() == {"deleted": 3}
    assert texts(api.get("/api/history")) == []
    assert api.delete("/api/history?confirm=all").json() == {"deleted": 0}
    assert HistoryItem.objects.shown(globex).get() == other


def test_another_organizations_are_not_there(acme: Organization, globex: Organization) -> None:
    row, api = item(acme), ApiClient(globex)
    assert texts(api.get("/api/history")) == []
    assert error_of(api.get(f"/api/history/{row.pk}"), 404)
    assert error_of(api.delete(f"/api/history/{row.pk}"), 404)
    assert HistoryItem.objects.filter(pk=row.pk).exists()


def test_it_takes_a_key_that_manages(acme: Organization) -> None:
    row = item(acme)
    api = ApiClient(acme, scopes=["speech"])
    for answer in (
        api.get("/api/history"),
        api.get(f"/api/history/{row.pk}"),
        api.delete("/api/history?confirm=all"),
    ):
        assert error_of(answer, 403)["code"] == "missing_scope"


def test_a_member_hears_and_an_owner_deletes(acme: Organization, alice: User, bob: User) -> None:
    row = item(acme)
    member, owner = signed_in(bob), signed_in(alice)
    assert texts(member.get("/api/history")) == ["Hello there."]
    assert member.delete(f"/api/history/{row.pk}").status_code == 403
    assert member.delete("/api/history?confirm=all").status_code == 403
    assert owner.delete(f"/api/history/{row.pk}").status_code == 204
    assert Client().get("/api/history").status_code == 401


def test_a_list_costs_the_same_however_long(acme: Organization, django_assert_num_queries: Any) -> None:
    issued = issue(acme)
    for _ in range(10):
        item(acme)
    client = Client(headers={"X-API-Key": issued.secret})
    client.get("/api/history")
    identity.cache.clear()
    with django_assert_num_queries(3):
        client.get("/api/history")


def test_staff_see_that_and_not_what(acme: Organization, settings: Any) -> None:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    row = item(acme, "Nobody else may read this.", options={"language": "en-GB"})
    staff = signed_in(User.objects.create_superuser("sam@staff.example"))
    for path in ("/admin/tts/historyitem/", f"/admin/tts/historyitem/{row.pk}/change/"):
        page = staff.get(path).content.decode()
        assert "req_1" in page
        for secret in ("Nobody", "nobody", row.media_key, "en-GB"):
            assert secret not in page
