"""Voices added, described, withdrawn, deleted and suspended, and what is kept of who agreed."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from apps.accounts.models import Organization, User
from apps.core import media
from apps.core.errors import AppError, Conflict, InvalidRequest, PermissionDenied
from apps.voices import consents, files, services, statements
from apps.voices.actors import Actor
from apps.voices.models import CloningTerms, Voice, VoiceConsent
from tests.gpu_worker.voices.recordings import recording
from tests.voices.recordings import ADDRESS, actor, clone


def refusal(ask: Callable[[], Any]) -> AppError:
    with pytest.raises(AppError) as caught:
        ask()
    return caught.value


def version_of(organization: Organization) -> int:
    return Organization.objects.get(pk=organization.pk).policy_version


def test_a_voice_comes_with_its_recording_and_its_consent(acme: Organization, alice: User) -> None:
    before = version_of(acme)
    voice = clone(acme, alice, name="  Ada   Reading ", labels={"accent": "Scottish"}, languages=["en-GB"])
    voice.refresh_from_db()
    assert (voice.name, voice.labels, voice.languages) == ("Ada Reading", {"accent": "Scottish"}, ["en-GB"])
    assert voice.state == Voice.State.ACTIVE
    assert voice.public_id == str(voice.pk)
    assert len(media.read(voice.reference_key)) == voice.reference_bytes
    consent = VoiceConsent.objects.get()
    statement = statements.current_consent()
    assert consent.voice == voice
    assert (consent.person, consent.person_name, consent.person_email) == (alice, "Alice", alice.email)
    assert consent.address == ADDRESS
    assert (consent.text_version, consent.text_sha256) == (statement.version, statement.sha256)
    assert consent.reference_sha256 == voice.reference_sha256
    assert consent.given_at == voice.created_at
    assert consent.withdrawn_at is None
    assert version_of(acme) > before


def test_a_text_once_agreed_to_never_changes() -> None:
    """A change of these words needs a new version beside them."""
    found = {
        statement.version: statement.sha256[:12] for statement in (*statements.CONSENT, *statements.TERMS)
    }
    assert found == {"consent-1": "8fb11f71d3a3", "terms-1": "b67a56d81b99"}
    assert statements.text_of("consent-1") == statements.CONSENT[0].text
    assert statements.text_of("consent-0") == ""


@pytest.mark.parametrize(
    ("changed", "kind", "code"),
    [
        ({"consent": False}, InvalidRequest, "consent_required"),
        ({"consent_version": "consent-0"}, InvalidRequest, "consent_version_outdated"),
        ({"consent_version": ""}, InvalidRequest, "consent_version_outdated"),
        ({"name": " "}, InvalidRequest, "invalid_request"),
        ({"name": "x" * 81}, InvalidRequest, "invalid_request"),
        ({"name": "a\x00b"}, InvalidRequest, "invalid_request"),
        ({"description": "x" * 501}, InvalidRequest, "invalid_request"),
        ({"labels": {str(number): "x" for number in range(21)}}, InvalidRequest, "invalid_request"),
        ({"labels": {"accent": "x" * 81}}, InvalidRequest, "invalid_request"),
        ({"languages": [""]}, InvalidRequest, "invalid_request"),
        ({"recordings": [io.BytesIO(b"")]}, InvalidRequest, "recording_format"),
        ({"recordings": []}, InvalidRequest, "recording_missing"),
    ],
)
def test_what_is_refused_leaves_nothing(
    acme: Organization, alice: User, media_folder: Path, changed: dict[str, Any], kind: type, code: str
) -> None:
    error = refusal(lambda: clone(acme, alice, **changed))
    assert isinstance(error, kind)
    assert error.code == code
    assert not Voice.objects.exists()
    assert not VoiceConsent.objects.exists()
    assert not media_folder.exists()


def test_a_name_is_had_once_in_an_organization(
    acme: Organization, alice: User, globex: Organization, charlie: User
) -> None:
    voice = clone(acme, alice, name="Ada")
    error = refusal(lambda: clone(acme, alice, name="ADA"))
    assert isinstance(error, Conflict)
    assert (error.code, error.param) == ("voice_name_taken", "name")
    clone(globex, charlie, name="Ada")
    services.delete_voice(voice=voice, by=actor(alice))
    assert clone(acme, alice, name="Ada").pk != voice.pk


def test_a_name_of_an_engines_voice_is_not_to_be_had(
    acme: Organization, alice: User, globex: Organization
) -> None:
    """A request names both the same way. What another organization's engines have is no matter."""
    for owner, name in ((None, "heart"), (acme, "default"), (globex, "theirs")):
        Voice.objects.create(organization=owner, category="premade", engine_voice=name, name=name)
    for name in ("Heart", "default"):
        assert refusal(lambda name=name: clone(acme, alice, name=name)).code == "voice_name_taken"
    clone(acme, alice, name="theirs")


def test_the_database_holds_to_it_too(acme: Organization, alice: User) -> None:
    voice = clone(acme, alice, name="Ada")
    voice.pk, voice._state.adding, voice.name = None, True, "aDa"
    with pytest.raises(IntegrityError, match="voice_name_once"), transaction.atomic():
        voice.save()


def test_an_organization_has_so_many_voices(acme: Organization, alice: User, settings: Any) -> None:
    settings.LIMIT_VOICES = 1
    voice = clone(acme, alice)
    error = refusal(lambda: clone(acme, alice, name="Bea", recordings=[io.BytesIO(b"not looked at")]))
    assert isinstance(error, PermissionDenied)
    assert error.code == "voice_limit_reached"
    services.withdraw_consent(voice=voice, by=actor(alice))
    assert refusal(lambda: clone(acme, alice, name="Bea")).code == "voice_limit_reached"
    services.delete_voice(voice=voice, by=actor(alice))
    clone(acme, alice, name="Bea")


def test_without_the_secret_that_workers_share_nothing_is_cloned(
    acme: Organization, alice: User, settings: Any
) -> None:
    settings.CONSENT_SECRET = ""
    assert refusal(lambda: clone(acme, alice)).code == "cloning_disabled"


def test_describing_changes_what_is_given_and_no_more(acme: Organization, alice: User) -> None:
    voice = clone(acme, alice, description="Before", labels={"a": "b"}, languages=["en"])
    before = version_of(acme)
    services.describe_voice(voice=voice, name="Ada Two", description="")
    voice.refresh_from_db()
    assert (voice.name, voice.description, voice.labels, voice.languages) == (
        "Ada Two",
        "",
        {"a": "b"},
        ["en"],
    )
    assert version_of(acme) > before
    services.describe_voice(voice=voice, labels={}, languages=["fr", "fr", "de"])
    voice.refresh_from_db()
    assert (voice.name, voice.labels, voice.languages) == ("Ada Two", {}, ["fr", "de"])
    clone(acme, alice, name="Bea")
    assert refusal(lambda: services.describe_voice(voice=voice, name="bea")).code == "voice_name_taken"
    services.describe_voice(voice=voice, name="ADA TWO")


@pytest.mark.parametrize("end", [services.delete_voice, services.withdraw_consent])
def test_the_end_of_a_voice_takes_its_recording_and_leaves_its_consent(
    acme: Organization,
    alice: User,
    bob: User,
    end: Callable[..., None],
    django_capture_on_commit_callbacks: Any,
) -> None:
    voice = clone(acme, alice)
    services.set_preview(voice=voice, mp3=b"mp3")
    before = version_of(acme)
    with django_capture_on_commit_callbacks() as committed:
        end(voice=voice, by=actor(bob))
    assert version_of(acme) > before
    consent = VoiceConsent.objects.get()
    assert consent.withdrawn_at is not None
    assert (consent.withdrawn_by, consent.withdrawn_by_name) == (bob, "Bob")
    assert consent.person == alice
    assert len(committed) == 2  # the policy is published, the files are to be removed
    files.remove_files_of(voice.pk)
    assert not media.exists(voice.reference_key)
    assert not media.exists(voice.own_preview_key)
    files.remove_files_of(voice.pk)
    with pytest.raises(Conflict):
        services.suspend_voice(voice=voice, reason="Late.")


def test_a_consent_is_withdrawn_once_and_a_voice_deleted_once(acme: Organization, alice: User) -> None:
    voice = clone(acme, alice)
    services.withdraw_consent(voice=voice, by=actor(alice), reason="She asked for it.")
    when = VoiceConsent.objects.get().withdrawn_at
    assert (
        refusal(lambda: services.withdraw_consent(voice=voice, by=actor(alice))).code == "consent_withdrawn"
    )
    services.delete_voice(voice=voice, by=actor(alice))
    consent = VoiceConsent.objects.get()
    assert (consent.withdrawn_at, consent.withdrawn_reason) == (when, "She asked for it.")
    for ask in (
        lambda: services.delete_voice(voice=voice, by=actor(alice)),
        lambda: services.describe_voice(voice=voice, name="New"),
    ):
        assert refusal(ask).code == "voice_deleted"


def test_one_recording_is_kept_once_in_an_organization_and_apart_from_another_s(
    acme: Organization, alice: User, globex: Organization, charlie: User
) -> None:
    first, second = clone(acme, alice, name="Ada"), clone(acme, alice, name="Bea")
    theirs = clone(globex, charlie, name="Ada")
    assert first.reference_sha256 == second.reference_sha256 == theirs.reference_sha256
    assert first.reference_key == second.reference_key != theirs.reference_key
    services.delete_voice(voice=first, by=actor(alice))
    files.remove_files_of(first.pk)
    assert media.exists(second.reference_key)
    services.withdraw_consent(voice=second, by=actor(alice))
    files.remove_files_of(second.pk)
    assert not media.exists(second.reference_key)
    assert media.exists(theirs.reference_key)


def test_a_voice_whose_row_is_not_written_leaves_no_consent(
    acme: Organization, alice: User, settings: Any, tmp_path: Path
) -> None:
    """The disk says no: nothing is added."""
    blocked = tmp_path / "media" / "voices"
    blocked.parent.mkdir()
    blocked.write_text("in the way")
    with pytest.raises(OSError, match=r"exists|directory"):
        clone(acme, alice)
    assert not Voice.objects.exists()
    assert not VoiceConsent.objects.exists()


def test_staff_suspend_any_voice_and_lift_it(acme: Organization, alice: User) -> None:
    platform = Voice.objects.create(category="premade", engine_voice="heart", name="Heart")
    own = clone(acme, alice)
    before = version_of(acme)
    for voice in (platform, own):
        assert refusal(lambda voice=voice: services.suspend_voice(voice=voice, reason=" ")).param == "reason"
        services.suspend_voice(voice=voice, reason="A complaint.")
        voice.refresh_from_db()
        assert (voice.state, voice.suspended_reason) == (Voice.State.SUSPENDED, "A complaint.")
        with pytest.raises(Conflict):
            services.suspend_voice(voice=voice, reason="Again.")
    assert version_of(acme) == before + 1
    for voice in (platform, own):
        services.unsuspend_voice(voice=voice)
        voice.refresh_from_db()
        assert (voice.state, voice.suspended_reason) == (Voice.State.ACTIVE, "")
    assert version_of(acme) == before + 2


def test_a_withdrawn_voice_is_not_brought_back_by_staff(acme: Organization, alice: User) -> None:
    voice = clone(acme, alice)
    services.suspend_voice(voice=voice, reason="A complaint.")
    services.withdraw_consent(voice=voice, by=actor(alice))
    with pytest.raises(Conflict):
        services.unsuspend_voice(voice=voice)
    voice.refresh_from_db()
    assert voice.state == Voice.State.WITHDRAWN


def test_the_platforms_voices_are_not_an_organizations_to_change(acme: Organization, alice: User) -> None:
    voice = Voice.objects.create(category="premade", engine_voice="heart", name="Heart")
    for ask in (
        lambda: services.delete_voice(voice=voice, by=actor(alice)),
        lambda: services.withdraw_consent(voice=voice, by=actor(alice)),
        lambda: services.describe_voice(voice=voice, name="Mine"),
    ):
        assert refusal(ask).code == "platform_voice"


class TestTerms:
    def test_a_key_that_shows_no_statement_needs_them(self, acme: Organization, alice: User) -> None:
        by = Actor.of_key("vf_live_abcdefgh", address=ADDRESS)
        ask: dict[str, Any] = {
            "via": VoiceConsent.Via.TERMS,
            "consent": False,
            "consent_version": "",
        }
        error = refusal(lambda: clone(acme, by, **ask))
        assert isinstance(error, PermissionDenied)
        assert error.code == "consent_required"
        assert "/voices/terms" in error.message
        terms = consents.accept_terms(
            organization=acme, version=statements.current_terms().version, by=actor(alice)
        )
        clone(acme, by, **ask)
        consent = VoiceConsent.objects.get()
        assert consent.terms == terms
        assert consent.text_version == statements.current_terms().version
        assert (consent.person, consent.person_name) == (None, "API key vf_live_abcdefgh…")

    def test_they_are_accepted_once_and_in_their_current_version(
        self, acme: Organization, alice: User
    ) -> None:
        with pytest.raises(InvalidRequest):
            consents.accept_terms(organization=acme, version="terms-0", by=actor(alice))
        assert consents.accepted_terms(acme) is None
        version = statements.current_terms().version
        first = consents.accept_terms(organization=acme, version=version, by=actor(alice))
        assert consents.accept_terms(organization=acme, version=version, by=actor(alice)) == first
        assert (first.person_name, first.text_sha256) == ("Alice", statements.current_terms().sha256)

    def test_those_of_another_organization_do_not_count(
        self, acme: Organization, alice: User, globex: Organization, charlie: User
    ) -> None:
        consents.accept_terms(
            organization=globex, version=statements.current_terms().version, by=actor(charlie)
        )
        assert consents.accepted_terms(acme) is None


def test_what_was_agreed_to_cannot_be_deleted(acme: Organization, alice: User) -> None:
    voice = clone(acme, alice)
    consent = VoiceConsent.objects.get()
    for delete in (consent.delete, VoiceConsent.objects.all().delete, CloningTerms.objects.all().delete):
        with pytest.raises(TypeError, match="never deleted"):
            delete()
    for row in (voice, acme):
        with pytest.raises(ProtectedError), transaction.atomic():
            row.delete()
    alice.delete()
    consent.refresh_from_db()
    assert (consent.person, consent.person_name) == (None, "Alice")


def test_a_clip_is_kept_until_the_voice_ends(acme: Organization, alice: User) -> None:
    voice = clone(acme, alice)
    services.note_preview_problem(voice=voice, problem="No worker.")
    services.set_preview(voice=voice, mp3=b"mp3")
    voice.refresh_from_db()
    assert (media.read(voice.preview_key), voice.preview_problem) == (b"mp3", "")
    services.withdraw_consent(voice=voice, by=actor(alice))
    files.remove_files_of(voice.pk)
    services.set_preview(voice=voice, mp3=b"too late")
    assert not media.exists(voice.own_preview_key)


def test_recordings_of_one_tone_are_one(acme: Organization, alice: User) -> None:
    same = [clone(acme, alice, name=name, recordings=[io.BytesIO(recording(hertz=440))]) for name in "AB"]
    assert len({voice.reference_sha256 for voice in same}) == 1
