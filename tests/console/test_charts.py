from __future__ import annotations

from datetime import date, timedelta

import pytest

from apps.console.charts import Point, draw_bars, figure, nice_ceiling


def points(*values: float) -> list[Point]:
    return [Point(date(2026, 3, 1) + timedelta(days=n), value) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("value", "ceiling"),
    [(0, 2), (2, 2), (3, 4), (7, 8), (11, 20), (61, 80), (100, 100), (101, 200), (8_400, 10_000)],
)
def test_the_axis_ends_at_a_round_figure(value: float, ceiling: float) -> None:
    assert nice_ceiling(value) == ceiling


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (3.25, "3.2"),
        (840, "840"),
        (1234, "1\u202f234"),
        (12_400, "12.4k"),
        (20_000, "20k"),
        (2e6, "2M"),
    ],
)
def test_figures_are_short(value: float, said: str) -> None:
    assert figure(value) == said


def test_bars_stand_on_one_line_and_grow_with_their_value() -> None:
    chart = draw_bars(points(0, 40, 80), title="Requests", unit="requests")
    heights = [float(column.height.rstrip("%")) for column in chart.columns]
    feet = {round(float(c.y.rstrip("%")) + float(c.height.rstrip("%")), 2) for c in chart.columns}
    assert heights[0] == 0
    assert heights[2] == pytest.approx(2 * heights[1], rel=0.01)
    assert feet == {86.0}


def test_a_small_day_beside_a_big_one_is_still_seen() -> None:
    chart = draw_bars(points(1, 100_000), title="Requests", unit="requests")
    assert float(chart.columns[0].height.rstrip("%")) >= 1


def test_it_is_read_out_in_words() -> None:
    chart = draw_bars(points(3, 4), title="Requests", unit="requests")
    assert chart.title == "Requests by day"
    assert chart.summary == "7 requests in 2 days"
    assert chart.columns[1].says == "Mon 2 Mar: 4 requests"
    assert draw_bars(points(1), title="", unit="requests").summary == "1 request in 1 day"


@pytest.mark.parametrize("days", [1, 7, 30, 90, 366])
def test_labels_are_few_and_name_the_last_day(days: int) -> None:
    chart = draw_bars(points(*[1.0] * days), title="Requests", unit="requests")
    labels = [column.label for column in chart.columns if column.label]
    assert 1 <= len(labels) <= 7
    assert chart.columns[-1].label
    assert not chart.columns[-1].is_minor


def test_a_year_is_drawn_in_weeks_that_end_with_its_last_day() -> None:
    chart = draw_bars(points(*[1.0] * 365), title="Requests", unit="requests")
    assert (chart.title, chart.summary) == ("Requests by week", "365 requests in 365 days")
    assert len(chart.columns) == 53
    assert chart.columns[0].says == "Sun 1 Mar: 1 request"
    assert chart.columns[1].says == "2 Mar to 8 Mar: 7 requests"
    assert chart.columns[-1].label == "28 Feb"
    assert len(draw_bars(points(*[1.0] * 90), title="", unit="requests").columns) == 90


def test_hours_are_read_out_and_labelled_as_hours() -> None:
    hours = [Point(date(2026, 3, 1), n, hour=n) for n in range(24)]
    chart = draw_bars(hours, title="Requests", unit="requests")
    assert (chart.title, chart.summary) == ("Requests by hour", "276 requests in 24 hours")
    assert chart.columns[23].says == "Sun 1 Mar, 23:00 UTC: 23 requests"
    assert [column.label for column in chart.columns if column.label][-1] == "23:00"


def test_a_part_of_a_bar_stands_within_it() -> None:
    whole, broken = draw_bars(
        [Point(date(2026, 3, 1), 4), Point(date(2026, 3, 2), 4, part=1, says="one broke")],
        title="Requests",
        unit="requests",
    ).columns
    assert whole.part_height == ""
    assert float(broken.part_height.rstrip("%")) == pytest.approx(
        float(broken.height.rstrip("%")) / 4, rel=0.01
    )
    assert broken.says == "Mon 2 Mar: one broke"
