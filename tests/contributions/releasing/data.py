"""Campaigns with recordings that are there, releases made of them, and what lies in their files."""

from __future__ import annotations

import io
import tarfile
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np

from apps.accounts.models import User
from apps.contributions import consenting, deciding, withdrawing
from apps.contributions.models import Campaign, Clip, Contributor, Prompt, Release
from apps.contributions.quality.sound import kept
from apps.contributions.releasing import keeping, making, services
from apps.core import media
from tests.contributions import collecting

RATE = 48_000
Speakers = dict[str, Contributor]
NAMES = ("ada", "ben", "cleo", "dan", "eva", "finn", "gus", "hal")
SENTENCES = (
    'He paid $5 for "three" apples; she didn\'t.',
    "It is 21 degrees, isn't it?",
    *(f"This is sentence number {collecting.spelled(n)} of these." for n in range(10, 18)),
)


@cache
def flac(hertz: int, seconds: float = 0.4) -> bytes:
    """A tone, as the pipeline keeps clips."""
    times = np.arange(round(seconds * RATE)) / RATE
    return kept((0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)).flac


def prompts(campaign: Campaign) -> list[Prompt]:
    number = campaign.prompts.count()
    for sentence in SENTENCES:
        if not campaign.prompts.filter(text=sentence).exists():
            number += 1
            Prompt.objects.create(campaign=campaign, number=number, text=sentence)
    return [campaign.prompts.get(text=sentence) for sentence in SENTENCES]


def speakers(campaign: Campaign, *, count: int, clips: int) -> Speakers:
    people: Speakers = {}
    for place, name in enumerate(NAMES[:count]):
        person = people[name] = collecting.speaker(name)
        Contributor.objects.filter(pk=person.pk).update(age_band="30-39", gender="female", accent="Scottish")
        collecting.agree(person, campaign, optional=True)
        for number, prompt in enumerate(prompts(campaign)[:clips]):
            accepted(person, prompt, hertz=200 + 10 * place + number)
    return people


def accepted(
    contributor: Contributor, prompt: Prompt, *, hertz: int = 220, seconds: float = 0.4, **fields: Any
) -> Clip:
    """With its recording in the storage."""
    told: dict[str, Any] = {"duration_ms": round(seconds * 1000), "speech_ms": 300} | fields
    clip = collecting.clip(contributor, prompt, **told)
    key = f"clips/{clip.campaign_id}/{clip.pk}/{hertz}.flac"
    media.save(key, flac(hertz, seconds))
    Clip.objects.filter(pk=clip.pk).update(flac_key=key)
    clip.refresh_from_db()
    deciding.decide(clip, to=Clip.State.ACCEPTED, source="staff")
    return clip


def made(campaign: Campaign, *, by: User | None = None, notes: str = "") -> Release:
    """Frozen, and made to its end."""
    release = services.freeze(campaign=campaign, by=by, notes=notes)
    return finished(release)


def finished(release: Release) -> Release:
    for _ in range(100):
        if not making.make(release.pk):
            break
    release.refresh_from_db()
    return release


def withdraw(contributor: Contributor, campaign: Campaign, purpose: str = "train") -> None:
    """As the person does, and carried out as Celery does."""
    consent = consenting.in_force(contributor, campaign)[purpose]
    withdrawing.carry_out(withdrawing.withdraw(consent).pk)


def content(release: Release, name: str) -> bytes:
    return media.read(keeping.key_of(release, name))


def names(release: Release) -> list[str]:
    return [file["name"] for file in release.files]


def unpacked(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def whole(release: Release) -> bytes:
    """All that is given out, one after the other."""
    return b"".join(content(release, name) for name in names(release))


def ids_of(release: Release, contributor: Contributor) -> set[str]:
    rows = release.clips.filter(clip__contributor=contributor)
    return set(rows.values_list("public_id", flat=True))


def pseudonym_of(release: Release, contributor: Contributor | UUID) -> str:
    found: str = release.clips.filter(clip__contributor=contributor)[0].speaker
    return found
