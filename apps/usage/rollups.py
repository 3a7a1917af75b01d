"""Requests summed up by hour, day and month, in steps that can be killed, repeated or run twice at once.

Whole hours are made anew from records, days from hours, months from days. `RollupState.through` is how far
sums are whole: every closed request from before that hour is in one, but for those that were open when it was
last looked; these stand in `waiting` and are in no sum until they are found closed. So figures are exact at
any moment: sums before `through`, records from then on, and the waiting ones (`apps.usage.figures`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from apps.core.ids import uuid7_floor, uuid7_time
from apps.usage.figures import insert_days, insert_hours, insert_months
from apps.usage.models import RollupState, UsageDay, UsageHour, UsageMonth, UsageRecord
from apps.usage.spans import DAY, HOUR, Range, Unit, hour_of, midnight

# A request's row is there seconds after its id was made, by a clock that is a little off at most. The hour
# before `through` is made anew each time nevertheless.
LATE = timedelta(minutes=5)


def roll_up(*, now: datetime | None = None) -> int:
    """Sums up to `now`, a day of requests in each transaction; answers how many there were.

    Where another process is at it, it goes on and this one stops.
    """
    now = now or timezone.now()
    steps, behind = 0, True
    while behind:
        with transaction.atomic():
            state = _claimed(now)
            if state is None:
                break
            behind = _step(state, now)
        steps += 1
    return steps


def rebuild(first: date, last: date) -> None:
    """Makes the sums of these days anew, both included; what `roll_up` has not reached is left to it."""
    for number in range((last - first).days + 1):
        start = midnight(first + number * DAY)
        with transaction.atomic():
            state = RollupState.objects.select_for_update().first()
            if state is None or start >= state.through:
                break
            _make(start, start + DAY, state, anew=True)


def forget_hours(*, now: datetime | None = None) -> int:
    """Drops hours older than the setting allows, whole days of them; answers how many rows."""
    kept_from = midnight((now or timezone.now()).date() - settings.USAGE_HOURS_KEPT_DAYS * DAY)
    with transaction.atomic():
        state = RollupState.objects.select_for_update().first()
        if state is None:
            return 0
        # Hours that no day has been made of yet are kept, however old.
        kept_from = min(kept_from, midnight(state.through.date()))
        dropped, _ = UsageHour.objects.filter(hour__lt=kept_from).delete()
        state.kept_from = max(kept_from, state.kept_from or kept_from)
        state.save()
    return dropped


def _claimed(now: datetime) -> RollupState | None:
    """The state, locked until the transaction ends; `None` where somebody else has locked it."""
    if not RollupState.objects.exists():
        oldest = UsageRecord.objects.order_by("id").first()
        through = min(hour_of(oldest.started_at if oldest else now), hour_of(now))
        RollupState.objects.get_or_create(defaults={"through": through})
    return RollupState.objects.select_for_update(skip_locked=True).first()


def _step(state: RollupState, now: datetime) -> bool:
    """Brings sums a day of requests further, or up to now; answers whether more is left."""
    target = max(state.through, hour_of(now - LATE))
    before, through = state.through, _next_through(state.through, target)
    # Looked up before anything is summed: what closes in between waits, and is in no sum until the next time.
    was_waiting, waiting = set(state.waiting), _open_before(through)
    state.through, state.waiting, state.rolled_up_at = through, waiting, timezone.now()
    state.save()
    behind = through < target
    _make(before - HOUR, through if behind else hour_of(now) + HOUR, state, anew=through > before)
    for hour in _hours_of(was_waiting.difference(waiting)):
        _make(hour, hour + HOUR, state, anew=True)
    return behind


def _next_through(through: datetime, target: datetime) -> datetime:
    """A day after the next request that is not summed up, whenever that was."""
    if through == target:
        return target
    ahead = UsageRecord.objects.filter(id__gte=uuid7_floor(through)).order_by("id").first()
    return min(target, hour_of(ahead.started_at) + DAY) if ahead else target


def _open_before(moment: datetime) -> list[UUID]:
    rows = UsageRecord.objects.filter(state=UsageRecord.State.OPEN, id__lt=uuid7_floor(moment))
    return list(rows.order_by("id").values_list("id", flat=True))


def _hours_of(ids: Iterable[UUID]) -> list[datetime]:
    return sorted({hour_of(uuid7_time(record_id)) for record_id in ids})


def _make(start: datetime, end: datetime, state: RollupState, *, anew: bool) -> None:
    """Makes the hours of [start, end) anew, and the days and months before `through` that they belong to.

    Days and months stay, unless `anew` is asked for, where their hours turn out as they were.
    """
    if state.kept_from and start < state.kept_from:
        # The other hours of such a day are gone: it is made of all of them again.
        start, end = midnight(start.date()), max(end, midnight(start.date()) + DAY)
    known = _requests(start, state.through)
    UsageHour.objects.filter(hour__gte=start, hour__lt=end).delete()
    insert_hours((start, end), without=state.waiting)
    if anew or _requests(start, state.through) != known:
        days = midnight(start.date()), min(Unit.DAY.after(end - HOUR), midnight(state.through.date()))
        _make_days(days, state.through)


def _requests(start: datetime, end: datetime) -> int:
    """How many are in sums of hours, in which nothing but their number can change."""
    hours = UsageHour.objects.filter(hour__gte=start, hour__lt=end)
    return int(hours.aggregate(requests=Sum("requests", default=0))["requests"])


def _make_days(days: Range, through: datetime) -> None:
    first, after = days
    if first >= after:
        return
    UsageDay.objects.filter(day__gte=first.date(), day__lt=after.date()).delete()
    insert_days(days)
    months = Unit.MONTH.begin(first), min(Unit.MONTH.after(after - DAY), Unit.MONTH.begin(through))
    if months[0] < months[1]:
        UsageMonth.objects.filter(month__gte=months[0].date(), month__lt=months[1].date()).delete()
        insert_months(months)
