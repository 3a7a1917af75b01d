"""Words and figures of the contributors' pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context
from django.urls import reverse

from apps.contributions import showing

register = template.Library()

# The name of each one's URL, its title and icon, and what lies under it.
_PAGES = (
    ("contribute", "Campaigns", "voice", "/contribute/campaigns/"),
    ("contribute_listen", "Listen", "wave", "/contribute/listen"),
    ("contribute_clips", "Recordings", "history", "/contribute/clips/"),
    ("contribute_earnings", "Earnings", "usage", "/contribute/earnings"),
    ("contribute_you", "You", "user", "/contribute/data"),
)
_EARNING_WORDS = {"held": "On hold", "payable": "Payable", "taken_back": "Taken back"}


@register.simple_tag(takes_context=True)
def contributor_pages(context: Context) -> list[dict[str, Any]]:
    """The pages of the bar, with the one marked that is open."""
    path = context["request"].path
    return [
        {"url": url, "title": title, "icon": icon, "is_current": path == url or path.startswith(below)}
        for name, title, icon, below in _PAGES
        for url in [reverse(name)]
    ]


@register.filter
def cents(amount: int | None) -> str:
    """US cents as dollars: $12.60; a dash where nothing is known."""
    if amount is None:
        return "–"
    sign = "−" if amount < 0 else ""
    return f"{sign}${abs(amount) / 100:,.2f}"


@register.filter
def language(tag: str) -> str:
    return showing.language_name(tag)


@register.filter
def state_words(state: str) -> str:
    """A clip's state as its contributor reads it."""
    return showing.STATE_WORDS.get(state, state)


@register.filter
def earning_words(state: str) -> str:
    return _EARNING_WORDS[state]
