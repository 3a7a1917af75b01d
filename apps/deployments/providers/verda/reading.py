"""Reads fields of decoded JSON. Fields that are not known are passed over, missing ones have a default
where nothing hangs on them; all else raises `NotUnderstood`, which names the field, never its value."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.deployments.providers.verda.errors import NotUnderstood

_MOST_DIGITS = 18


class Fields:
    """The fields of one JSON object; `what` names it in errors. `null` counts as missing."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise NotUnderstood(f"Verda's {what} is not a JSON object.")
        self._values: dict[str, Any] = value
        self._what = what

    def text(self, key: str, default: str | None = None) -> str:
        value = self._values.get(key)
        if value is None:
            value = default
        if not isinstance(value, str):
            raise self._strange(key)
        return value

    def name(self, key: str) -> str:
        """A text that is there and not empty."""
        if value := self.text(key):
            return value
        raise self._strange(key)

    def whole(self, key: str, default: int | None = None) -> int:
        value: Any = self._values.get(key)
        if value is None:
            value = default
        # A tiny text can be a number of a billion digits.
        if isinstance(value, Decimal) and value.is_finite() and value.adjusted() <= _MOST_DIGITS:
            value = int(value) if value == value.to_integral_value() else value
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._strange(key)
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self._values.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._strange(key)
        return value

    def money(self, key: str) -> Decimal | None:
        """An amount, a text or a number in the API; `None` where there is none."""
        value = self._values.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise self._strange(key)
        try:
            amount = Decimal(value)
        except InvalidOperation:
            raise self._strange(key) from None
        if not amount.is_finite():
            raise self._strange(key)
        return amount

    def moment(self, key: str) -> datetime | None:
        """A time in UTC; `None` where it is missing or no time, since nothing hangs on it."""
        try:
            moment = datetime.fromisoformat(self._values.get(key) or "")
        except (TypeError, ValueError):
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._values.get(key) or []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._strange(key)
        return tuple(values)

    def child(self, key: str) -> Fields:
        """The object under `key`, an empty one where it is missing."""
        return Fields(self._values.get(key) or {}, f"{self._what}.{key}")

    def children(self, key: str) -> list[Fields]:
        return objects(self._values.get(key) or [], f"{self._what}.{key}")

    def raw(self, key: str) -> Any:
        return self._values.get(key)

    def _strange(self, key: str) -> NotUnderstood:
        return NotUnderstood(f"Verda's {self._what} has no {key} that we understand.")


def objects(value: object, what: str) -> list[Fields]:
    """The objects of a JSON list."""
    if not isinstance(value, list):
        raise NotUnderstood(f"Verda's {what} is not a JSON list.")
    return [Fields(item, f"{what}[{index}]") for index, item in enumerate(value)]
