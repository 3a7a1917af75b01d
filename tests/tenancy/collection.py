"""One row of each model of voice collection, of acme's campaign and of its owner as a contributor."""

from __future__ import annotations

from django.db.models import Model
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.contributions import people, sentences
from apps.contributions.models import (
    Account,
    Campaign,
    CampaignInvitation,
    Clip,
    ClipReport,
    ConsentRecord,
    ConsentText,
    ConsentWithdrawal,
    Decision,
    Entry,
    Payout,
    PayoutBatch,
    Posting,
    Prompt,
    PromptReport,
    Release,
    ReleasedClip,
    VoiceFromCollection,
    Vote,
)
from apps.core import media
from apps.voices.models import Voice
from tests.contributions import collecting


def collection_rows(acme: Organization, owner: User, mark: str) -> list[Model]:
    """For the invited alone: nobody from outside may know of it."""
    campaign = collecting.campaign(
        acme, prompts=0, name=f"{mark} campaign", description=mark, access=Campaign.Access.INVITED
    )
    sentences.import_prompts(campaign, [f"{mark} is an island."])
    contributor = people.contributor_of(owner)
    people.describe(contributor, accent=mark)
    collecting.agree(contributor, campaign)
    prompt = Prompt.objects.get(campaign=campaign)
    clip = collecting.clip(contributor, prompt, transcript=mark, reason=mark)
    clip.flac_key = f"clips/{campaign.pk}/{clip.pk}/{mark}.flac"
    clip.save()
    media.save(clip.flac_key, mark.encode())
    text = ConsentText.objects.filter(campaign=campaign)[0]
    record = ConsentRecord.objects.filter(contributor=contributor)[0]
    return [
        campaign,
        contributor,
        prompt,
        clip,
        text,
        record,
        ConsentWithdrawal.objects.create(consent=record, reason=mark),
        CampaignInvitation.objects.create(campaign=campaign, email=owner.email),
        PromptReport.objects.create(prompt=prompt, contributor=contributor, reason="hard"),
        Vote.objects.create(clip=clip, voter=contributor, round=1, is_valid=True),
        ClipReport.objects.create(clip=clip, reporter=contributor, reason=mark),
        _decision(clip, mark),
        *_money_rows(clip),
        *_release_rows(clip, mark),
        VoiceFromCollection.objects.create(
            voice=Voice.objects.create(
                organization=acme, category="premade", engine_voice=f"{mark}-engine", name=f"{mark} reads"
            ),
            campaign=campaign,
            contributor=contributor,
            consent=record,
        ),
    ]


def _decision(clip: Clip, mark: str) -> Decision:
    made: Decision = Decision.objects.create(
        clip=clip, round=1, source="pipeline", from_state="checking", to_state="in_review", reason=mark
    )
    return made


def _money_rows(clip: Clip) -> list[Model]:
    batch = PayoutBatch.objects.create()
    posting = Posting.objects.create(
        kind="earned", clip=clip, round=1, campaign=clip.campaign, due_at=timezone.now()
    )
    owed = Entry.objects.create(
        posting=posting, account=Account.PENDING, contributor=clip.contributor, cents=-4
    )
    Entry.objects.create(posting=posting, account=Account.EXPENSE, cents=4)
    return [batch, posting, owed, Payout.objects.create(batch=batch, contributor=clip.contributor, cents=4)]


def _release_rows(clip: Clip, mark: str) -> list[Model]:
    release = Release.objects.create(
        campaign=clip.campaign, version=1, seed="0" * 64, notes=mark, frozen_at=timezone.now()
    )
    released = ReleasedClip.objects.create(
        release=release, clip=clip, public_id=f"{mark}-1", speaker=mark, split="train"
    )
    return [release, released]
