"""What a request means by a voice, and the tokens that let a worker speak with it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.models import Organization, User
from apps.core.errors import PermissionDenied
from apps.voices import services
from apps.voices.models import Voice
from apps.voices.resolving import (
    OwnVoices,
    consent_token,
    find_voice,
    reference_location,
    suspended_platform_voices,
)
from gpu_worker.protocol import InvalidConsentError, verify_consent
from tests.voices.recordings import actor, clone
from voiceflow.settings.media import storage


def test_ones_own_is_found_by_id_and_by_exact_name(acme: Organization, alice: User) -> None:
    voice = clone(acme, alice, name="Ada")
    for reference in (str(voice.pk), "Ada"):
        found = find_voice(organization_id=acme.pk, reference=reference)
        assert found is not None
        assert (found.id, found.sha256, found.name) == (voice.pk, voice.reference_sha256, "Ada")
        assert found.reference_key == voice.reference_key
    for reference in ("ada", "Bea", "", str(uuid4()), voice.reference_sha256):
        assert find_voice(organization_id=acme.pk, reference=reference) is None


def test_another_organizations_is_not_there(
    acme: Organization, alice: User, globex: Organization, charlie: User
) -> None:
    voice = clone(acme, alice, name="Ada")
    for reference in (str(voice.pk), "Ada"):
        assert find_voice(organization_id=globex.pk, reference=reference) is None
    theirs = clone(globex, charlie, name="Ada")
    found = find_voice(organization_id=globex.pk, reference="Ada")
    assert found is not None
    assert found.id == theirs.pk


def test_one_that_may_not_be_spoken_says_why(acme: Organization, alice: User) -> None:
    voice = clone(acme, alice, name="Ada")
    for change, code in (
        (lambda: services.suspend_voice(voice=voice, reason="A complaint."), "voice_suspended"),
        (lambda: services.withdraw_consent(voice=voice, by=actor(alice)), "consent_withdrawn"),
    ):
        change()
        with pytest.raises(PermissionDenied) as caught:
            find_voice(organization_id=acme.pk, reference="Ada")
        assert (caught.value.code, caught.value.param) == (code, "voice")
    services.delete_voice(voice=voice, by=actor(alice))
    assert find_voice(organization_id=acme.pk, reference="Ada") is None


def test_all_are_read_at_once(acme: Organization, alice: User, django_assert_num_queries: Any) -> None:
    for number in range(3):
        clone(acme, alice, name=f"Voice {number}")
    with django_assert_num_queries(1):
        voices = OwnVoices.read(acme.pk)
        assert [voices.find(f"Voice {number}") is not None for number in range(4)] == [
            True,
            True,
            True,
            False,
        ]


def test_a_token_is_good_for_this_voice_and_this_organization(
    acme: Organization, alice: User, settings: Any
) -> None:
    clone(acme, alice, name="Ada")
    voice = find_voice(organization_id=acme.pk, reference="Ada")
    assert voice is not None
    token, secret = consent_token(voice), settings.CONSENT_SECRET
    verify_consent(token, voice.sha256, secret=secret, tenant=str(acme.pk))
    for sha256, tenant in (("0" * 64, str(acme.pk)), (voice.sha256, str(uuid4()))):
        with pytest.raises(InvalidConsentError):
            verify_consent(token, sha256, secret=secret, tenant=tenant)


def test_a_recording_is_fetched_from_a_bucket_or_sent(acme: Organization, alice: User, settings: Any) -> None:
    clone(acme, alice, name="Ada")
    voice = find_voice(organization_id=acme.pk, reference="Ada")
    assert voice is not None
    assert reference_location(voice) is None
    bucket = {"S3_BUCKET": "voices", "S3_ENDPOINT_URL": "https://s3.example.com", "S3_REGION": "eu-1"}
    bucket |= {"S3_ACCESS_KEY_ID": "id", "S3_SECRET_ACCESS_KEY": "secret"}
    settings.STORAGES = settings.STORAGES | {"default": storage(bucket)}
    settings.S3_BUCKET = "voices"
    url = reference_location(voice)
    assert url is not None
    assert url.startswith(f"https://s3.example.com/voices/{voice.reference_key}?")
    assert "X-Amz-Expires=300" in url


def test_platform_voices_that_staff_suspended(acme: Organization, alice: User) -> None:
    for owner, name in ((None, "heart"), (None, "kore"), (acme, "default")):
        voice = Voice.objects.create(organization=owner, category="premade", engine_voice=name, name=name)
        if name != "kore":
            services.suspend_voice(voice=voice, reason="A complaint.")
    services.suspend_voice(voice=clone(acme, alice), reason="A complaint.")
    assert suspended_platform_voices() == {"heart"}
