"""The schema of a speech request, from the very bounds that requests are checked against."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any, Final

from gpu_worker.audio import FORMATS
from gpu_worker.ordering import MAX_SILENCE_MS, MAX_SPEECH_SECONDS
from gpu_worker.protocol import TENANT_HEADER
from gpu_worker.request import (
    CHOICES,
    INTEGER_BOUNDS,
    MAX_NAME_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    NUMBER_BOUNDS,
    REQUEST_ID_PATTERN,
    SpeechRequest,
)

DESCRIPTIONS: Final = {
    "text": "What is to be spoken. `[pause:0.5s]` and `[pause:300ms]` are silence, of which one request may "
    f"ask for {MAX_SILENCE_MS // 1000} s; at most {MAX_SPEECH_SECONDS // 60} minutes are spoken. `[laugh]` "
    "and its like are performed by engines that can and left out by others.",
    "request_id": "Your own id of this request: it comes back as `X-Request-Id`, stands in the log, and is "
    "what `/cancel` takes. One is made where there is none.",
    "model": "One of the `models` of `/ready`; the first of them where absent.",
    "voice": "One of the `voices` of `/ready`, the first of them where absent; or the SHA-256 of a recording "
    "to clone, where `features` names `clone`.",
    "language": "A language tag such as `en` or `en-GB`; one of the `languages` of `/ready`.",
    "speed": "1 is the voice's own pace, 2 twice as fast; the pitch stays.",
    "seed": "The same seed, text and voice give the same audio.",
    "exaggeration": "How lively the voice is; for engines that know it, others pass over it.",
    "cfg_weight": "How closely the voice keeps to its reference; for engines that know it.",
    "temperature": "How much the delivery varies; for engines that know it.",
    "top_p": "Share of likely sounds that are drawn from; for engines that know it.",
    "min_p": "Least likelihood of a sound, by that of the likeliest; for engines that know it.",
    "repetition_penalty": "How strongly repeated sounds are held back; for engines that know it.",
    "format": "How the audio is encoded.",
    "sample_rate": "In Hz. What a format cannot have is refused with a sentence that names what it can.",
    "bitrate": "In bit/s, for formats that have one.",
    "stream": "Sends the audio as it is made, without Content-Length.",
    "normalize": "Whether numbers, dates, money, abbreviations and the like are written out before they are "
    "spoken. `auto` does so for English.",
    "unknown_tags": "What becomes of word-like tags in brackets that are none of ours: refused, left out, or "
    "read aloud.",
    "timestamps": "Times of words or characters in the framed stream, from engines whose `features` name "
    "`timestamps`.",
    "deadline_ms": "From arrival to the last byte. What is not through by then is given up.",
    "tenant": "Who this is for, where one caller asks for many: tenants take turns.",
    "consent": "A token of the platform, at most 60 s old, that lets a cloned voice be used.",
    "reference_url": "Where the recording of a cloned voice lies, for a worker that lacks it.",
}
_PRINTABLE: Final = "^[^\\u0000-\\u001f\\u007f]+$"


def request_schema() -> dict[str, Any]:
    """JSON Schema of the body of `POST /generate`. A null counts as absent."""
    return {
        "type": "object",
        "required": ["text"],
        "additionalProperties": False,
        "properties": {field.name: _field_schema(field) for field in fields(SpeechRequest)},
    }


def tenant_header(description: str) -> dict[str, Any]:
    """The header that names a tenant, as a parameter."""
    return {
        "name": TENANT_HEADER,
        "in": "header",
        "schema": {"$ref": "#/components/schemas/SpeechRequest/properties/tenant"},
        "description": description,
    }


def _field_schema(field: Field[Any]) -> dict[str, Any]:
    schema = _kind(field.name) | {"description": DESCRIPTIONS[field.name]}
    if field.default is not MISSING and field.default is not None:
        schema["default"] = field.default
    return schema


def _kind(name: str) -> dict[str, Any]:
    if name == "text":
        # Not blank, which no JSON Schema of a usual tool checks otherwise.
        return {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARACTERS, "pattern": r"\S"}
    if name == "format":
        return {"type": "string", "enum": list(FORMATS)}
    if name in CHOICES:
        return {"type": "string", "enum": list(CHOICES[name])}
    if name in INTEGER_BOUNDS:
        low, high = INTEGER_BOUNDS[name]
        return {"type": "integer", "minimum": low, "maximum": high}
    if name in NUMBER_BOUNDS:
        least, most = NUMBER_BOUNDS[name]
        return {"type": "number", "minimum": least, "maximum": most}
    if name in MAX_NAME_CHARACTERS:
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_NAME_CHARACTERS[name],
            "pattern": _PRINTABLE,
        }
    if name == "request_id":
        return {"type": "string", "pattern": f"^{REQUEST_ID_PATTERN.pattern}$"}
    return {"type": "boolean"}
