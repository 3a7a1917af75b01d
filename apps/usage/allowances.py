"""Characters charged in a UTC month beside how many may be: of live keys, of test keys, of limited keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from apps.keys.models import ApiKey
from apps.usage import figures
from apps.usage.limits import policies_of
from apps.usage.reports import Period, summed_through
from apps.usage.spans import Span


@dataclass(frozen=True, slots=True)
class Allowance:
    """Of one key that has a limit of its own, or of all keys of the mode and, for live, the playground.

    `limit` is `None` where nothing limits them.
    """

    organization_id: UUID
    mode: str
    key: ApiKey | None
    used: int
    limit: int | None

    @property
    def key_id(self) -> UUID | None:
        return self.key.pk if self.key else None

    @property
    def share(self) -> float | None:
        """Of 1; more than that where requests that ran on reached beyond it."""
        return self.used / self.limit if self.limit else None

    def reaches(self, percent: int) -> bool:
        return bool(self.limit) and self.used * 100 >= percent * (self.limit or 0)


def allowances(organization_ids: Collection[UUID], month: date) -> list[Allowance]:
    """Live, then test, then limited keys of each organization; four queries for any number of them."""
    used = _used(organization_ids, month)
    policies = policies_of(organization_ids)
    found = [
        Allowance(
            organization_id,
            mode,
            None,
            used[organization_id, mode, None],
            policies[organization_id].of(mode).characters_per_month,
        )
        for organization_id in organization_ids
        for mode in ApiKey.Mode.values
    ]
    limited = ApiKey.objects.usable().filter(
        organization_id__in=organization_ids, characters_per_month__isnull=False
    )
    for key in limited.order_by("name", "id"):
        charged = used[key.organization_id, key.mode, key.pk]
        found.append(Allowance(key.organization_id, key.mode, key, charged, key.characters_per_month))
    return found


def _used(organization_ids: Collection[UUID], month: date) -> Counter[tuple[UUID, str, UUID | None]]:
    """Charged characters of each mode of each organization (no key), and of each key."""
    period = Period.month(month)
    rows = figures.read(
        Span(period.start, period.end, summed_through()),
        {"organization_id": list(organization_ids)},
        ("organization_id", "mode", "key_id"),
        sums=("characters_charged",),
    )
    used: Counter[tuple[UUID, str, UUID | None]] = Counter()
    for row in rows:
        for key_id in {None, row["key_id"]}:
            used[row["organization_id"], row["mode"], key_id] += row["characters_charged"]
    return used
