"""What the text-to-speech calls take: a JSON body and a few words in the query.

Fields with an effect become a `SpeechBody`. Those of ElevenLabs that nothing here corresponds to
(`IGNORED`) are taken and told in the answer's header `X-Ignored-Parameters`; a field that nobody knows is
passed over, as it is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rest_framework import serializers

from apps.core.errors import InvalidRequest
from apps.deployments.catalogue import Offer
from apps.tts.calls import Call
from apps.tts.elevenlabs import model_names, voice_settings
from apps.tts.elevenlabs.errors import Unprocessable
from apps.tts.elevenlabs.formats import DEFAULT, OUTPUT_FORMATS
from apps.tts.fields import Body, NameField, StrictBooleanField, StrictFloatField, TextField, optional_integer
from apps.tts.request import SpeechBody
from gpu_worker.protocol import CHOICES, MAX_NAME_CHARACTERS

IGNORED: Final = (
    "previous_text",
    "next_text",
    "previous_request_ids",
    "next_request_ids",
    "pronunciation_dictionary_locators",
    "use_pvc_as_ivc",
    "apply_language_text_normalization",
    "audio_effects",
)
_IGNORED_HELP: Final = "Accepted and ignored."
_LATENCIES: Final = ("0", "1", "2", "3", "4")
_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}


class ElevenLabsVoiceSettingsSerializer(Body):
    """Bounds are checked where the values are mapped: their refusal has a word of its own."""

    stability = StrictFloatField(
        required=False, allow_null=True, help_text="0 to 1: `temperature` = 1.1 − 0.6 × stability."
    )
    similarity_boost = StrictFloatField(
        required=False, allow_null=True, help_text="0 to 1: `cfg_weight` = similarity_boost × 2 ⁄ 3."
    )
    style = StrictFloatField(  # type: ignore[assignment]
        required=False, allow_null=True, help_text="0 to 1: `exaggeration` = 0.5 + 0.5 × style."
    )
    use_speaker_boost = StrictBooleanField(required=False, allow_null=True, help_text=_IGNORED_HELP)
    speed = StrictFloatField(required=False, allow_null=True, help_text="0.25 to 4; the pitch stays.")


class ElevenLabsSpeechSerializer(Body):
    text = TextField(
        help_text="What is said; at most 5,000 characters unless your organization has another limit."
        " Words in brackets that are no tag here are left out."
    )
    model_id = NameField(
        required=False, allow_null=True, max_length=MAX_NAME_CHARACTERS["model"], help_text=model_names.HELP
    )
    language_code = NameField(
        required=False, allow_null=True, max_length=MAX_NAME_CHARACTERS["language"], help_text="Such as en."
    )
    voice_settings = ElevenLabsVoiceSettingsSerializer(required=False, allow_null=True)
    seed = optional_integer("seed", help_text="The same seed, text and voice give the same audio.")
    apply_text_normalization = serializers.ChoiceField(
        choices=CHOICES["normalize"],
        required=False,
        allow_null=True,
        help_text="Whether numbers, dates, money and the like are written out; `auto` does so for English.",
    )
    previous_text = NameField(required=False, allow_null=True, allow_blank=True, help_text=_IGNORED_HELP)
    next_text = NameField(required=False, allow_null=True, allow_blank=True, help_text=_IGNORED_HELP)
    previous_request_ids = serializers.ListField(
        child=NameField(), required=False, allow_null=True, help_text=_IGNORED_HELP
    )
    next_request_ids = serializers.ListField(
        child=NameField(), required=False, allow_null=True, help_text=_IGNORED_HELP
    )
    pronunciation_dictionary_locators = serializers.ListField(
        child=serializers.DictField(), required=False, allow_null=True, help_text=_IGNORED_HELP
    )
    use_pvc_as_ivc = StrictBooleanField(required=False, allow_null=True, help_text=_IGNORED_HELP)
    apply_language_text_normalization = StrictBooleanField(
        required=False, allow_null=True, help_text=_IGNORED_HELP
    )
    audio_effects = serializers.DictField(required=False, allow_null=True, help_text=_IGNORED_HELP)


# One for all: DRF copies every field for each serializer it makes, and checking keeps nothing in it.
_FORM = ElevenLabsSpeechSerializer()


@dataclass(frozen=True, slots=True)
class TextToSpeech:
    """A checked call. `keep` is false where the caller wants nothing of it to be kept."""

    body: SpeechBody
    ignored: tuple[str, ...]
    keep: bool


def checked(call: Call, offers: Iterable[Offer], *, word_times: bool = False) -> TextToSpeech:
    """`offers` are the models that the caller can name.

    Raises `Unprocessable` for what is of the wrong shape, else `InvalidRequest`.
    """
    data = call.json()
    if not isinstance(data, dict):
        raise Unprocessable.at("body", message="The body must be a JSON object with a text.")
    if isinstance(data.get("text"), str) and not data["text"].strip():
        raise InvalidRequest("The text is empty.", code="empty_text", param="text")
    try:
        fields = _FORM.to_internal_value(data)
    except serializers.ValidationError as error:
        raise Unprocessable.of(error, "body") from error
    voice = call.params["voice_id"]
    keep = _checked_query(call.query)
    output = _output_format(call.query)
    body = SpeechBody(
        text=fields["text"],
        model=model_names.model_of(fields.get("model_id"), voice=voice, offers=offers),
        voice=voice,
        language=fields.get("language_code"),
        seed=fields.get("seed"),
        normalize=fields.get("apply_text_normalization") or "auto",
        format=output.format,
        sample_rate=output.sample_rate,
        bitrate=output.bitrate,
        unknown_tags="drop",
        word_times=word_times,
        **voice_settings.parameters_of(fields.get("voice_settings")),
    )
    ignored = tuple(name for name in IGNORED if fields.get(name))
    return TextToSpeech(body, ignored, keep)


def _output_format(query: Mapping[str, str]) -> Any:
    asked = query.get("output_format", DEFAULT)
    if asked not in OUTPUT_FORMATS:
        raise InvalidRequest(
            f"There is no output format {asked!r}. There are: {', '.join(OUTPUT_FORMATS)}.",
            code="invalid_output_format",
            param="output_format",
        )
    return OUTPUT_FORMATS[asked]


def _checked_query(query: Mapping[str, str]) -> bool:
    """Whether the request may be kept; `optimize_streaming_latency` is checked and has no effect."""
    if query.get("optimize_streaming_latency", "0") not in _LATENCIES:
        raise Unprocessable.at("query", "optimize_streaming_latency", message="Must be from 0 to 4.")
    return boolean(query, "enable_logging", default=True)


def boolean(query: Mapping[str, str], name: str, *, default: bool) -> bool:
    """Raises `Unprocessable`."""
    if name not in query:
        return default
    try:
        return _BOOLEANS[query[name].lower()]
    except KeyError:
        raise Unprocessable.at("query", name, message="Must be true or false.", type="bool_parsing") from None
