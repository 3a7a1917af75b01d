"""Campaigns, people and clips as tests want them, made by the room's own services."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import uuid4

from apps.accounts.models import Organization, User
from apps.contributions import consenting, people, sentences
from apps.contributions.models import Campaign, Clip, Contributor, Prompt
from apps.core.ids import uuid7

CONSENT = "I agree that recordings of my voice are used for this purpose. I can withdraw at any time."


def campaign(organization: Organization, *, prompts: int = 5, **fields: Any) -> Campaign:
    """Open, in English, at 60 cents a minute, with a consent text for each purpose."""
    values: dict[str, Any] = {
        "name": f"Campaign {secrets.token_hex(4)}",
        "language": "en",
        "state": Campaign.State.OPEN,
        "purposes": ["train", "public_dataset"],
        "optional_purposes": ["voice_cloning"],
        "licence": "CC-BY-4.0",
        "cents_per_minute": 60,
    }
    made: Campaign = Campaign.objects.create(organization=organization, **(values | fields))
    for purpose in [*made.purposes, *made.optional_purposes]:
        consenting.publish_text(
            campaign=made, purpose=purpose, locale="en", text=f"{CONSENT} ({purpose}, {made.name})"
        )
    sentences.import_prompts(made, [f"This is sentence number {spelled(n)}." for n in range(prompts)])
    return made


def spelled(number: int) -> str:
    """Digits are read in more than one way."""
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return " ".join(words[int(digit)] for digit in str(number))


def speaker(name: str = "") -> Contributor:
    """A person without an organization."""
    address = f"{name or secrets.token_hex(4)}@speaker.example"
    user = User.objects.create_user(address, "correct horse battery")
    return people.contributor_of(user)


def agree(contributor: Contributor, to: Campaign, *, optional: bool = False) -> None:
    purposes = [*to.purposes, *(to.optional_purposes if optional else [])]
    texts = consenting.texts_of(to)
    consenting.agree(
        contributor=contributor,
        campaign=to,
        shown={purpose: texts[purpose].sha256 for purpose in purposes},
        is_adult=True,
        address="203.0.113.77",
        user_agent="tests",
    )


def clip(contributor: Contributor, prompt: Prompt, *, speech_ms: int = 4_000, **fields: Any) -> Clip:
    """A row as the pipeline leaves one that it sends to review; without files."""
    values: dict[str, Any] = {
        "id": uuid7(),
        "campaign": prompt.campaign,
        "prompt": prompt,
        "contributor": contributor,
        "upload_id": uuid4(),
        "state": Clip.State.IN_REVIEW,
        "original_sha256": secrets.token_hex(32),
        "original_bytes": 40_000,
        "told_duration_ms": speech_ms + 1_000,
        "duration_ms": speech_ms + 1_000,
        "speech_ms": speech_ms,
        "cents_per_minute": prompt.campaign.cents_per_minute,
    }
    made: Clip = Clip.objects.create(**(values | fields))
    made.consents.set(consenting.in_force(contributor, prompt.campaign).values())
    return made
