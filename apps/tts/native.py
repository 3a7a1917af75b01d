"""`POST /generate`: our own surface, with every parameter of the worker."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.tts.answers import answer_with
from apps.tts.calls import Answer, Call
from apps.tts.endpoints import Endpoint
from apps.tts.fields import (
    Body,
    NameField,
    StrictBooleanField,
    StrictFloatField,
    TextField,
    optional_integer,
    optional_number,
)
from apps.tts.request import SpeechBody
from apps.tts.runtime import Runtime
from apps.tts.speech import speak
from apps.tts.surfaces import NATIVE
from gpu_worker.protocol import CHOICES, MAX_TEXT_CHARACTERS, NUMBER_BOUNDS


class SpeechSerializer(Body):
    text = TextField(
        max_length=MAX_TEXT_CHARACTERS,
        help_text="What is said; at most 5,000 characters unless your organization has another limit.",
    )
    model = NameField(required=False, allow_null=True, max_length=80, help_text="Default: the platform's.")
    voice = NameField(
        required=False,
        allow_null=True,
        max_length=80,
        help_text="A voice's id or name. Default: the model's first.",
    )
    language = NameField(
        required=False, allow_null=True, max_length=35, help_text="A language tag such as en or en-GB."
    )
    speed = StrictFloatField(
        required=False,
        default=1.0,
        min_value=NUMBER_BOUNDS["speed"][0],
        max_value=NUMBER_BOUNDS["speed"][1],
        help_text="1 is the voice's own pace; the pitch stays.",
    )
    seed = optional_integer("seed", help_text="The same seed, text and voice give the same audio.")
    exaggeration = optional_number("exaggeration", help_text="How much feeling; engines that have it.")
    cfg_weight = optional_number("cfg_weight", help_text="How closely the voice is followed.")
    temperature = optional_number("temperature", help_text="How freely tokens are drawn.")
    top_p = optional_number("top_p", help_text="The likeliest tokens, up to this share, are drawn from.")
    min_p = optional_number("min_p", help_text="Tokens below this share of the likeliest are left out.")
    repetition_penalty = optional_number(
        "repetition_penalty", help_text="How much a token that was there counts less."
    )
    format = serializers.ChoiceField(
        choices=CHOICES["format"], required=False, default="wav", help_text="What the audio is encoded as."
    )
    sample_rate = optional_integer("sample_rate", help_text="In Hz; which ones there are depends on format.")
    bitrate = optional_integer("bitrate", help_text="In bit/s, for mp3, opus and aac.")
    stream = StrictBooleanField(
        required=False,
        default=False,
        help_text="Send audio as it is made; a streamed WAV says 0xFFFFFFFF for its sizes.",
    )
    normalize = serializers.ChoiceField(
        choices=CHOICES["normalize"],
        required=False,
        default="auto",
        help_text="Whether numbers, dates, money and the like are written out; `auto` does so for English.",
    )
    unknown_tags = serializers.ChoiceField(
        choices=CHOICES["unknown_tags"],
        required=False,
        default="speak",
        help_text="What becomes of words in brackets that are no tag: refused, left out, or read aloud.",
    )


# One for all: DRF copies every field for each serializer it makes, and checking keeps nothing in it.
_FORM = SpeechSerializer()


def checked(data: Any) -> SpeechBody:
    """Raises DRF's `ValidationError`, which names the field."""
    if not isinstance(data, dict):
        raise serializers.ValidationError("The body must be a JSON object with a text.")
    if unknown := next((name for name in data if name not in _FORM.fields), None):
        known = ", ".join(_FORM.fields)
        raise serializers.ValidationError({unknown: [f"Unknown field; there are {known}."]})
    return SpeechBody(**_FORM.to_internal_value(data))


class GenerateEndpoint(Endpoint):
    surface = NATIVE

    async def answer(self, call: Call, runtime: Runtime) -> Answer:
        caller = await self.identify(call, runtime)
        speech = await speak(runtime, caller, checked(call.json()), self.source_of(call))
        return await answer_with(speech, media_type=speech.encoding.media_type, headers=speech.headers)


GENERATE = GenerateEndpoint()
