"""Limits of a month that are nearly or wholly used: told once for each month, limit and threshold.

Who wants to know subscribes and is called in the transaction that writes the notice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Organization
from apps.keys.models import ApiKey
from apps.usage.allowances import Allowance, allowances
from apps.usage.models import OrganizationLimits, UsageNotice

logger = structlog.get_logger(__name__)

Place = tuple[UUID, UUID | None]


@dataclass(frozen=True, slots=True)
class ThresholdReached:
    """`threshold` per cent of `characters_limit` were charged in the UTC month that begins with `month`.

    The limit is a key's own, or with no `key_id` that of an organization's live requests.
    """

    notice_id: UUID
    organization_id: UUID
    key_id: UUID | None
    month: date
    threshold: int
    characters_used: int
    characters_limit: int


Subscriber = Callable[[ThresholdReached], None]
_subscribers: list[Subscriber] = []


def subscribe(callback: Subscriber) -> Callable[[], None]:
    """Answers how to end it. What the callback raises takes the notice back, which is tried again."""
    _subscribers.append(callback)
    return lambda: _subscribers.remove(callback)


def notice(*, now: datetime | None = None) -> int:
    """Writes the notices that are due, by the figures of now; answers how many."""
    month = (now or timezone.now()).date().replace(day=1)
    limited = [
        allowance
        for allowance in allowances(_limited_organizations(), month)
        if allowance.key_id or allowance.mode == ApiKey.Mode.LIVE
    ]
    written = _written(month)
    count = 0
    for allowance in limited:
        due = [
            threshold
            for threshold in UsageNotice.Threshold.values
            if allowance.reaches(threshold)
            and (allowance.organization_id, allowance.key_id, threshold) not in written
        ]
        count += _write(allowance, month, due) if due else 0
    return count


def _limited_organizations() -> list[UUID]:
    """Where a month has a limit at all."""
    if settings.LIMIT_CHARACTERS_PER_MONTH:
        return list(Organization.objects.values_list("pk", flat=True))
    own = OrganizationLimits.objects.filter(characters_per_month__isnull=False)
    keys = ApiKey.objects.usable().filter(characters_per_month__isnull=False)
    ids = own.values_list("organization_id").union(keys.values_list("organization_id"))
    return [organization_id for (organization_id,) in ids]


def _written(month: date) -> set[tuple[UUID, UUID | None, int]]:
    rows = UsageNotice.objects.filter(month=month)
    return set(rows.values_list("organization_id", "key_id", "threshold"))


def _write(allowance: Allowance, month: date, due: Sequence[int]) -> int:
    """All that are due for one limit, or none; only the highest is mailed."""
    written = 0
    try:
        with transaction.atomic():
            for threshold in due:
                written += _write_one(allowance, month, threshold, wants_mail=threshold == max(due))
    except Exception:
        logger.exception("limit not noticed", organization_id=str(allowance.organization_id))
        return 0
    return written


def _write_one(allowance: Allowance, month: date, threshold: int, *, wants_mail: bool) -> bool:
    found: dict[str, Any] = {
        "characters_used": allowance.used,
        "characters_limit": allowance.limit,
        "wants_mail": wants_mail,
    }
    row, is_new = UsageNotice.objects.get_or_create(
        organization_id=allowance.organization_id,
        key_id=allowance.key_id,
        month=month,
        threshold=threshold,
        defaults=found,
    )
    if is_new:
        event = ThresholdReached(
            notice_id=row.pk,
            organization_id=allowance.organization_id,
            key_id=allowance.key_id,
            month=month,
            threshold=threshold,
            characters_used=row.characters_used,
            characters_limit=row.characters_limit,
        )
        for tell in _subscribers:
            tell(event)
    return is_new
