"""Pages of the history: alice owns acme, bob is a member there, charlie is an outsider."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.accounts.services import set_history_days
from apps.core import media
from apps.keys.services import issue_key
from apps.tts.models import HistoryItem
from tests.cast import acme, alice, bob, charlie, globex, signed_in
from tests.console.deployed import deployed
from tests.tts.history_rows import AUDIO, item
from tests.voices.recordings import clone
from voiceflow.settings.media import storage

__all__ = ["acme", "alice", "bob", "charlie", "globex"]


@pytest.fixture(autouse=True)
def disk(settings: Any, tmp_path: Path) -> Path:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    settings.STORAGES = settings.STORAGES | {"default": storage({"S3_BUCKET": "", "VAR_DIR": tmp_path})}
    return tmp_path / "media"


def page(user: User, path: str = "/history") -> str:
    response = signed_in(user).get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_off_it_says_what_it_is_and_who_turns_it_on(acme: Organization, alice: User, bob: User) -> None:
    html = page(alice)
    assert "History is off" in html
    assert 'href="/settings#history"' in html
    assert "Delete all" not in html
    html = page(bob)
    assert "An owner or an admin of Acme can turn it on" in html
    assert "Turn on history" not in html


def test_on_and_empty_it_says_what_will_fill_it(acme: Organization, alice: User) -> None:
    set_history_days(organization=acme, days=30)
    html = page(alice)
    assert "Nothing kept yet" in html
    assert "the last 30 days" in html
    assert 'href="/playground"' in html


def test_what_is_kept_is_listed_to_be_heard(acme: Organization, alice: User) -> None:
    set_history_days(organization=acme, days=30)
    key = issue_key(organization=acme, name="Reader", mode="test", scopes=["speech"], created_by=alice).key
    heard = item(acme, "The quick <brown> fox.", key=key, mode="test")
    silent = item(acme, "Too long.", surface="playground", size_bytes=0)
    html = page(alice)
    assert "The quick &lt;brown&gt; fox." in html
    assert "Reader" in html
    assert "Test" in html
    assert "Playground" in html
    assert f'data-src="/history/{heard.pk}/audio"' in html
    assert f'data-src="/history/{silent.pk}/audio"' not in html
    assert "not kept" in html


def test_it_is_searched_and_filtered_by_days(acme: Organization, alice: User) -> None:
    for day in (1, 2):
        at = datetime(2026, 3, day, tzinfo=UTC)
        item(acme, f"Chapter {day}.", at=at, expires_at=timezone.now() + timedelta(days=1))
    html = page(alice, "/history?q=chapter+2")
    assert "Chapter 2." in html
    assert "Chapter 1." not in html
    assert "Chapter 1." in page(alice, "/history?start=2026-03-01&end=2026-03-01")
    html = page(alice, "/history?q=nowhere")
    assert "No text matches" in html
    assert "Clear the filters" in html
    html = page(alice, "/history?start=yesterday")
    assert "Shown is all there is." in html
    assert "Chapter 1." in html


def test_turned_off_with_items_it_says_so(acme: Organization, alice: User, bob: User) -> None:
    item(acme)
    html = page(alice)
    assert "Nothing more is kept" in html
    assert html.count('href="/history/delete"') == 2
    assert "/history/delete" not in page(bob)


def test_queries_of_the_list(acme: Organization, alice: User, django_assert_num_queries: Any) -> None:
    key = issue_key(organization=acme, name="Reader", mode="live", scopes=["speech"], created_by=alice).key
    for number in range(10):
        item(acme, f"Text {number}.", key=key)
    client = signed_in(alice)
    with django_assert_num_queries(5):
        client.get("/history")


def test_one_is_shown_whole(acme: Organization, bob: User) -> None:
    text = "A long text. " * 50
    row = item(acme, text, options={"speed": 1.25})
    html = page(bob, f"/history/{row.pk}")
    assert text in html
    assert "1.25" in html
    assert "req_1" in html
    assert f'href="/playground?again={row.pk}"' in html
    assert "button-danger" not in html


def test_its_audio_is_played_in_parts(acme: Organization, bob: User) -> None:
    row = item(acme)
    client = signed_in(bob)
    whole: Any = client.get(f"/history/{row.pk}/audio")
    assert b"".join(whole.streaming_content) == AUDIO
    assert whole.headers["Content-Type"] == "audio/wav"
    part: Any = client.get(f"/history/{row.pk}/audio", headers={"Range": "bytes=5-"})
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == AUDIO[5:]
    media.delete(row.media_key)
    assert client.get(f"/history/{row.pk}/audio").status_code == 404


def test_deleting_one_asks_first(acme: Organization, alice: User) -> None:
    row, client = item(acme, "Gone soon."), signed_in(alice)
    path = f"/history/{row.pk}/delete"
    assert "cannot be undone" in client.get(path).content.decode()
    assert HistoryItem.objects.exists()
    html = client.post(path, follow=True).content.decode()
    assert "is deleted" in html
    assert not HistoryItem.objects.exists()
    assert not media.exists(row.media_key)


def test_what_could_not_be_deleted_is_still_there(acme: Organization, alice: User, settings: Any) -> None:
    row = item(acme)
    nowhere = {"S3_BUCKET": "x", "S3_ENDPOINT_URL": "http://127.0.0.1:9", "S3_REGION": "us-east-1"}
    nowhere |= {"S3_ACCESS_KEY_ID": "x", "S3_SECRET_ACCESS_KEY": "x"}
    settings.STORAGES = settings.STORAGES | {"default": storage(nowhere)}
    settings.S3_BUCKET = "x"
    response = signed_in(alice).post(f"/history/{row.pk}/delete")
    assert response.status_code == 503
    assert "Not deleted." in response.content.decode()
    assert HistoryItem.objects.filter(pk=row.pk).exists()


def test_deleting_all_asks_for_the_name(acme: Organization, globex: Organization, alice: User) -> None:
    item(acme)
    other, client = item(globex), signed_in(alice)
    assert "Type Acme to confirm" in client.get("/history/delete").content.decode()
    refused = client.post("/history/delete", {"name": "acme"})
    assert refused.status_code == 400
    assert "This is not its name" in refused.content.decode()
    assert HistoryItem.objects.shown(acme).exists()
    html = client.post("/history/delete", {"name": "Acme"}, follow=True).content.decode()
    assert "The history is deleted." in html
    assert not HistoryItem.objects.shown(acme).exists()
    assert HistoryItem.objects.shown(globex).get() == other


def test_members_do_not_delete(acme: Organization, bob: User) -> None:
    row, client = item(acme), signed_in(bob)
    for path in ("/history/delete", f"/history/{row.pk}/delete"):
        assert client.get(path).status_code == 403
        assert client.post(path, {"name": "Acme"}).status_code == 403
    assert HistoryItem.objects.exists()


def test_outsiders_find_nothing(acme: Organization, globex: Organization, charlie: User) -> None:
    row, client = item(acme), signed_in(charlie)
    for path in ("", "/audio", "/delete"):
        assert client.get(f"/history/{row.pk}{path}").status_code == 404
    assert client.post(f"/history/{row.pk}/delete").status_code == 404
    assert "Hello there." not in client.get("/history").content.decode()
    assert "Hello there." not in client.get(f"/playground?again={row.pk}").content.decode()


def test_the_playground_speaks_it_again(acme: Organization, alice: User) -> None:
    deployed("one", model="hibari", voices=["heart", "kore"])
    deployed("two", model="chatterbox", voices=["heart"])
    row = item(acme, "Say <this> again.", model="hibari", voice="kore", options={"speed": 1.25})
    html = page(alice, f"/playground?again={row.pk}")
    assert "Say &lt;this&gt; again.</textarea>" in html
    assert '<option value="kore" data-model="hibari" selected>' in html
    assert '<option value="hibari" selected>' in html
    assert html.count(" selected>") == 2
    assert 'step="0.05" value="1.25"' in html
    row = item(acme, "By another.", model="hibari", voice="gone")
    html = page(alice, f"/playground?again={row.pk}")
    assert '<option value="gone" data-model="hibari" selected>gone</option>' in html
    for nonsense in ("1", "", "' OR 1"):
        assert 'step="0.05" value="1"' in page(alice, f"/playground?again={nonsense}")


def test_a_cloned_voice_is_told_by_its_name(acme: Organization, alice: User) -> None:
    deployed("one", model="chatterbox", voices=["heart"])
    voice = clone(acme, alice)
    row = item(acme, "Hello.", model="chatterbox", voice=str(voice.pk))
    for path in ("/history", f"/history/{row.pk}", f"/playground?again={row.pk}"):
        assert voice.name in page(alice, path)


def test_settings_turn_it_on_and_off(acme: Organization, alice: User, bob: User) -> None:
    client = signed_in(alice)
    before = acme.policy_version
    html = client.post("/settings/history", {"history_days": "30"}, follow=True).content.decode()
    assert "Requests are kept from now on, for 30 days." in html
    assert '<option value="30" selected>' in html
    acme.refresh_from_db()
    assert acme.history_days == 30
    assert acme.policy_version > before
    html = client.post("/settings/history", {"history_days": "0"}, follow=True).content.decode()
    assert "What was kept goes when its days are over." in html
    assert client.post("/settings/history", {"history_days": "31"}).status_code == 400
    assert signed_in(bob).post("/settings/history", {"history_days": "30"}).status_code == 403
    acme.refresh_from_db()
    assert acme.history_days == 0


def test_settings_show_what_staff_chose(acme: Organization, alice: User, bob: User) -> None:
    set_history_days(organization=acme, days=45)
    assert '<option value="45" selected>For 45 days</option>' in page(alice, "/settings")
    assert "kept for 45 days" in page(bob, "/settings")
