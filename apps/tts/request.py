"""What a caller may ask: the body of /generate, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from gpu_worker.protocol import MAX_TEXT_CHARACTERS


@dataclass(frozen=True, slots=True)
class SpeechBody:
    """A checked body. `model` and `voice` are `None` where the platform's default is meant."""

    text: str
    model: str | None
    voice: str | None
    speed: float
    seed: int | None
    stream: bool


class TextField(serializers.CharField):
    """Text as it was sent, not trimmed: offsets and charges refer to the caller's own characters."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if "\x00" in data or any("\ud800" <= character <= "\udfff" for character in data):
            raise serializers.ValidationError("The text holds characters that are not valid Unicode text.")
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


class StrictFloatField(serializers.FloatField):
    """A number, not a string that looks like one."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class SpeechSerializer(serializers.Serializer[Any]):
    text = TextField(
        trim_whitespace=False,
        max_length=MAX_TEXT_CHARACTERS,
        help_text="What is said; at most 5,000 characters unless your organization has another limit.",
    )
    model = NameField(required=False, allow_null=True, max_length=80, help_text="Default: the platform's.")
    voice = NameField(required=False, allow_null=True, max_length=80, help_text="Default: the model's first.")
    speed = StrictFloatField(required=False, default=1.0, min_value=0.5, max_value=2.0)
    seed = StrictIntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=2**32 - 1,
        help_text="The same seed, text and voice give the same audio.",
    )
    stream = StrictBooleanField(
        required=False,
        default=False,
        help_text="Send audio as it is made: a WAV whose header says 0xFFFFFFFF for its sizes.",
    )

    def validate_text(self, text: str) -> str:
        if not text.strip():
            raise serializers.ValidationError("The text is empty.")
        return text


# One for all: DRF copies every field for each serializer it makes, and checking keeps nothing in it.
_FORM = SpeechSerializer()


def checked(data: Any) -> SpeechBody:
    """Raises DRF's `ValidationError`, which names the field."""
    if not isinstance(data, dict):
        raise serializers.ValidationError("The body must be a JSON object with a text.")
    if unknown := next((name for name in data if name not in _FORM.fields), None):
        known = ", ".join(_FORM.fields)
        raise serializers.ValidationError({unknown: [f"Unknown field; there are {known}."]})
    values = _FORM.run_validation(data)
    return SpeechBody(
        text=values["text"],
        model=values.get("model"),
        voice=values.get("voice"),
        speed=values["speed"],
        seed=values.get("seed"),
        stream=values["stream"],
    )
