"""What was asked of a deployment, as bars, by `unit` hour or day."""

from __future__ import annotations

from typing import Any

from django import template

from apps.console.charts import Point, draw_bars
from apps.console.templatetags.console import number, seconds
from apps.usage.of_deployment import Slot, Whole

register = template.Library()


@register.inclusion_tag("components/chart.html")
def requests_chart(report: Whole, unit: str) -> dict[str, Any]:
    """How many there were, and how many of them failed or were cut."""
    points = [
        _point(slot, unit, slot.requests, part=slot.broken, says=_counted(slot)) for slot in report.slots
    ]
    return {"chart": draw_bars(points, title="Requests", unit="requests"), "look": "broken"}


@register.inclusion_tag("components/chart.html")
def first_audio_chart(report: Whole, unit: str) -> dict[str, Any]:
    """95 of 100 had theirs by the top of the bar, half of them by that of its stronger part."""
    points = [
        _point(slot, unit, slot.ttfb_p95_ms or 0, part=slot.ttfb_p50_ms or 0, says=_took(slot))
        for slot in report.slots
    ]
    return {
        "chart": draw_bars(points, title="First audio", unit="ms", summary=_took(report).capitalize()),
        "look": "lower",
    }


def _point(slot: Slot, unit: str, value: float, *, part: float, says: str) -> Point:
    hour = slot.begins.hour if unit == "hour" else None
    return Point(slot.begins.date(), value, hour=hour, part=part, says=says)


def _counted(slot: Slot) -> str:
    said = f"{number(slot.requests)} request{'' if slot.requests == 1 else 's'}"
    return f"{said}, {number(slot.broken)} failed or cut" if slot.broken else said


def _took(slot: Slot) -> str:
    if slot.ttfb_p50_ms is None:
        return "no audio"
    return f"median {seconds(slot.ttfb_p50_ms)}, p95 {seconds(slot.ttfb_p95_ms)}"
