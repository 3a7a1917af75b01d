"""Every kind of event that there is. A room that causes some registers them in `AppConfig.ready`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from apps.core.errors import InvalidRequest

MAX_FILTERS = 50
_PREFIX = re.compile(r"[a-z_]+(\.[a-z_]+)*\.\*")

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class EventType:
    """A kind of event: `data` is the JSON Schema of its `data`, `example` one that is valid by it.

    `version` rises where a receiver would have to change; fields may join without.
    """

    name: str
    meaning: str
    data: Schema = field(repr=False)
    example: Mapping[str, Any] = field(repr=False)
    version: int = 1

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the whole body."""
        envelope = {
            "id": text("Names the event, with each attempt the same: `webhook-id`."),
            "type": {"const": self.name},
            "version": {"const": self.version},
            "timestamp": moment("When it happened."),
            "test": {"type": "boolean", "description": "True where it was made up, to try an endpoint."},
            "data": self.data,
        }
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **record(**envelope)}

    @property
    def example_body(self) -> dict[str, Any]:
        """The example as it arrives."""
        moment = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
        return self.body("evt_0197b3a26f1e7c449d2b51a7c0e8f3d6", moment=moment, data=self.example)

    def body(
        self, message_id: str, *, moment: datetime, data: Mapping[str, Any], is_test: bool = False
    ) -> dict[str, Any]:
        return {
            "id": message_id,
            "type": self.name,
            "version": self.version,
            "timestamp": iso(moment),
            "test": is_test,
            "data": data,
        }


_types: dict[str, EventType] = {}


def register(*types: EventType) -> None:
    """Once for each name; the same one again is no error."""
    for event_type in types:
        known = _types.setdefault(event_type.name, event_type)
        if known != event_type:
            raise ValueError(f"there are two kinds of event called {event_type.name}")


def every_type() -> list[EventType]:
    return [_types[name] for name in sorted(_types)]


def find(name: str) -> EventType:
    """Raises `LookupError`."""
    return _types[name]


def clean_filter(wanted: Iterable[str]) -> list[str]:
    """Names, and beginnings that end in `.*`, each once; empty stands for every event.

    Raises `InvalidRequest` where one fits nothing.
    """
    chosen = list(dict.fromkeys(word.strip() for word in wanted if word.strip()))
    if len(chosen) > MAX_FILTERS:
        raise InvalidRequest(f"Choose at most {MAX_FILTERS} kinds of event.", param="events")
    if "*" in chosen:
        return []
    for word in chosen:
        if not is_filter(word):
            raise InvalidRequest(
                f"There is no event called {word!r}. Name one of /api/webhooks/events, "
                "or the beginning of some, as in deployment.*.",
                param="events",
            )
    return chosen


def is_filter(word: str) -> bool:
    """Whether it is the name of an event, or a beginning with `.*` that fits some."""
    return word in _types or (
        _PREFIX.fullmatch(word) is not None and any(fits([word], name) for name in _types)
    )


def fits(filters: Iterable[str], name: str) -> bool:
    """Whether an endpoint with these filters hears of events of that name."""
    chosen = list(filters)
    if not chosen:
        return True
    return any(name == word or (word.endswith(".*") and name.startswith(word[:-1])) for word in chosen)


# ---- words for schemas -------------------------------------------------------------------------------
def record(**properties: Schema) -> dict[str, Any]:
    """An object with these fields, all of them there; others may join."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def optional_text(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "description": description}


def identifier(description: str) -> dict[str, Any]:
    return {"type": "string", "format": "uuid", "description": description}


def optional_identifier(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "format": "uuid", "description": description}


def moment(description: str) -> dict[str, Any]:
    return {"type": "string", "format": "date-time", "description": description}


def optional_moment(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "format": "date-time", "description": description}


def whole(description: str) -> dict[str, Any]:
    return {"type": "integer", "description": description}


def one_of(description: str, choices: Iterable[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(choices), "description": description}


def iso(value: datetime) -> str:
    """As moments are written in bodies: UTC, to the millisecond."""
    return (
        value.astimezone(timezone.get_default_timezone())
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
