"""Bodies in JSON, and fields that take a value for what it is and not for what could be read into it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from apps.core.serializers import NameField as NameField
from apps.core.serializers import StrictBooleanField as StrictBooleanField
from apps.core.serializers import StrictIntegerField
from gpu_worker.protocol import INTEGER_BOUNDS, NUMBER_BOUNDS


class Body(serializers.Serializer[Any]):
    """A flat body. Most requests name few of its fields: those that are absent cost nothing but a look.

    DRF validates each field of a form, there or not, which takes longer than the rest of a body's way.
    """

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("The body must be a JSON object.")
        values: dict[str, Any] = {}
        for name, field in self.fields.items():
            if name in data:
                try:
                    values[name] = field.run_validation(data[name])
                except serializers.ValidationError as error:
                    raise serializers.ValidationError({name: error.detail}) from None
            elif field.required:
                raise serializers.ValidationError({name: [field.error_messages["required"]]})
            elif field.default is not empty:
                values[name] = field.default
        return values


class TextField(serializers.CharField):
    """Text as it was sent, not trimmed: offsets and charges refer to the caller's own characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if "\x00" in data or any("\ud800" <= character <= "\udfff" for character in data):
            raise serializers.ValidationError("The text holds characters that are not valid Unicode text.")
        text: str = super().to_internal_value(data)
        if not text.strip():
            raise serializers.ValidationError("The text is empty.")
        return text


class StrictFloatField(serializers.FloatField):
    """A number, not a string that looks like one."""

    default_error_messages = {"overflow": "The number is too large."}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


def optional_number(name: str, **kwargs: Any) -> StrictFloatField:
    """A parameter of the wire by its name, within the worker's bounds; null leaves it to the engine."""
    low, high = NUMBER_BOUNDS[name]
    return StrictFloatField(required=False, allow_null=True, min_value=low, max_value=high, **kwargs)


def optional_integer(name: str, **kwargs: Any) -> StrictIntegerField:
    """As `optional_number`, for whole numbers."""
    low, high = INTEGER_BOUNDS[name]
    return StrictIntegerField(required=False, allow_null=True, min_value=low, max_value=high, **kwargs)
