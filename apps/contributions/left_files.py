"""Recordings that no clip leads to: an upload or a check was killed when it had stored its file.

While a clip stands, what a check left behind is found by the next one. What is of no clip, or of one that
was withdrawn before the file was stored, is found by nothing but its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Final
from uuid import UUID

import structlog
from django.utils import timezone

from apps.contributions.models import Clip
from apps.contributions.models.clips import CLIPS_FOLDER
from apps.core import media
from apps.core.ids import uuid_or_none

logger = structlog.get_logger(__name__)

# Far longer than an upload or a check takes.
_ROW_FOLLOWS: Final = timedelta(hours=1)
_BATCH: Final = 500


def sweep() -> int:
    """Removes them; answers how many. Safe to repeat. Raises `Unavailable`."""
    removed, stored = 0, _stored()
    while batch := list(islice(stored, _BATCH)):
        ids = {clip_id for _, clip_id in batch}
        standing = Clip.objects.filter(pk__in=ids).exclude(state=Clip.State.WITHDRAWN)
        left = ids - set(standing.values_list("pk", flat=True))
        for key in [key for key, clip_id in batch if clip_id in left]:
            media.delete(key)
            removed += 1
    if removed:
        logger.warning("recordings without a clip removed", count=removed)
    return removed


def _stored() -> Iterator[tuple[str, UUID]]:
    """What was stored long enough ago, and of which clip."""
    old = timezone.now() - _ROW_FOLLOWS
    for key, written_at in media.listed(CLIPS_FOLDER):
        _, *folders, _ = key.split("/")
        clip_id = uuid_or_none(folders[1]) if len(folders) == 2 else None
        if clip_id and written_at < old:
            yield key, clip_id
