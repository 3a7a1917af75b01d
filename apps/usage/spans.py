"""A span of time taken apart: whole months, days and hours that are summed up, and the rest, as records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Range = tuple[datetime, datetime]


def hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


class Unit(Enum):
    """What is summed up."""

    MONTH = "month"
    DAY = "day"
    HOUR = "hour"

    def begin(self, moment: datetime) -> datetime:
        """When the one that the moment lies in began."""
        if self is Unit.HOUR:
            return hour_of(moment)
        day = moment.astimezone(UTC).date()
        return midnight(day if self is Unit.DAY else day.replace(day=1))

    def after(self, moment: datetime) -> datetime:
        """When the next one begins."""
        longest = {Unit.MONTH: 31 * DAY, Unit.DAY: DAY, Unit.HOUR: HOUR}[self]
        return self.begin(self.begin(moment) + longest)

    def within(self, start: datetime, end: datetime) -> Range:
        """The whole ones of [start, end); empty, the first of the two later, where there is none."""
        begin = self.begin(start)
        return (start if begin == start else self.after(start)), self.begin(end)


@dataclass(frozen=True)
class Span:
    """[start, end) in UTC, with the hour up to which sums are whole; `None` where there are none.

    Where it starts within a day, that day's hours must still be kept.
    """

    start: datetime
    end: datetime
    through: datetime | None

    @property
    def summed_to(self) -> datetime:
        """Sums are read up to here, records from here on."""
        if self.through is None:
            return self.start
        return max(self.start, min(hour_of(self.end), self.through))

    def parts(self, *, by_day: bool = False, by_hour: bool = False) -> Iterator[tuple[Unit | None, Range]]:
        """Every moment once, in the largest units, or none larger than a day or an hour; records where there
        is none.
        """
        units = [Unit.HOUR] if by_hour else [Unit.DAY, Unit.HOUR] if by_day else list(Unit)
        yield from _parts(self.start, self.summed_to, units)
        if self.summed_to < self.end:
            yield None, (self.summed_to, self.end)


def _parts(start: datetime, end: datetime, units: Sequence[Unit]) -> Iterator[tuple[Unit | None, Range]]:
    if start >= end:
        return
    if not units:
        yield None, (start, end)
        return
    first, last = units[0].within(start, end)
    if first >= last:
        yield from _parts(start, end, units[1:])
        return
    yield from _parts(start, first, units[1:])
    yield units[0], (first, last)
    yield from _parts(last, end, units[1:])
