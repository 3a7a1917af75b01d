"""Withdrawing and erasing: use stops at once, files go, the ledger stays."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.models import Organization, User
from apps.contributions import consenting, deciding, ledger, people, withdrawing
from apps.contributions.models import (
    Campaign,
    Clip,
    ClipPrint,
    ConsentRecord,
    ConsentWithdrawal,
    Contributor,
    Vote,
)
from apps.core import media
from apps.core.errors import Conflict
from apps.webhooks.models import Event
from tests.contributions import collecting

pytestmark = pytest.mark.django_db


def recorded(contributor: Contributor, campaign: Campaign, number: int = 0) -> Clip:
    """With files, a fingerprint and a voice."""
    made = collecting.clip(contributor, campaign.prompts.all()[number])
    made.original_key, made.flac_key = f"clips/{made.pk}/original", f"clips/{made.pk}/a.flac"
    made.fingerprint, made.voice, made.transcript = b"\x01abcd", b"v" * 1024, "this is sentence"
    made.save()
    for key in (made.original_key, made.flac_key):
        media.save(key, b"sound")
    ClipPrint.objects.create(clip=made, value=7)
    return made


def consent(contributor: Contributor, purpose: str) -> ConsentRecord:
    return ConsentRecord.objects.get(contributor=contributor, purpose=purpose)


def test_a_needed_purpose_takes_every_clip_along(
    campaign: Campaign, dora: Contributor, emil: Contributor
) -> None:
    own, other = recorded(dora, campaign), recorded(emil, campaign, 1)
    deciding.decide(own, to=Clip.State.ACCEPTED, source="staff")
    withdrawal = withdrawing.withdraw(consent(dora, "public_dataset"), reason="I changed my mind.")
    own.refresh_from_db()
    assert own.state == "withdrawn"
    assert not consenting.may_record(dora, campaign)
    assert withdrawal.state == "requested"
    assert withdrawing.open_withdrawals() == [withdrawal.pk]
    assert withdrawing.carry_out(withdrawal.pk)
    assert not withdrawing.carry_out(withdrawal.pk)
    own.refresh_from_db()
    assert (own.fingerprint, own.voice, own.transcript, own.flac_key) == (None, None, "", "")
    assert own.files_gone_at is not None
    assert not ClipPrint.objects.filter(clip=own).exists()
    other.refresh_from_db()
    assert other.state == "in_review"
    assert media.read(other.flac_key) == b"sound"
    assert ledger.balance(dora).earned == 0
    assert ConsentWithdrawal.objects.get().done_at is not None


def test_files_are_gone(campaign: Campaign, dora: Contributor) -> None:
    own = recorded(dora, campaign)
    keys = (own.original_key, own.flac_key)
    withdrawing.carry_out(withdrawing.withdraw(consent(dora, "train")).pk)
    assert not any(map(media.exists, keys))


def test_an_optional_purpose_leaves_clips_alone(campaign: Campaign) -> None:
    speaker = collecting.speaker()
    collecting.agree(speaker, campaign, optional=True)
    own = recorded(speaker, campaign)
    withdrawing.carry_out(withdrawing.withdraw(consent(speaker, "voice_cloning")).pk)
    own.refresh_from_db()
    assert own.state == "in_review"
    assert media.read(own.flac_key) == b"sound"
    assert "voice_cloning" not in consenting.in_force(speaker, campaign)
    assert consenting.may_record(speaker, campaign)


def test_twice_is_once(campaign: Campaign, dora: Contributor) -> None:
    withdrawing.withdraw(consent(dora, "train"))
    with pytest.raises(Conflict):
        withdrawing.withdraw(consent(dora, "train"))


def test_one_may_agree_again(campaign: Campaign, dora: Contributor) -> None:
    withdrawing.withdraw(consent(dora, "train"))
    collecting.agree(dora, campaign)
    assert consenting.may_record(dora, campaign)
    assert ConsentRecord.objects.filter(contributor=dora, purpose="train").count() == 2


def test_a_record_of_consent_never_changes(campaign: Campaign, dora: Contributor) -> None:
    for act in (
        lambda: ConsentRecord.objects.update(purpose="voice_cloning"),
        lambda: ConsentRecord.objects.filter(contributor=dora)._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            act()


def test_the_organization_hears_of_it_and_not_of_whom(
    campaign: Campaign, dora: Contributor, acme: Organization
) -> None:
    withdrawing.withdraw(consent(dora, "train"), reason="My name is Dora.")
    event = Event.objects.for_organization(acme).get(type="consent.withdrawn")
    told = json.loads(event.body)["data"]
    assert told == {
        "subject": "recordings",
        "voice_id": None,
        "name": None,
        "campaign_id": str(campaign.pk),
        "purpose": "train",
        "reason": "",
    }
    for secret in (dora.pk.hex, str(dora.pk), "dora", "Dora"):
        assert secret not in event.body


def test_erasing_leaves_the_account_and_the_ledger(
    campaign: Campaign, dora: Contributor, emil: Contributor
) -> None:
    own, other = recorded(dora, campaign), recorded(emil, campaign, 1)
    deciding.decide(own, to=Clip.State.ACCEPTED, source="staff")
    deciding.vote(dora, other, is_valid=True)
    people.describe(dora, age_band="30-39", gender="female", accent="Wiener")
    people.set_payout_account(dora, "somewhere")
    user = dora.user
    assert user is not None
    withdrawing.erase(dora)
    assert (dora.user, dora.age_band, dora.accent, dora.payout_account) == (None, "", "", "")
    assert dora.erased_at is not None
    assert User.objects.filter(pk=user.pk).exists()
    assert not Vote.objects.exists()
    own.refresh_from_db()
    assert own.state == "withdrawn"
    for withdrawal_id in withdrawing.open_withdrawals():
        withdrawing.carry_out(withdrawal_id)
    own.refresh_from_db()
    assert own.files_gone_at is not None
    assert ledger.flaws() == []
    # The person may come again, as somebody new.
    assert people.contributor_of(user).pk != dora.pk
