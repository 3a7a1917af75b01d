"""The events of limits that were reached."""

from __future__ import annotations

from apps.usage import thresholds
from apps.usage.models import UsageNotice
from apps.usage.thresholds import ThresholdReached
from apps.webhooks import catalogue, outbox
from apps.webhooks.catalogue import EventType, optional_identifier, record, text, whole

_DATA = record(
    key_id=optional_identifier("The key whose own limit it is; null for the organization's."),
    month=text("The UTC month that it counts for, such as 2026-11."),
    threshold=whole("In per cent of the limit."),
    characters_used=whole("Charged in that month."),
    characters_limit=whole("The limit of that month."),
)


def _example(threshold: int, used: int) -> dict[str, object]:
    return {
        "key_id": None,
        "month": "2026-11",
        "threshold": threshold,
        "characters_used": used,
        "characters_limit": 1_000_000,
    }


THRESHOLD_REACHED = EventType(
    name="usage.threshold_reached",
    meaning="80 % of a month's characters are used. Told once for each month and limit.",
    data=_DATA,
    example=_example(80, 803_412),
)
QUOTA_EXHAUSTED = EventType(
    name="quota.exhausted",
    meaning="A month's characters are used up: requests are refused until the next one, or a higher limit.",
    data=_DATA,
    example=_example(100, 1_000_000),
)


def register() -> None:
    catalogue.register(THRESHOLD_REACHED, QUOTA_EXHAUSTED)
    thresholds.subscribe(reached)


def reached(event: ThresholdReached) -> None:
    is_all = event.threshold == UsageNotice.Threshold.REACHED
    told = {
        "key_id": str(event.key_id) if event.key_id else None,
        "month": f"{event.month:%Y-%m}",
        "threshold": int(event.threshold),
        "characters_used": event.characters_used,
        "characters_limit": event.characters_limit,
    }
    kind = QUOTA_EXHAUSTED if is_all else THRESHOLD_REACHED
    outbox.emit(kind.name, organization_id=event.organization_id, data=told)
