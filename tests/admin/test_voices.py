"""Voices in admin: found, heard, suspended by staff who may; consents looked at and never changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from apps.accounts.models import Organization, User
from apps.core import media
from apps.voices.models import Voice, VoiceConsent
from apps.voices.services import set_preview, suspend_voice, withdraw_consent
from tests.admin.act import act
from tests.voices.recordings import actor, clone

URL = "/admin/voices/voice/"
CONSENTS = "/admin/voices/voiceconsent/"


@pytest.fixture
def voice(acme: Organization, alice: User) -> Voice:
    made = clone(acme, alice)
    set_preview(voice=made, mp3=b"0123456789")
    return made


@pytest.fixture
def platform(db: None) -> Voice:
    return Voice.objects.create(category="premade", engine_voice="heart", name="Heart")


def state_of(voice: Voice) -> str:
    voice.refresh_from_db()
    return voice.state


def test_suspending_and_lifting_from_the_list(staff: Client, voice: Voice, platform: Voice) -> None:
    assert "2 changed" in act(staff, URL, "suspend", voice, platform)
    assert {state_of(voice), state_of(platform)} == {"suspended"}
    assert "0 changed" in act(staff, URL, "suspend", voice)
    assert "2 changed" in act(staff, URL, "lift", voice, platform)
    assert {state_of(voice), state_of(platform)} == {"active"}


def test_suspending_from_its_page_asks_for_the_reason(staff: Client, voice: Voice) -> None:
    page = f"{URL}{voice.pk}/suspend_this/"
    assert "Suspend this voice?" in staff.get(page).content.decode()
    assert staff.post(page, {"_form_submitted": "True"}).status_code == 200
    assert state_of(voice) == "active"
    answer = staff.post(page, {"_form_submitted": "True", "reason": "A complaint."}, follow=True)
    assert "A complaint." in answer.content.decode()
    assert (state_of(voice), voice.suspended_reason) == ("suspended", "A complaint.")
    assert "Suspended: A complaint." in LogEntry.objects.first().get_change_message()  # type: ignore[union-attr]
    staff.post(f"{URL}{voice.pk}/lift_this/", {"_form_submitted": "True"})
    assert state_of(voice) == "active"


def test_what_cannot_be_lifted_says_so(staff: Client, voice: Voice, alice: User) -> None:
    suspend_voice(voice=voice, reason="A complaint.")
    withdraw_consent(voice=voice, by=actor(alice))
    answer = staff.post(f"{URL}{voice.pk}/lift_this/", {"_form_submitted": "True"}, follow=True)
    assert "The voice is not suspended." in answer.content.decode()
    assert state_of(voice) == "withdrawn"


def test_only_staff_with_the_right_suspend_or_hear(clerk: Client, voice: Voice) -> None:
    page = f"{URL}{voice.pk}/suspend_this/"
    assert clerk.post(page, {"_form_submitted": "True", "reason": "x"}).status_code == 403
    for name in ("preview.mp3", "recording.wav"):
        assert clerk.get(f"{URL}{voice.pk}/{name}").status_code == 403
    assert state_of(voice) == "active"


def test_staff_hear_a_voice_and_that_they_heard_a_recording_is_noted(staff: Client, voice: Voice) -> None:
    page = staff.get(f"{URL}{voice.pk}/change/")
    html = page.content.decode()
    for name in ("preview.mp3", "recording.wav"):
        assert f'src="{URL}{voice.pk}/{name}"' in html
    assert "media-src 'self'" in page["Content-Security-Policy"]
    clip: Any = staff.get(f"{URL}{voice.pk}/preview.mp3")
    assert b"".join(clip.streaming_content) == b"0123456789"
    assert not LogEntry.objects.exists()
    recording: Any = staff.get(f"{URL}{voice.pk}/recording.wav")
    assert b"".join(recording.streaming_content) == media.read(voice.reference_key)
    assert "Listened" in LogEntry.objects.get().get_change_message()


def test_of_a_withdrawn_voice_nothing_is_heard(staff: Client, voice: Voice, alice: User) -> None:
    withdraw_consent(voice=voice, by=actor(alice))
    assert "<audio" not in staff.get(f"{URL}{voice.pk}/change/").content.decode()
    for name in ("preview.mp3", "recording.wav"):
        assert staff.get(f"{URL}{voice.pk}/{name}").status_code == 404


def test_a_consent_is_read_and_not_changed(staff: Client, voice: Voice) -> None:
    consent = VoiceConsent.objects.get()
    page = staff.get(f"{CONSENTS}{consent.pk}/change/").content.decode()
    assert consent.text_sha256 in page
    assert "explicit permission" in page
    assert staff.get(f"{CONSENTS}add/").status_code == 403
    assert staff.post(f"{CONSENTS}{consent.pk}/change/", {"person_name": "x"}).status_code == 403
    assert staff.post(f"{CONSENTS}{consent.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_voice_is_found_by_its_recording(staff: Client, voice: Voice, platform: Voice) -> None:
    def found(**query: str) -> set[object]:
        return {row.pk for row in staff.get(URL, query).context["cl"].result_list}

    assert found(q=voice.reference_sha256) == {voice.pk}
    assert found(q="heart") == {platform.pk}
    assert found(category__exact="premade") == {platform.pk}
