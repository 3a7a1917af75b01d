"""A span of time taken apart: days and hours that are summed up whole, and the rest, read as records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Range = tuple[datetime, datetime]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _hour_from(moment: datetime) -> datetime:
    return hour_of(moment + HOUR - timedelta(microseconds=1))


def _midnight_from(moment: datetime) -> datetime:
    return midnight((moment + DAY - timedelta(microseconds=1)).date())


@dataclass(frozen=True)
class Span:
    """[start, end) in UTC, with the hour up to which sums are whole; `None` where there are none.

    The parts below hold every moment once. Where it starts within a day, that day's hours must still be kept.
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

    @property
    def days(self) -> Range:
        first = _midnight_from(self.start)
        return first, max(first, midnight(self.summed_to.date()))

    @property
    def hours(self) -> list[Range]:
        first, last = _hour_from(self.start), self.summed_to
        if self.days[0] == self.days[1]:
            return [(first, last)]
        return [(first, self.days[0]), (self.days[1], last)]

    @property
    def records(self) -> list[Range]:
        head = min(_hour_from(self.start), self.summed_to)
        return [(self.start, head), (self.summed_to, self.end)]
