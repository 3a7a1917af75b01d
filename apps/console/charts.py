"""Bar charts as geometry: the server places rectangles in percent of the plot, the template draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

THIN_SPACE = "\u202f"
TOP, BOTTOM = 4.0, 86.0
BAR_SHARE = 0.68
LABELS = 6
# Thinner bars than of so many days are not seen.
MOST_DAYS = 100
WEEK = 7


@dataclass(frozen=True)
class Point:
    """What was counted from `day` on for so many days, or in one `hour` of it.

    `part` is what of the value is drawn apart; `says` is read out instead of the value in its unit.
    """

    day: date
    value: float
    days: int = 1
    hour: int | None = None
    part: float = 0
    says: str = ""

    @property
    def last(self) -> date:
        return self.day + timedelta(days=self.days - 1)


@dataclass(frozen=True)
class Tick:
    y: str
    label: str


@dataclass(frozen=True)
class Column:
    """One day or week: its bar, the ground that answers the pointer, and what is said about it."""

    x: str
    width: str
    y: str
    height: str
    part_y: str
    part_height: str
    hit_x: str
    hit_width: str
    middle: str
    label: str
    is_minor: bool
    anchor: str
    says: str


@dataclass(frozen=True)
class BarChart:
    title: str
    summary: str
    ticks: list[Tick]
    columns: list[Column]
    bottom: str


def draw_bars(points: Sequence[Point], *, title: str, unit: str, summary: str = "") -> BarChart:
    """`points` are one a day or hour, oldest first; where there are too many days for bars, weeks are drawn.

    `unit` is the plural that follows a figure ('requests'). What a week sums up has no part and says nothing
    of its own; without `summary` all values are summed up.
    """
    step = step_of(points)
    if step == "week":
        points = weeks(points)
    top = nice_ceiling(max((point.value for point in points), default=0))
    return BarChart(
        title=f"{title} by {step}",
        summary=summary or _summed(points, unit),
        ticks=[Tick(_percent(_y(share * top, top)), figure(share * top)) for share in (0, 0.5, 1)],
        columns=[_column(points, i, top, unit) for i in range(len(points))],
        bottom=_percent(BOTTOM),
    )


def step_of(days: Sequence[object]) -> str:
    """What a bar stands for: 'hour', 'day' or 'week'."""
    if days and getattr(days[0], "hour", None) is not None:
        return "hour"
    return "week" if len(days) > MOST_DAYS else "day"


def weeks(points: Sequence[Point]) -> list[Point]:
    """Seven days each, up to the last one; the first may have fewer."""
    first = len(points) % WEEK
    parts = [points[:first], *(points[start : start + WEEK] for start in range(first, len(points), WEEK))]
    return [Point(part[0].day, sum(point.value for point in part), len(part)) for part in parts if part]


def nice_ceiling(value: float) -> float:
    """The next of 2, 4, 6, 8, 10 times a power of ten, so that the half is a round figure too."""
    if value <= 2:
        return 2
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)


def figure(value: float) -> str:
    """A figure of an axis or a sentence: 840, 3.5, 12.4k, 2M."""
    for limit, suffix in ((1_000_000, "M"), (10_000, "k")):
        if value >= limit:
            scaled = value / (1_000_000 if suffix == "M" else 1000)
            return f"{scaled:.1f}".removesuffix(".0") + suffix
    whole = f"{value:,.0f}" if value >= 100 else f"{value:,.1f}".removesuffix(".0")
    return whole.replace(",", THIN_SPACE)


def _summed(points: Sequence[Point], unit: str) -> str:
    count, of = (len(points), "hours") if step_of(points) == "hour" else (sum(p.days for p in points), "days")
    return f"{_counted(sum(point.value for point in points), unit)} in {_counted(count, of)}"


def _counted(value: float, unit: str) -> str:
    return f"{figure(value)} {unit.removesuffix('s') if value == 1 else unit}"


def _column(points: Sequence[Point], index: int, top: float, unit: str) -> Column:
    point, slot = points[index], 100 / len(points)
    height = BOTTOM - _y(point.value, top)
    if point.value > 0:
        height = max(height, 1.0)
    part = height * point.part / point.value if point.value else 0
    return Column(
        x=_percent(slot * (index + (1 - BAR_SHARE) / 2)),
        width=_percent(slot * BAR_SHARE),
        y=_percent(BOTTOM - height),
        height=_percent(height),
        part_y=_percent(BOTTOM - part),
        part_height=_percent(part) if part else "",
        hit_x=_percent(slot * index),
        hit_width=_percent(slot),
        middle=_percent(slot * (index + 0.5)),
        label=_label(points, index),
        is_minor=_labels_from_last(points, index) % 2 == 1,
        anchor=_anchor(index, len(points)),
        says=f"{_said(point)}: {point.says or _counted(point.value, unit)}",
    )


def _label(points: Sequence[Point], index: int) -> str:
    if (len(points) - 1 - index) % _step(points):
        return ""
    point = points[index]
    return _day(point.last) if point.hour is None else f"{point.hour:02}:00"


def _labels_from_last(points: Sequence[Point], index: int) -> int:
    """How many labels stand between this day and the last; a narrow screen shows every other one."""
    return (len(points) - 1 - index) // _step(points)


def _step(points: Sequence[Point]) -> int:
    return max(1, math.ceil(len(points) / LABELS))


def _anchor(index: int, count: int) -> str:
    if count > LABELS and index == 0:
        return "start"
    return "end" if count > LABELS and index == count - 1 else "middle"


def _said(point: Point) -> str:
    if point.hour is not None:
        return f"{point.day:%a} {_day(point.day)}, {point.hour:02}:00 UTC"
    if point.days == 1:
        return f"{point.day:%a} {_day(point.day)}"
    return f"{_day(point.day)} to {_day(point.last)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _y(value: float, top: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * value / top


def _percent(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") + "%"
