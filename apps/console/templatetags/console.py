"""Words and figures as the console writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.console import samples
from apps.console.charts import BarChart, Point, draw_bars, step_of
from apps.console.docs.samples import samples_of
from apps.console.icons import STROKES
from apps.console.samples import FIRST_TEXT
from apps.usage.reports import Sums

register = template.Library()

THIN_SPACE = "\u202f"


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon that says nothing to a screen reader: the words beside it do."""
    classes = f"icon icon-{name} {extra}".strip()
    strokes = mark_safe(STROKES[name])  # noqa: S308 - our own constant
    return format_html('<svg class="{}" viewBox="0 0 16 16" aria-hidden="true">{}</svg>', classes, strokes)


@register.simple_tag
def control(field: BoundField, classes: str = "input") -> SafeString:
    """The field's widget in the console's look, without a placeholder that only says the label again."""
    attrs: dict[str, str | bool] = {"class": classes}
    placeholder = str(field.field.widget.attrs.get("placeholder", ""))
    if placeholder.lower().startswith(field.label.lower()):
        attrs["placeholder"] = ""
    return field.as_widget(attrs=attrs)


@register.filter
def number(value: float | None) -> str:
    """12 345: thousands apart by a thin space; a dash where nothing was measured."""
    if value is None:
        return "–"
    return f"{round(value):,}".replace(",", THIN_SPACE)


@register.filter
def dollars(amount: Decimal | None) -> str:
    """$1 240.50; tenths of a cent too where it is less than a dollar; a dash where nothing is known."""
    if amount is None:
        return "–"
    places = 2 if amount >= 1 or round(amount * 1000) % 10 == 0 else 3
    return f"${amount:,.{places}f}".replace(",", THIN_SPACE)


@register.filter
def minutes(audio_ms: float | None) -> str:
    """Audio as minutes: one decimal under 100."""
    if audio_ms is None:
        return "–"
    value = audio_ms / 60_000
    return f"{value:.1f}" if value < 100 else number(value)


@register.filter
def seconds(duration_ms: float | None) -> str:
    """A duration as it is read: 84 ms, 3.2 s, 4 min 12 s, 194 h 9 min."""
    if duration_ms is None:
        return "–"
    if 0 < duration_ms < 1000:
        return f"{round(duration_ms)}{THIN_SPACE}ms"
    if duration_ms < 60_000:
        return f"{duration_ms / 1000:.1f}{THIN_SPACE}s"
    if duration_ms < 3_600_000:
        whole_minutes, rest = divmod(round(duration_ms / 1000), 60)
        return f"{whole_minutes}{THIN_SPACE}min {rest}{THIN_SPACE}s"
    hours, rest = divmod(round(duration_ms / 60_000), 60)
    return f"{number(hours)}{THIN_SPACE}h {rest}{THIN_SPACE}min"


@register.filter
def duration(duration_ms: float | None) -> str:
    """How long something plays or takes, to be read at a glance: 12 s, 4 min 12 s, 9 h 20 min."""
    if duration_ms is None:
        return "–"
    whole_minutes = round(duration_ms / 60_000)
    if whole_minutes < 60:
        return seconds(max(1000, round(duration_ms / 1000) * 1000)).replace(".0", "")
    hours, rest = divmod(whole_minutes, 60)
    return f"{number(hours)}{THIN_SPACE}h {rest}{THIN_SPACE}min"


@register.filter
def percent(share: float | None) -> str:
    """A share of 1 as per cent."""
    if share is None:
        return "–"
    value = share * 100
    return f"{value:.0f}{THIN_SPACE}%" if value == 0 or value >= 10 else f"{value:.1f}{THIN_SPACE}%"


@register.filter
def failed(error_rate: float) -> str:
    return "all completed" if error_rate == 0 else f"{percent(error_rate)} not completed"


@register.filter
def charged(used: Sums) -> str:
    """What of the characters is charged, and what is credited where something is."""
    said = (
        "all charged"
        if used.characters_charged == used.characters
        else f"{number(used.characters_charged)} charged"
    )
    return f"{said}, {number(used.characters_credited)} credited" if used.characters_credited else said


@register.filter
def named(value: str, names: Mapping[str, str]) -> str:
    """The name of what has one, itself where it has none."""
    return names.get(value, value)


@register.filter
def filled(share: float) -> str:
    """Per cent of a bar, which holds no more than it can."""
    return f"{min(share, 1) * 100:.1f}".removesuffix(".0")


@register.filter
def used_tone(share: float) -> str:
    """The colour of a limit of which this share is used."""
    if share >= 1:
        return "red"
    return "amber" if share >= 0.8 else ""


@register.filter
def p95(duration_ms: float | None) -> str:
    return f"p95 {seconds(duration_ms)}"


@register.simple_tag
def when(moment: datetime | None, never: str = "Never") -> SafeString:
    """A time: relative within a day of now, else the date, which time.js makes local; UTC on hover."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', never)
    iso = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html('<time datetime="{}" title="{}" data-when>{}</time>', iso, iso, _said(moment))


def _said(moment: datetime) -> str:
    now = timezone.now()
    distance = abs(now - moment)
    if distance >= timedelta(days=1):
        return f"{moment.day} {moment:%b %Y}"
    if distance < timedelta(seconds=45):
        return "now"
    amount, unit = _largest_unit(distance)
    words = f"{amount} {unit}" if amount == 1 else f"{amount} {unit}s"
    return f"{words} ago" if moment < now else f"in {words}"


def _largest_unit(distance: timedelta) -> tuple[int, str]:
    whole_minutes = round(distance.total_seconds() / 60)
    if whole_minutes < 60:
        return max(1, whole_minutes), "minute"
    return round(whole_minutes / 60), "hour"


@register.inclusion_tag("components/chart.html")
def bar_chart(
    days: Sequence[Any], metric: str, title: str, unit: str, scale: float = 1
) -> dict[str, BarChart]:
    """Bars of one figure of each day (`day` and the attribute `metric`), in units of `scale`."""
    points = [Point(day.day, getattr(day, metric) / scale) for day in days]
    return {"chart": draw_bars(points, title=title, unit=unit)}


@register.filter
def drawn_by(days: Sequence[Any]) -> str:
    """The title of a chart of these days."""
    return f"By {step_of(days)}"


@register.inclusion_tag("components/code_tabs.html", takes_context=True)
def code_samples(context: Context, code_id: str, text: str = FIRST_TEXT, **call: Any) -> dict[str, Any]:
    """The speech call as curl, Python and JavaScript, with the address that the reader uses."""
    base_url = context["request"].build_absolute_uri("/").rstrip("/")
    return {"id": code_id, "samples": samples.of_speech(base_url, text=text, **call)}


@register.inclusion_tag("components/code_tabs.html", takes_context=True)
def api_samples(context: Context, code_id: str, method: str, path: str) -> dict[str, Any]:
    """A call of the management API without a body, with the address that the reader uses."""
    url = context["request"].build_absolute_uri(path)
    return {"id": code_id, "samples": samples.of_api(method, url)}


@register.inclusion_tag("components/code_tabs.html")
def docs_samples(name: str, base_url: str) -> dict[str, Any]:
    """A sample of the docs in every language that it is written in."""
    return {"id": f"sample-{name}", "samples": samples_of(name, base_url)}


@register.filter
def initials(name: str) -> str:
    """At most two letters that stand for a name."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper()


_BADGES = {
    "active": "green",
    "enabled": "green",
    "delivered": "green",
    "ok": "green",
    "completed": "green",
    "done": "green",
    "ready": "green",
    "rotating": "blue",
    "open": "blue",
    "pending": "blue",
    "sending": "blue",
    "running": "blue",
    "kept": "blue",
    "requested": "blue",
    "provisioning": "blue",
    "starting": "blue",
    "updating": "blue",
    "expired": "amber",
    "cancelled": "amber",
    "degraded": "amber",
    "failing": "amber",
    "interrupted": "amber",
    "asleep": "amber",
    "withdrawn": "amber",
    "disabled": "red",
    "suspended": "red",
    "revoked": "red",
    "failed": "red",
    "cut": "red",
    "live": "accent",
    "accepted": "green",
    "paid": "green",
    "payable": "green",
    "uploaded": "blue",
    "checking": "blue",
    "held": "blue",
    "sent": "blue",
    "in_review": "amber",
    "taken_back": "amber",
    "rejected": "red",
}


@register.filter
def tone(state: str) -> str:
    """The colour that belongs to a state; none for one that asks for no attention."""
    return _BADGES.get(str(state), "")
