"""Voices of speakers who agreed to be cloned: made of their best recordings, ended by a withdrawal."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.models import Organization, User
from apps.contributions import consenting, people, voicing, withdrawing
from apps.contributions.models import Campaign, Clip, Contributor, VoiceFromCollection
from apps.core import media
from apps.core.errors import AppError
from apps.voices import services as voices
from apps.voices.models import Voice, VoiceConsent
from tests.cast import signed_in
from tests.contributions import collecting
from tests.contributions.releasing import data
from tests.contributions.releasing.conftest import media_folder
from tests.voices.recordings import actor

__all__ = ["media_folder"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(campaign: Campaign) -> Contributor:
    """Agreed to be cloned, and has 15 s of speech."""
    person = collecting.speaker("ada")
    collecting.agree(person, campaign, optional=True)
    for number, prompt in enumerate(data.prompts(campaign)[:3]):
        data.accepted(person, prompt, hertz=300 + number, seconds=6, speech_ms=5_000)
    return person


def make(campaign: Campaign, person: Contributor, by: User | None = None, name: str = "Ada") -> Voice:
    return voicing.make_voice(campaign=campaign, contributor=person, name=name, by=by).voice


def refused(campaign: Campaign, person: Contributor) -> str:
    with pytest.raises(AppError) as caught:
        make(campaign, person)
    assert not Voice.objects.live().filter(name="Ada").exclude(state="withdrawn").exists()
    return caught.value.code


def test_a_voice_belongs_to_the_organization(
    campaign: Campaign, ada: Contributor, acme: Organization, staff: User
) -> None:
    voice = make(campaign, ada, staff)
    assert (voice.organization, voice.category, voice.state) == (acme, "cloned", "active")
    assert voice.reference_seconds == pytest.approx(18.3, abs=0.5)
    assert media.exists(voice.reference_key)
    agreed = consenting.in_force(ada, campaign)["voice_cloning"]
    made = VoiceFromCollection.objects.get()
    assert (made.consent, made.contributor, made.created_by) == (agreed, ada, staff)
    assert made.clips.count() == 3
    consent = VoiceConsent.objects.get()
    assert (consent.via, consent.text_sha256, consent.given_at) == (
        "collection",
        agreed.sha256,
        agreed.created_at,
    )
    # Who it is, nobody is told.
    assert (consent.person, consent.person_email, consent.address) == (None, "", None)
    assert consent.person_name == str(ada)


def test_the_best_half_minute_is_taken(campaign: Campaign, ada: Contributor) -> None:
    for number, prompt in enumerate(data.prompts(campaign)[3:8]):
        clip = data.accepted(ada, prompt, hertz=400 + number, seconds=8, speech_ms=7_000)
        figures = {"overall_mos": 3 + number / 10, "word_error_rate": 0.0}
        Clip.objects.filter(pk=clip.pk).update(figures=figures)
    chosen = voicing.best_clips(ada, campaign)
    assert [round(clip.figures["overall_mos"], 1) for clip in chosen] == [3.4, 3.3, 3.2, 3.1]


def test_it_takes_consent(campaign: Campaign) -> None:
    person = collecting.speaker()
    collecting.agree(person, campaign)
    data.accepted(person, data.prompts(campaign)[0], seconds=12, speech_ms=11_000)
    assert refused(campaign, person) == "consent_required"
    collecting.agree(person, campaign, optional=True)
    assert make(campaign, person).is_active


def test_it_takes_enough_speech(campaign: Campaign) -> None:
    person = collecting.speaker()
    collecting.agree(person, campaign, optional=True)
    data.accepted(person, data.prompts(campaign)[0], seconds=4, speech_ms=3_000)
    assert refused(campaign, person) == "too_little_speech"


def test_there_is_one_of_a_speaker(campaign: Campaign, ada: Contributor) -> None:
    make(campaign, ada, name="First")
    assert refused(campaign, ada) == "voice_made"


@pytest.mark.parametrize("purpose", ["voice_cloning", "train"])
def test_a_withdrawal_ends_it(campaign: Campaign, ada: Contributor, acme: Organization, purpose: str) -> None:
    """Also of what the campaign needs: the recordings go."""
    voice = make(campaign, ada)
    version = Organization.objects.get(pk=acme.pk).policy_version
    withdrawing.withdraw(consenting.in_force(ada, campaign)[purpose])
    voice.refresh_from_db()
    assert voice.state == "withdrawn"
    assert Organization.objects.get(pk=acme.pk).policy_version > version
    consent = VoiceConsent.objects.get()
    assert consent.withdrawn_at is not None
    assert (consent.withdrawn_by_name, consent.withdrawn_reason) == (
        str(ada),
        "The speaker withdrew their consent.",
    )
    if purpose == "voice_cloning":
        assert refused(campaign, ada) == "consent_required"


def test_erasing_ends_it(campaign: Campaign, ada: Contributor) -> None:
    voice = make(campaign, ada)
    withdrawing.erase(people.contributor_of(ada.user))  # type: ignore[arg-type]
    voice.refresh_from_db()
    assert voice.state == "withdrawn"


def test_others_keep_theirs(campaign: Campaign, ada: Contributor, acme: Organization) -> None:
    """Another speaker's, and the same one's in another campaign."""
    elsewhere = collecting.campaign(acme)
    collecting.agree(ada, elsewhere, optional=True)
    for prompt in data.prompts(elsewhere)[:2]:
        data.accepted(ada, prompt, hertz=500 + prompt.number, seconds=7, speech_ms=6_000)
    ends, stays = make(campaign, ada), make(elsewhere, ada, name="Elsewhere")
    withdrawing.withdraw(consenting.in_force(ada, campaign)["voice_cloning"])
    for voice in (ends, stays):
        voice.refresh_from_db()
    assert (ends.state, stays.state) == ("withdrawn", "active")


def test_one_that_had_ended_is_no_hindrance(campaign: Campaign, ada: Contributor, alice: User) -> None:
    voice = make(campaign, ada)
    voices.delete_voice(voice=voice, by=actor(alice))
    withdrawing.withdraw(consenting.in_force(ada, campaign)["voice_cloning"])
    voice.refresh_from_db()
    assert voice.state == "deleted"


def test_staff_make_one(campaign: Campaign, ada: Contributor, staff: User) -> None:
    admin = signed_in(staff)
    form: dict[str, Any] = {"campaign": str(campaign.pk), "contributor": str(ada.pk), "name": "Ada"}
    add = reverse("admin:contributions_voicefromcollection_add")
    answer = admin.post(add, form)
    made = VoiceFromCollection.objects.get()
    assert answer.status_code == 302
    assert (made.voice.name, made.created_by) == ("Ada", staff)
    assert "There is a voice of this speaker." in admin.post(add, form).content.decode()
    page = reverse("admin:contributions_voicefromcollection_change", args=[made.pk])
    assert "Active" in admin.get(page).content.decode()
    assert admin.get(reverse("admin:contributions_voicefromcollection_changelist")).status_code == 200
