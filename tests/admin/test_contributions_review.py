"""Clips in admin: the queue for reviewing them, the list, and what is heard and seen of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Organization, User
from apps.contributions import deciding, ledger, review_queue
from apps.contributions.models import Campaign, Clip, Contributor, Decision, Vote
from apps.core import media
from tests.cast import signed_in
from tests.contributions import collecting
from tests.contributions.sounds import flac
from tests.voices.conftest import media_folder

__all__ = ["media_folder"]

CLIPS = "/admin/contributions/clip/"
QUEUE = f"{CLIPS}review/queue/"
HOSTILE = "<script>alert(1)</script>"
QUIET = [
    {"name": "loudness", "value": -38.0, "unit": "LUFS", "verdict": "review", "words": "A little quiet."}
]


@pytest.fixture
def campaign(acme: Organization) -> Campaign:
    return collecting.campaign(acme, name="Winter")


@pytest.fixture
def dora() -> Contributor:
    return collecting.speaker("dora")


@pytest.fixture
def clips(campaign: Campaign, dora: Contributor) -> list[Clip]:
    """Three in review; they wait in this order."""
    prompts = campaign.prompts.all()
    return [
        collecting.clip(dora, prompts[0], report=QUIET, transcript="This is sentence number ten, sir."),
        collecting.clip(dora, prompts[1]),
        collecting.clip(collecting.speaker(), prompts[2]),
    ]


def decide(client: Client, clip: Clip, to: str, reason: str = "", query: str = "") -> Any:
    return client.post(f"{CLIPS}review/{clip.pk}/decide{query}", {"to": to, "reason": reason})


def shown_in(response: Any) -> Any:
    assert response.status_code == 200
    return response.context["clip"]


# ---- the queue ---------------------------------------------------------------------------------------
def test_the_queue_begins_with_what_waits_longest(staff: Client, clips: list[Clip]) -> None:
    response = staff.get(QUEUE)
    assert shown_in(response) == clips[0]
    html = response.content.decode()
    assert "3 in the queue" in html
    for key in "anu123456":
        assert f'data-key="{key}"' in html
    assert '<del title="not heard">zero</del>' in html
    assert '<ins title="heard, not written">sir</ins>' in html
    assert "-38.00 LUFS" in html
    assert "A little quiet." in html
    assert clips[1].prompt.text in html  # what else the speaker recorded


def test_deciding_goes_on_to_the_next(staff: Client, sam: User, clips: list[Clip]) -> None:
    response = decide(staff, clips[0], "accepted")
    assert shown_in(response) == clips[1]
    assert "<html" not in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    response = decide(staff, clips[1], "rejected", review_queue.REASONS[1])
    assert shown_in(response) == clips[2]
    for clip in clips:
        clip.refresh_from_db()
    assert [clip.state for clip in clips] == ["accepted", "rejected", "in_review"]
    assert clips[1].reason == review_queue.REASONS[1]
    assert {decision.by for decision in Decision.objects.all()} == {sam}
    assert LogEntry.objects.filter(object_id=clips[0].pk).count() == 1
    assert shown_in(decide(staff, clips[2], "accepted")) is None
    assert ledger.flaws() == []


def test_no_clip_is_rejected_without_a_reason(staff: Client, clips: list[Clip]) -> None:
    for to, reason in (("rejected", ""), ("rejected", "  "), ("withdrawn", "x"), ("", "x")):
        response = decide(staff, clips[0], to, reason)
        assert shown_in(response) == clips[0]
        assert "Say why it is rejected" in response.content.decode()
    assert not Decision.objects.exists()


def test_who_is_second_is_told_and_goes_on(staff: Client, clips: list[Clip]) -> None:
    deciding.decide(clips[0], to=Clip.State.REJECTED, source=Decision.Source.STAFF, reason="Noise.")
    response = decide(staff, clips[0], "accepted")
    assert shown_in(response) == clips[1]
    assert "The clip is rejected. Nothing was changed." in response.content.decode()


def test_next_skips_and_comes_to_an_end(staff: Client, clips: list[Clip]) -> None:
    assert shown_in(staff.get(f"{CLIPS}review/next", {"after": str(clips[0].pk)})) == clips[1]
    response = staff.get(f"{CLIPS}review/next", {"after": str(clips[2].pk)})
    assert shown_in(response) is None
    assert "3 clips that you skipped still wait" in response.content.decode()
    assert shown_in(staff.get(f"{CLIPS}review/next", {"after": "nonsense"})) == clips[0]


def test_undoing_takes_back_ones_own_last_and_then_the_one_before(
    staff: Client, clips: list[Clip], dora: Contributor
) -> None:
    decide(staff, clips[0], "accepted")
    decide(staff, clips[1], "rejected", "Noise.")
    other = signed_in(User.objects.create_superuser("tom@staff.example"))
    decide(other, clips[2], "accepted")
    assert shown_in(staff.post(f"{CLIPS}review/undo")) == clips[1]
    assert shown_in(staff.post(f"{CLIPS}review/undo")) == clips[0]
    assert ledger.balance(dora).earned == 0
    response = staff.post(f"{CLIPS}review/undo", {"clip": str(clips[0].pk)})
    assert shown_in(response) == clips[0]
    assert "nothing of the last 24 hours" in response.content.decode()
    for clip in clips:
        clip.refresh_from_db()
    assert [(clip.state, clip.round) for clip in clips] == [
        ("in_review", 2),
        ("in_review", 2),
        ("accepted", 1),
    ]
    assert ledger.flaws() == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"measure": "loudness"}, [0]),
        ({"measure": "loudness", "verdict": "review"}, [0]),
        ({"measure": "loudness", "verdict": "reject"}, []),
        ({"verdict": "review"}, [0]),
        ({"reported": "yes"}, [1]),
        ({"state": "accepted"}, []),
        ({"state": "nonsense", "measure": "nonsense", "campaign": "nonsense"}, [0, 1, 2]),
    ],
)
def test_filters(staff: Client, clips: list[Clip], query: dict[str, str], expected: list[int]) -> None:
    deciding.report_clip(collecting.speaker(), clips[1], HOSTILE)
    response = staff.get(QUEUE, query)
    assert response.context["left"] == len(expected)
    assert shown_in(response) == (clips[expected[0]] if expected else None)
    assert "<script>alert" not in response.content.decode()


def test_the_queue_of_one_campaign(staff: Client, acme: Organization, clips: list[Clip]) -> None:
    other = collecting.clip(collecting.speaker(), collecting.campaign(acme).prompts.all()[0])
    query = {"campaign": str(other.campaign_id)}
    response = staff.get(QUEUE, query)
    assert shown_in(response) == other
    assert f"?campaign={other.campaign_id}" in response.content.decode()
    assert shown_in(decide(staff, other, "accepted", query=f"?campaign={other.campaign_id}")) is None


def test_one_clip_by_name(staff: Client, clips: list[Clip]) -> None:
    assert shown_in(staff.get(QUEUE, {"clip": str(clips[2].pk)})) == clips[2]
    assert shown_in(staff.get(QUEUE, {"clip": "nonsense"})) == clips[0]
    decide(staff, clips[2], "accepted")
    html = staff.get(QUEUE, {"clip": str(clips[2].pk)}).content.decode()
    assert "It is decided." in html
    assert 'data-key="a"' not in html


def test_hostile_words_are_shown_as_words(staff: Client, clips: list[Clip]) -> None:
    Clip.objects.filter(pk=clips[0].pk).update(
        reason=HOSTILE, transcript=HOSTILE, report=[{"name": HOSTILE, "words": HOSTILE, "verdict": HOSTILE}]
    )
    for url in (QUEUE, CLIPS, f"{CLIPS}{clips[0].pk}/change/"):
        html = staff.get(url).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;" in html


def test_queries_of_the_queue_do_not_grow(staff: Client, campaign: Campaign, clips: list[Clip]) -> None:
    def count(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            staff.get(url)
        return len(queries)

    before = [count(url) for url in (QUEUE, CLIPS)] and [count(url) for url in (QUEUE, CLIPS)]
    for _ in range(6):
        made = collecting.clip(collecting.speaker(), campaign.prompts.all()[3])
        deciding.vote(collecting.speaker(), made, is_valid=True)
        Vote.objects.create(clip=clips[0], voter=collecting.speaker(), round=1, is_valid=True)
    assert [count(url) for url in (QUEUE, CLIPS)] == before


# ---- the list ----------------------------------------------------------------------------------------
def bulk(client: Client, action: str, *clips: Clip, **more: str) -> str:
    body = {"action": action, "_selected_action": [str(clip.pk) for clip in clips], **more}
    response = client.post(CLIPS, body, follow=True)
    assert response.status_code == 200
    return str(response.content.decode())


def test_many_are_rejected_with_one_reason(staff: Client, clips: list[Clip]) -> None:
    asked = bulk(staff, "reject", *clips[:2])
    assert "Reject 2 clips" in asked
    assert not Decision.objects.exists()
    assert "This field is required." in bulk(staff, "reject", *clips[:2], reason=" ")
    assert "2: Rejected: Noise." in bulk(staff, "reject", *clips[:2], reason="Noise.")
    assert set(Clip.objects.values_list("state", "reason")) == {("rejected", "Noise."), ("in_review", "")}
    assert "2: Taken back: Sorry." in bulk(staff, "undo", *clips[:2], reason="Sorry.")
    shown = bulk(staff, "accept", *clips, reason="")
    assert "3: Accepted." in shown
    assert ledger.flaws() == []


def test_what_cannot_be_decided_holds_no_other_back(staff: Client, clips: list[Clip]) -> None:
    deciding.decide(clips[0], to=Clip.State.REJECTED, source=Decision.Source.STAFF, reason="Noise.")
    shown = bulk(staff, "accept", *clips[:2], reason="")
    assert "The clip is rejected." in shown
    assert "1: Accepted." in shown


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"measure": "loudness"}, [0]),
        ({"measure": "loudness", "verdict": "accept"}, []),
        ({"verdict": "review"}, [0]),
        ({"q": "number two"}, [2]),
        ({"state__exact": "accepted"}, []),
    ],
)
def test_finding(staff: Client, clips: list[Clip], query: dict[str, str], expected: list[int]) -> None:
    rows = staff.get(CLIPS, query).context["cl"].result_list
    assert [row.pk for row in rows] == [clips[number].pk for number in expected]


def test_clips_of_a_speaker(staff: Client, clips: list[Clip], dora: Contributor) -> None:
    for query in ({"q": str(dora.pk)}, {"contributor__id__exact": str(dora.pk)}):
        rows = staff.get(CLIPS, query).context["cl"].result_list
        assert {row.pk for row in rows} == {clips[0].pk, clips[1].pk}


# ---- what is heard and seen --------------------------------------------------------------------------
@pytest.fixture
def heard(clips: list[Clip], media_folder: Path) -> Clip:
    media.save("clips/a.flac", flac())
    media.save("clips/original", HOSTILE.encode() * 10)
    Clip.objects.filter(pk=clips[0].pk).update(flac_key="clips/a.flac", original_key="clips/original")
    return clips[0]


def test_a_clip_is_heard_whole_and_in_part(staff: Client, heard: Clip) -> None:
    response = staff.get(f"{CLIPS}{heard.pk}/audio.flac")
    assert response.headers["Content-Type"] == "audio/flac"
    assert b"".join(response.streaming_content)[:4] == b"fLaC"  # type: ignore[attr-defined]
    response = staff.get(f"{CLIPS}{heard.pk}/audio.flac", headers={"Range": "bytes=0-3"})
    assert response.status_code == 206


def test_the_original_is_saved_and_never_shown(staff: Client, heard: Clip) -> None:
    response = staff.get(f"{CLIPS}{heard.pk}/original")
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert LogEntry.objects.filter(object_id=heard.pk, change_message="Fetched its original.").exists()


def test_pictures(staff: Client, heard: Clip) -> None:
    wave = staff.get(f"{CLIPS}{heard.pk}/waveform.svg")
    assert wave.headers["Content-Type"] == "image/svg+xml"
    assert wave.content.startswith(b"<svg")
    spectrum = staff.get(f"{CLIPS}{heard.pk}/spectrogram.png")
    assert spectrum.content.startswith(b"\x89PNG")
    html = staff.get(QUEUE).content.decode()
    assert f"{CLIPS}{heard.pk}/spectrogram.png" in html
    assert f"{CLIPS}{heard.pk}/audio.flac" in html


def test_what_is_not_there_is_404(staff: Client, clips: list[Clip], heard: Clip) -> None:
    for name in ("audio.flac", "original", "waveform.svg", "spectrogram.png"):
        assert staff.get(f"{CLIPS}{clips[1].pk}/{name}").status_code == 404
    media.delete("clips/a.flac")
    for name in ("audio.flac", "waveform.svg", "spectrogram.png"):
        assert staff.get(f"{CLIPS}{heard.pk}/{name}").status_code == 404


# ---- who may what ------------------------------------------------------------------------------------
def test_who_may_only_look_decides_nothing(heard: Clip) -> None:
    viewer = User.objects.create_user("viewer@staff.example", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_clip"))
    client = signed_in(viewer)
    html = client.get(QUEUE).content.decode()
    assert "You may look at clips and not decide." in html
    assert 'data-key="a"' not in html
    assert client.get(f"{CLIPS}{heard.pk}/audio.flac").status_code == 200
    assert decide(client, heard, "accepted").status_code == 403
    assert client.post(f"{CLIPS}review/undo").status_code == 403
    bulk(client, "reject", heard, reason="Noise.")
    assert not Decision.objects.exists()


def test_others_see_and_hear_nothing(clerk: Client, alice: User, heard: Clip) -> None:
    names = ("audio.flac", "original", "waveform.svg", "spectrogram.png")
    for url in (QUEUE, f"{CLIPS}review/next", *(f"{CLIPS}{heard.pk}/{name}" for name in names)):
        assert clerk.get(url).status_code == 403
        assert signed_in(alice).get(url).status_code == 302
    assert decide(clerk, heard, "accepted").status_code == 403
    assert clerk.get(f"{CLIPS}{heard.pk}/change/").status_code == 403


def test_deciding_needs_a_token_and_a_post(sam: User, clips: list[Clip]) -> None:
    client = signed_in(sam, enforce_csrf_checks=True)
    assert decide(client, clips[0], "accepted").status_code == 403
    assert client.get(f"{CLIPS}review/{clips[0].pk}/decide").status_code == 405
    assert client.get(f"{CLIPS}review/undo").status_code == 405


def test_the_dashboard_tells_what_waits(staff: Client, clips: list[Clip]) -> None:
    assert "3 clips to review" in staff.get("/admin/numbers").content.decode()
    Clip.objects.update(state="checking")
    shown = staff.get("/admin/numbers").content.decode()
    assert "nothing to review" in shown
    assert "3 being checked" in shown
