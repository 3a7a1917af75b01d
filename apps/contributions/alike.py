"""Voices that are stored with clips, compared across a campaign: by the cosine, how alike they are."""

from __future__ import annotations

from collections import defaultdict
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from apps.contributions.models import Campaign, Clip

# The newest clips are read; a speaker's voice is the mean of so many of them.
MOST_CLIPS: Final = 5_000
CLIPS_A_SPEAKER: Final = 20
# With fewer, what is odd about one is chance.
FEWEST_CLIPS: Final = 4
# Means of one person's clips come to 0.95 and more, those of two people seldom to 0.85.
SAME_PERSON: Final = 0.9
MOST_PAIRS: Final = 20

Voices = dict[UUID, list[tuple[UUID, NDArray[np.float32]]]]


def voices_of(campaign: Campaign) -> Voices:
    """By speaker: clips with their unit vectors, the newest first; of clips that are not withdrawn."""
    rows = (
        Clip.objects.filter(campaign=campaign, voice__isnull=False)
        .exclude(state=Clip.State.WITHDRAWN)
        .order_by("-id")
        .values_list("contributor_id", "pk", "voice")[:MOST_CLIPS]
    )
    found: Voices = defaultdict(list)
    for contributor_id, clip_id, voice in rows:
        if voice is not None and len(found[contributor_id]) < CLIPS_A_SPEAKER:
            found[contributor_id].append((clip_id, np.frombuffer(bytes(voice), "<f4")))
    return found


def pairs(voices: Voices) -> list[tuple[UUID, UUID, float]]:
    """Speakers who sound like one person, the most alike first, with the cosine of their means."""
    speakers = [speaker for speaker, clips in voices.items() if clips]
    if len(speakers) < 2:
        return []
    means = np.stack([_unit(np.mean([voice for _, voice in voices[s]], axis=0)) for s in speakers])
    cosines = np.triu(means @ means.T, k=1)
    rows, columns = np.nonzero(cosines >= SAME_PERSON)
    alike = [
        (speakers[row], speakers[column], float(cosines[row, column]))
        for row, column in zip(rows, columns, strict=True)
    ]
    return sorted(alike, key=lambda pair: -pair[2])[:MOST_PAIRS]


def odd_clips(voices: Voices, *, under: float) -> dict[UUID, list[UUID]]:
    """By speaker, clips whose cosine to the mean of the speaker's others is lower than `under`."""
    odd: dict[UUID, list[UUID]] = {}
    for speaker, clips in voices.items():
        if len(clips) < FEWEST_CLIPS:
            continue
        vectors = np.stack([voice for _, voice in clips])
        others = vectors.sum(axis=0) - vectors
        others /= np.linalg.norm(others, axis=1, keepdims=True).clip(1e-9)
        cosines = (vectors * others).sum(axis=1)
        odd[speaker] = [
            clip_id for (clip_id, _), cosine in zip(clips, cosines, strict=True) if cosine < under
        ]
    return {speaker: clips for speaker, clips in odd.items() if clips}


def _unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), np.float32)
