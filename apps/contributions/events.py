"""The events of campaigns, for the organization that a campaign belongs to: of speakers they say nothing."""

from __future__ import annotations

from typing import Any

from apps.contributions.models import Campaign, Clip, Payout, Release
from apps.webhooks import catalogue, outbox
from apps.webhooks.catalogue import EventType, identifier, record, text, whole

_CAMPAIGN = {"campaign_id": identifier("The campaign.")}
_CLIP = {
    **_CAMPAIGN,
    "clip_id": identifier("The recording."),
    "prompt_id": identifier("The sentence."),
}
_EXAMPLE = {"campaign_id": "0197b3a2-9b0c-7e15-8d44-73a1f6c2e590"}
_CLIP_EXAMPLE = {
    **_EXAMPLE,
    "clip_id": "0197b3a2-a3d2-7c08-9f6b-2e51d8b4c7a3",
    "prompt_id": "0197b3a2-77e1-7d4a-b0c9-5f82a6e3d914",
}

CLIP_ACCEPTED = EventType(
    name="clip.accepted",
    meaning="A recording was accepted.",
    data=record(**_CLIP, speech_ms=whole("How much speech it holds, in milliseconds.")),
    example={**_CLIP_EXAMPLE, "speech_ms": 4180},
)
CLIP_REJECTED = EventType(
    name="clip.rejected",
    meaning="A recording was rejected.",
    data=record(**_CLIP, reason=text("Why, as its contributor reads it.")),
    example={**_CLIP_EXAMPLE, "reason": "There is too much noise: try a quieter place."},
)
PAYOUT_PAID = EventType(
    name="payout.paid",
    meaning="A payout to a contributor arrived. One for each campaign that it paid for.",
    data=record(
        **_CAMPAIGN,
        payout_id=identifier("The payout."),
        cents=whole("Of the payout, what this campaign's speech had earned, in US cents."),
    ),
    example={**_EXAMPLE, "payout_id": "0197b3a2-c518-7b93-8a0d-e4f71c2d6b85", "cents": 1260},
)
RELEASE_READY = EventType(
    name="release.ready",
    meaning="A version of a campaign's data set is there.",
    data=record(
        **_CAMPAIGN,
        release_id=identifier("The release."),
        version=whole("Its number."),
        clips=whole("How many recordings it has."),
        removed=whole("How many of the version before were withdrawn."),
    ),
    example={
        **_EXAMPLE,
        "release_id": "0197b3a2-d9e4-7f21-9b37-08c6a5d1f2e4",
        "version": 3,
        "clips": 12_408,
        "removed": 2,
    },
)


def register() -> None:
    catalogue.register(CLIP_ACCEPTED, CLIP_REJECTED, PAYOUT_PAID, RELEASE_READY)


def clip_decided(clip: Clip) -> None:
    told: dict[str, Any] = {
        "campaign_id": str(clip.campaign_id),
        "clip_id": str(clip.pk),
        "prompt_id": str(clip.prompt_id),
    }
    if clip.state == Clip.State.ACCEPTED:
        kind, told["speech_ms"] = CLIP_ACCEPTED, clip.speech_ms
    else:
        kind, told["reason"] = CLIP_REJECTED, clip.reason
    outbox.emit(kind.name, organization_id=clip.campaign.organization_id, data=told)


def payout_paid(payout: Payout, campaign: Campaign, cents: int) -> None:
    told = {"campaign_id": str(campaign.pk), "payout_id": str(payout.pk), "cents": cents}
    outbox.emit(PAYOUT_PAID.name, organization_id=campaign.organization_id, data=told)


def release_ready(release: Release, *, clips: int) -> None:
    told = {
        "campaign_id": str(release.campaign_id),
        "release_id": str(release.pk),
        "version": release.version,
        "clips": clips,
        "removed": len(release.removed_ids),
    }
    outbox.emit(RELEASE_READY.name, organization_id=release.campaign.organization_id, data=told)
