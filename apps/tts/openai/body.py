"""The body of `POST /v1/audio/speech`: OpenAI's fields, and those of our engines beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.errors import InvalidRequest
from apps.tts.fields import NameField, StrictFloatField, TextField, optional_integer, optional_number
from apps.tts.openai.catalogue import MODELS, is_alias
from apps.tts.openai.voices import VOICES
from apps.tts.request import SpeechBody
from gpu_worker.protocol import CHOICES, MAX_NAME_CHARACTERS, NUMBER_BOUNDS

MAX_CHARACTERS: Final = 4096
MEDIA_TYPES: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARACTERS["voice"]},
            {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARACTERS["voice"]}
                },
            },
        ]
    }
)
class VoiceField(NameField):
    """A name or id, also as `{"id": …}`."""

    def run_validation(self, data: Any = serializers.empty) -> str:
        if isinstance(data, dict):
            data = data.get("id")
        name: str = super().run_validation(data)
        return name


def _choice(choices: Any, default: str, **kwargs: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(
        choices=choices, required=False, allow_null=True, help_text=f"Default: {default}.", **kwargs
    )


class OpenAISpeechSerializer(serializers.Serializer[Any]):
    """Fields that are not here are passed over; null is what a field that is left out is."""

    input = TextField(max_length=MAX_CHARACTERS, help_text="What is said.")
    model = NameField(
        max_length=MAX_NAME_CHARACTERS["model"],
        help_text=f"{', '.join(MODELS)}: the platform's choice. Or one of `/v1/models`.",
    )
    voice = VoiceField(
        max_length=MAX_NAME_CHARACTERS["voice"],
        help_text=f"One of OpenAI's names ({', '.join(VOICES)}), or a voice's id or name.",
    )
    instructions = NameField(
        required=False, allow_null=True, allow_blank=True, help_text="Taken and not followed."
    )
    response_format = _choice(list(MEDIA_TYPES), "mp3")
    speed = StrictFloatField(
        required=False,
        allow_null=True,
        min_value=NUMBER_BOUNDS["speed"][0],
        max_value=NUMBER_BOUNDS["speed"][1],
        help_text="1 is the voice's own pace; the pitch stays.",
    )
    stream_format = _choice(["audio", "sse"], "audio")
    language = NameField(
        required=False,
        allow_null=True,
        max_length=MAX_NAME_CHARACTERS["language"],
        help_text="A language tag such as en or en-GB.",
    )
    seed = optional_integer("seed", help_text="The same seed, text and voice give the same audio.")
    exaggeration = optional_number("exaggeration", help_text="How much feeling; engines that have it.")
    cfg_weight = optional_number("cfg_weight", help_text="How closely the voice is followed.")
    temperature = optional_number("temperature", help_text="How freely tokens are drawn.")
    top_p = optional_number("top_p")
    min_p = optional_number("min_p")
    repetition_penalty = optional_number("repetition_penalty")
    sample_rate = optional_integer("sample_rate", help_text="In Hz. Default of pcm and wav: 24,000.")
    bitrate = optional_integer("bitrate", help_text="In bit/s, for mp3, opus and aac.")
    normalize = _choice(CHOICES["normalize"], "auto")
    unknown_tags = _choice(CHOICES["unknown_tags"], "drop")


# One for all: DRF copies every field for each serializer it makes, and checking keeps nothing in it.
_FORM = OpenAISpeechSerializer()
_OPENAIS_OWN: Final = frozenset(
    {"input", "model", "voice", "instructions", "response_format", "stream_format"}
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What to speak, and whether to send it as events."""

    body: SpeechBody
    as_events: bool


def checked(data: Any) -> Checked:
    """Raises `InvalidRequest`, or DRF's `ValidationError`, which names the field."""
    if not isinstance(data, dict):
        raise InvalidRequest("The body must be a JSON object with input, model and voice.")
    text = data.get("input")
    if isinstance(text, str) and len(text) > MAX_CHARACTERS:
        raise InvalidRequest(
            f"The input has {len(text)} characters; at most {MAX_CHARACTERS} are allowed.",
            code="text_too_long",
            param="input",
        )
    values = {name: value for name, value in _FORM.run_validation(data).items() if value is not None}
    ours: dict[str, Any] = {name: value for name, value in values.items() if name not in _OPENAIS_OWN}
    ours.setdefault("unknown_tags", "drop")
    body = SpeechBody(
        text=values["input"],
        model=None if is_alias(values["model"]) else values["model"],
        voice=values["voice"],
        voice_stands_for=VOICES.get(values["voice"]),
        format=values.get("response_format", "mp3"),
        stream=True,
        **ours,
    )
    return Checked(body, values.get("stream_format") == "sse")
