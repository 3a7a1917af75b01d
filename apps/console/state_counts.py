"""How many rows are in each state, for pages of staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, QuerySet

DEPLOYMENT_TONES: Final = {"ready": "good", "failed": "bad", "degraded": "warning", "updating": "warning"}
WORKER_TONES: Final = {"ready": "good", "unreachable": "bad", "incompatible": "bad", "starting": "warning"}


@dataclass(frozen=True)
class StateCount:
    label: str
    value: int
    tone: str


def by_state(rows: QuerySet[Any], tones: Mapping[str, str]) -> list[StateCount]:
    """In the order in which a row goes through them."""
    return in_order(rows.model, rows.values_list("state").annotate(count=Count("pk")), tones)


def in_order(model: Any, found: Iterable[tuple[str, int]], tones: Mapping[str, str]) -> list[StateCount]:
    labels = dict(model.State.choices)
    order = list(labels)
    counts = sorted(found, key=lambda row: order.index(row[0]))
    return [StateCount(str(labels[state]), count, tones.get(state, "quiet")) for state, count in counts]
