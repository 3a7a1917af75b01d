"""Bodies that are taken for what they are: no field that is misspelt, no value that is read into another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses a field that it does not have: what is misspelt would change nothing, in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = next((name for name in data if name not in self.fields), None)
            if unknown is not None:
                known = ", ".join(self.fields)
                # JSON can name half a character, which no answer can.
                shown = unknown.encode(errors="replace").decode()
                raise serializers.ValidationError({shown: [f"Unknown field; there are {known}."]})
        return super().to_internal_value(data)


class NameField(serializers.CharField):
    """A string, not a number that could be read as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """true or false, not 'yes' and 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.")
        return data


class StrictIntegerField(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class MomentField(serializers.DateTimeField):
    """A moment of this age: the ids that rows are found by hold no other."""

    def to_internal_value(self, value: Any) -> datetime:
        moment = super().to_internal_value(value)
        if not 1970 <= moment.year < 3000:
            raise serializers.ValidationError("A moment lies between 1970-01-01 and 2999-12-31.")
        return moment
