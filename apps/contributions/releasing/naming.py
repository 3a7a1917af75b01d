"""Names and splits of one release. They follow from its secret seed, and tell nothing across releases."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from apps.contributions.models import ReleasedClip

_S = ReleasedClip.Split
_ID_CHARACTERS: Final = 16
# Of all speakers, for validation and for test each; the rest is for training.
_HELD_OUT: Final = 0.05


def new_seed() -> str:
    return secrets.token_hex(32)


def public_id(seed: str, clip_id: UUID) -> str:
    return _derived(seed, "clip", clip_id)


def pseudonym(seed: str, contributor_id: UUID) -> str:
    return _derived(seed, "speaker", contributor_id)


def splits_of(seed: str, clips_of: Mapping[UUID, int]) -> dict[UUID, ReleasedClip.Split]:
    """The split of each speaker, by how many clips they have: about 90, 5 and 5 % of the speakers, by hash.

    Two speakers are train and test, one alone is train. Whoever has the most clips is in train, so that few
    speakers do not leave nearly all there is to be tested on.
    """
    ranked = sorted(clips_of, key=lambda speaker: _derived(seed, "split", speaker))
    most = max(ranked, key=lambda speaker: clips_of[speaker], default=None)
    held = [speaker for speaker in ranked if speaker != most]
    count = max(1, round(_HELD_OUT * len(ranked)))
    test, validation = held[:count], held[count : 2 * count]
    found = dict.fromkeys(ranked, _S.TRAIN)
    return found | dict.fromkeys(test, _S.TEST) | dict.fromkeys(validation, _S.VALIDATION)


def _derived(seed: str, kind: str, of: UUID) -> str:
    digest = hmac.new(bytes.fromhex(seed), f"{kind}:{of}".encode(), hashlib.sha256)
    return digest.hexdigest()[:_ID_CHARACTERS]
