"""Pages of voices: alice owns acme, bob is a member there, charlie is an outsider."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.models import Organization, User
from apps.core import media
from apps.voices import services, statements
from apps.voices.consents import accepted_terms
from apps.voices.models import CloningTerms, Voice, VoiceConsent
from tests.cast import signed_in
from tests.gpu_worker.voices.recordings import recording
from tests.voices.recordings import actor, clone


def form(**changed: Any) -> dict[str, Any]:
    filled: dict[str, Any] = {
        "name": "Ada",
        "file": SimpleUploadedFile("ada.wav", recording()),
        "language": "en",
        "description": "Reads.",
        "labels": "accent: Scottish, mood: calm",
        "consent": "on",
        "consent_version": statements.current_consent().version,
    }
    return {name: value for name, value in (filled | changed).items() if value is not None}


def test_a_voice_is_added_with_the_statement_before_ones_eyes(alice: User, acme: Organization) -> None:
    client = signed_in(alice)
    page = client.get("/voices/new").content.decode()
    assert statements.current_consent().text in page
    response = client.post("/voices/new", form(), follow=True, REMOTE_ADDR="203.0.113.7")
    voice = Voice.objects.get()
    assert response.redirect_chain == [(f"/voices/{voice.pk}", 302)]
    assert "Ada is added." in response.content.decode()
    assert voice.labels == {"accent": "Scottish", "mood": "calm"}
    assert (voice.languages, voice.created_by) == (["en"], alice)
    consent = VoiceConsent.objects.get()
    assert (consent.person, consent.address, consent.via) == (alice, "203.0.113.7", "console")


def test_several_recordings_are_joined(alice: User, acme: Organization) -> None:
    files = [SimpleUploadedFile("a.wav", recording(seconds=2)) for _ in range(2)]
    assert signed_in(alice).post("/voices/new", form(file=files)).status_code == 302
    assert Voice.objects.get().reference_seconds == pytest.approx(4.2)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"consent": None}, "Without this consent no voice is cloned."),
        ({"consent_version": "consent-0"}, "The statement to agree to is consent-1"),
        ({"file": None}, "This field is required."),
        ({"file": SimpleUploadedFile("a.wav", b"")}, "The submitted file is empty."),
        ({"file": SimpleUploadedFile("a.wav", b"nothing")}, "This is not a recording in a known format"),
        ({"name": " "}, "This field is required."),
        ({"labels": "Scottish"}, "a colon and a word"),
        ({"language": "xx"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_added_says_why_and_keeps_the_rest(
    alice: User, acme: Organization, changed: dict[str, Any], said: str
) -> None:
    response = signed_in(alice).post("/voices/new", form(**changed))
    html = response.content.decode()
    assert response.status_code == 400
    assert said in html
    assert 'role="alert"' in html
    assert not Voice.objects.exists()
    assert "Reads." in html


def test_a_member_hears_voices_and_cannot_touch_them(alice: User, bob: User, acme: Organization) -> None:
    voice = clone(acme, alice)
    client = signed_in(bob)
    for path in ("/voices", f"/voices/{voice.pk}"):
        html = client.get(path).content.decode()
        assert "Ada" in html
        assert not re.search(r'href="/voices/(new|[^"/]+/(edit|withdraw|delete))"', html)
    for path in ("new", "terms", f"{voice.pk}/edit", f"{voice.pk}/withdraw", f"{voice.pk}/delete"):
        assert client.post(f"/voices/{path}", form()).status_code == 403
    voice.refresh_from_db()
    assert voice.is_active
    assert not CloningTerms.objects.exists()


def test_another_organizations_voice_is_not_there(
    alice: User, acme: Organization, charlie: User, globex: Organization
) -> None:
    voice = clone(acme, alice)
    services.set_preview(voice=voice, mp3=b"mp3")
    client = signed_in(charlie)
    assert "Ada" not in client.get("/voices").content.decode()
    for action in ("", "/edit", "/withdraw", "/delete", "/preview.mp3", "/recording.wav"):
        assert client.get(f"/voices/{voice.pk}{action}").status_code == 404


def test_a_clip_and_a_recording_are_heard(alice: User, bob: User, acme: Organization) -> None:
    voice = clone(acme, alice)
    client = signed_in(bob)
    assert client.get(f"/voices/{voice.pk}/preview.mp3").status_code == 404
    assert "The preview is being made." in client.get("/voices").content.decode()
    services.set_preview(voice=voice, mp3=b"0123456789")
    clip: Any = client.get(f"/voices/{voice.pk}/preview.mp3", headers={"Range": "bytes=2-4"})
    assert (clip.status_code, b"".join(clip.streaming_content)) == (206, b"234")
    whole: Any = client.get(f"/voices/{voice.pk}/recording.wav")
    assert b"".join(whole.streaming_content) == media.read(voice.reference_key)
    assert f'data-src="/voices/{voice.pk}/preview.mp3"' in client.get("/voices").content.decode()
    services.withdraw_consent(voice=voice, by=actor(alice))
    for name in ("preview.mp3", "recording.wav"):
        assert client.get(f"/voices/{voice.pk}/{name}").status_code == 404


def test_why_there_is_no_clip_is_told(alice: User, acme: Organization) -> None:
    services.note_preview_problem(voice=clone(acme, alice), problem="No worker clones.")
    assert "No worker clones." in signed_in(alice).get("/voices").content.decode()


def test_a_voice_is_described_anew(alice: User, acme: Organization) -> None:
    voice = clone(acme, alice, labels={"accent": "Scottish"})
    client = signed_in(alice)
    assert 'value="accent: Scottish"' in client.get(f"/voices/{voice.pk}/edit").content.decode()
    told = {"name": "Bea", "language": "fr", "description": "", "labels": ""}
    assert client.post(f"/voices/{voice.pk}/edit", told).status_code == 302
    voice.refresh_from_db()
    assert (voice.name, voice.languages, voice.labels) == ("Bea", ["fr"], {})
    clone(acme, alice, name="Cleo")
    response = client.post(f"/voices/{voice.pk}/edit", told | {"name": "cleo"})
    assert response.status_code == 400
    assert "There is a voice called cleo." in response.content.decode()


@pytest.mark.parametrize(
    ("action", "state"), [("withdraw", Voice.State.WITHDRAWN), ("delete", Voice.State.DELETED)]
)
def test_what_ends_a_voice_asks_for_its_name(
    alice: User, acme: Organization, action: str, state: Voice.State
) -> None:
    voice = clone(acme, alice)
    client, path = signed_in(alice), f"/voices/{voice.pk}/{action}"
    assert "This cannot be undone." in client.get(path).content.decode()
    assert client.post(path, {"name": "ada"}).status_code == 400
    voice.refresh_from_db()
    assert voice.is_active
    response = client.post(path, {"name": "Ada", "reason": "She asked."}, follow=True)
    assert response.status_code == 200
    voice.refresh_from_db()
    assert voice.state == state
    consent = VoiceConsent.objects.get()
    assert consent.withdrawn_by == alice
    assert client.post(path, {"name": "Ada"}).status_code == (400 if action == "withdraw" else 404)


def test_a_withdrawn_voice_says_who_did_it_and_why(alice: User, bob: User, acme: Organization) -> None:
    voice = clone(acme, alice)
    services.withdraw_consent(voice=voice, by=actor(bob), reason="She asked.")
    html = signed_in(alice).get(f"/voices/{voice.pk}").content.decode()
    assert "The consent was withdrawn." in html
    assert "She asked." in html
    assert statements.current_consent().sha256 in html
    assert "Speak with it" not in html


def test_a_suspended_voice_says_why(alice: User, acme: Organization) -> None:
    voice = clone(acme, alice)
    services.suspend_voice(voice=voice, reason="A complaint of someone.")
    html = signed_in(alice).get(f"/voices/{voice.pk}").content.decode()
    assert "A complaint of someone." in html


def test_the_platforms_voices_are_shown_and_not_to_be_changed(alice: User, acme: Organization) -> None:
    Voice.objects.create(category="premade", engine_voice="heart", name="Heart", engine_models=["hibari"])
    client = signed_in(alice)
    html = client.get("/voices/heart").content.decode()
    assert "hibari" in html
    assert "/voices/heart/edit" not in html
    for action in ("edit", "withdraw", "delete", "recording.wav"):
        assert client.get(f"/voices/heart/{action}").status_code == 404


def test_the_limit_is_told_and_held(alice: User, acme: Organization, settings: Any) -> None:
    settings.LIMIT_VOICES = 1
    clone(acme, alice)
    client = signed_in(alice)
    assert "1 of 1 cloned voices" in client.get("/voices").content.decode()
    response = client.post("/voices/new", form(name="Bea"))
    assert response.status_code == 400
    assert "Delete one first." in response.content.decode()


def test_without_cloning_nothing_is_offered(alice: User, acme: Organization, settings: Any) -> None:
    settings.CONSENT_SECRET = ""
    client = signed_in(alice)
    assert "/voices/new" not in client.get("/voices").content.decode()
    assert "cannot be cloned" in client.post("/voices/new", form()).content.decode()


def test_the_terms_are_accepted_once(alice: User, acme: Organization) -> None:
    client, statement = signed_in(alice), statements.current_terms()
    page = client.get("/voices/terms").content.decode()
    assert statement.text in page
    assert client.post("/voices/terms", {"version": statement.version}).status_code == 400
    assert client.post("/voices/terms", {"version": "terms-0", "accept": "on"}).status_code == 400
    assert accepted_terms(acme) is None
    accepted = client.post("/voices/terms", {"version": statement.version, "accept": "on"}, follow=True)
    terms = accepted_terms(acme)
    assert terms is not None
    assert (terms.person, terms.text_sha256) == (alice, statement.sha256)
    html = accepted.content.decode()
    assert "by Alice" in html
    assert "Accept terms" not in html


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Ada", "Bea", "Heart"]),
        ("q=deep", ["Bea"]),
        ("category=premade", ["Heart"]),
        ("category=cloned", ["Ada", "Bea"]),
        ("language=en", ["Ada", "Heart"]),
        ("language=nonsense", ["Ada", "Bea", "Heart"]),
        ("q=nothing-like-it", []),
    ],
)
def test_the_url_filters(alice: User, acme: Organization, query: str, names: list[str]) -> None:
    clone(acme, alice, name="Bea", description="A deep voice.")
    clone(acme, alice, name="Ada", languages=["en-GB"])
    Voice.objects.create(category="premade", engine_voice="heart", name="Heart", languages=["en"])
    html = signed_in(alice).get(f"/voices?{query}").content.decode()
    assert re.findall(r'voice-name" href="[^"]+">(\w+)<', html) == names


def test_without_voices_the_list_says_how_they_come(alice: User, acme: Organization) -> None:
    html = signed_in(alice).get("/voices").content.decode()
    assert "No voices yet" in html
    assert "Add voice" in html


def test_queries_do_not_grow_with_voices(
    alice: User, acme: Organization, django_assert_num_queries: Any
) -> None:
    for number in range(30):
        Voice.objects.create(category="premade", engine_voice=f"v{number}", name=f"Voice {number}")
    client = signed_in(alice)
    with django_assert_num_queries(7):
        html = client.get("/voices").content.decode()
    assert html.count('class="voice"') == 25
    assert "1–25 of 30 voices" in html


def test_a_name_with_marks_of_html_is_only_a_name(alice: User, acme: Organization) -> None:
    voice = clone(acme, alice, name='<b>"Ada"</b>', recordings=[io.BytesIO(recording())])
    services.set_preview(voice=voice, mp3=b"mp3")
    client = signed_in(alice)
    for path in ("/voices", f"/voices/{voice.pk}", f"/voices/{voice.pk}/delete"):
        assert "<b>" not in client.get(path).content.decode()
