"""Figures of voice collection as staff read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from apps.contributions.amounts import in_time, in_usd

register = template.Library()
_PERCENT = frozenset({"share"})


@register.filter
def usd(cents: int | None) -> str:
    return in_usd(cents)


@register.filter
def span(milliseconds: int | None) -> str:
    return in_time(milliseconds)


@register.filter
def spoken(name: object) -> str:
    """A name of a measure or pattern as words."""
    return str(name).replace("_", " ").capitalize()


@register.filter
def measured(line: Mapping[str, Any]) -> str:
    """The value of one measure with its unit; a dash where nothing was measured."""
    value, unit = line.get("value"), str(line.get("unit", ""))
    if not isinstance(value, int | float) or (not unit and line.get("name") == "decoding"):
        return "–"
    if unit in _PERCENT:
        return f"{value:.1%}"
    return f"{value:.2f} {unit}".strip()


@register.filter
def css_percent(share: float) -> str:
    return f"{100 * share:.2f}%"


@register.filter
def css_number(value: float) -> str:
    """With a point in every locale."""
    return f"{value:.2f}"
