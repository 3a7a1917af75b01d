"""What pages say of endpoints and of attempts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from apps.webhooks import catalogue
from apps.webhooks.catalogue import EventType
from apps.webhooks.models import Endpoint

PROBLEMS: Final[Mapping[str, str]] = {
    "invalid_url": "URL cannot be used",
    "refused_address": "Address is not public",
    "dns": "Name not found",
    "connect": "No connection",
    "tls": "No secure connection",
    "timeout": "No answer in time",
    "reset": "Connection broke off",
    "protocol": "No HTTP answer",
    "interrupted": "Interrupted",
}
WHY_DISABLED: Final[Mapping[str, str]] = {
    Endpoint.Disabled.BY_PERSON: "Somebody of your organization disabled it.",
    Endpoint.Disabled.BY_STAFF: "The platform's staff disabled it.",
    Endpoint.Disabled.FAILING: "Nothing that was sent there was received for five days.",
    Endpoint.Disabled.GONE: "It answered 410 Gone, which asks to be sent nothing more.",
}
_GROUPS: Final[Mapping[str, str]] = {"key": "API keys", "usage": "Usage"}


@dataclass(frozen=True)
class EventGroup:
    name: str
    title: str
    kinds: list[EventType]

    @property
    def wildcard(self) -> str:
        return f"{self.name}.*"


def groups() -> list[EventGroup]:
    """Every kind of event, by what it is about."""
    found: dict[str, list[EventType]] = {}
    for kind in catalogue.every_type():
        found.setdefault(kind.group, []).append(kind)
    return [
        EventGroup(name, _GROUPS.get(name, f"{name.replace('_', ' ').capitalize()}s"), kinds)
        for name, kinds in found.items()
    ]


def problem(code: str) -> str:
    """In a few words; what an attempt itself says is longer."""
    return PROBLEMS.get(code, "")


def wanted(filters: Iterable[str]) -> str:
    """What an endpoint hears of, in one line: `deployment.*, key.created and 3 more`."""
    chosen = list(filters)
    if not chosen:
        return "Every event"
    if len(chosen) <= 3:
        return ", ".join(chosen)
    return f"{', '.join(chosen[:2])} and {len(chosen) - 2} more"


def name_of(endpoint: Endpoint) -> str:
    """What people call it: its description, else its host."""
    return endpoint.description or endpoint.host
