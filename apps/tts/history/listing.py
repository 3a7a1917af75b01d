"""What members see of their history: found by words and days, newest first."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from rest_framework import serializers

from apps.accounts.models import Organization
from apps.core.ids import uuid7_floor
from apps.tts.history.models import HistoryItem, HistoryItemQuerySet
from apps.usage.api import DayField


class HistoryFilterSerializer(serializers.Serializer[Any]):
    """Which requests of the history, for API and page alike."""

    q = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=200,
        help_text="Words of the text, or their beginnings; all of them must be there.",
    )
    start = DayField(required=False, help_text="First UTC day.")
    end = DayField(required=False, help_text="Last UTC day, included.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "start" in attrs and "end" in attrs and attrs["end"] < attrs["start"]:
            raise serializers.ValidationError("The last day lies before the first.")
        return attrs


def listed(
    organization: Organization, *, q: str = "", start: date | None = None, end: date | None = None
) -> HistoryItemQuerySet:
    items = HistoryItem.objects.shown(organization)
    if words := q.split():
        items = items.filter(search=SearchQuery(_all_begun(words), config="simple", search_type="raw"))
    if start is not None:
        items = items.filter(id__gte=uuid7_floor(_midnight(start)))
    if end is not None:
        items = items.filter(id__lt=uuid7_floor(_midnight(end) + timedelta(days=1)))
    return items.order_by("-id")  # type: ignore[no-any-return]


def history_item_of(organization: Organization, item_id: str | None) -> HistoryItem | None:
    """The kept request that a URL names, where there is one."""
    try:
        wanted = UUID(item_id or "")
    except ValueError:
        return None
    found: HistoryItem | None = HistoryItem.objects.shown(organization).filter(pk=wanted).first()
    return found


def _all_begun(words: list[str]) -> str:
    """A tsquery for texts in which each of the words is, or one that begins with it."""
    quoted = (word.replace("\\", "\\\\").replace("'", "''") for word in words)
    return " & ".join(f"'{word}':*" for word in quoted)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
