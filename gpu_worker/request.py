"""What a caller may ask of a worker: the fields of a speech request, their bounds and their defaults."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, NoReturn

from gpu_worker.consent import SHA256_PATTERN

MAX_TEXT_CHARACTERS: Final = 10_000
MAX_SEED: Final = 2**32 - 1
REQUEST_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")

Format = Literal["wav", "pcm", "mp3", "opus", "aac", "flac", "mulaw", "alaw"]
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "format": ("wav", "pcm", "mp3", "opus", "aac", "flac", "mulaw", "alaw"),
    "normalize": ("auto", "on", "off"),
    "unknown_tags": ("error", "drop", "speak"),
    "timestamps": ("none", "word", "character"),
}
MAX_NAME_CHARACTERS: Final = {
    "model": 128,
    "voice": 128,
    "language": 35,
    "tenant": 128,
    "consent": 1024,
    "reference_url": 4096,
}
INTEGER_BOUNDS: Final[dict[str, tuple[int, int]]] = {
    "seed": (0, MAX_SEED),
    "sample_rate": (8_000, 48_000),
    "bitrate": (8_000, 512_000),
    "deadline_ms": (1, 3_600_000),
}
NUMBER_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "speed": (0.25, 4.0),
    "exaggeration": (0.0, 2.0),
    "cfg_weight": (0.0, 1.0),
    "temperature": (0.05, 5.0),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "repetition_penalty": (1.0, 2.0),
}


class InvalidRequestError(ValueError):
    """The request breaks a rule; `param` names the field, or is None where no single field is at fault."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """One text to speak. None leaves a value to the worker: its default voice, its engine's own settings.

    `speed` 1.0 is the voice's own pace; `bitrate` is in bit/s, `sample_rate` in Hz. `deadline_ms` counts
    from the request's arrival at the worker to the last byte.

    A `voice` of 64 lower-case hexadecimal digits is the SHA-256 of a reference, a recording to clone. It
    takes a `consent` token, and where the worker lacks the recording a `reference_url` to fetch it from.
    """

    text: str
    request_id: str | None = None
    model: str | None = None
    voice: str | None = None
    language: str | None = None
    speed: float = 1.0
    seed: int | None = None
    exaggeration: float | None = None
    cfg_weight: float | None = None
    temperature: float | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    format: Format = "wav"
    sample_rate: int | None = None
    bitrate: int | None = None
    stream: bool = False
    normalize: Literal["auto", "on", "off"] = "auto"
    unknown_tags: Literal["error", "drop", "speak"] = "speak"
    timestamps: Literal["none", "word", "character"] = "none"
    deadline_ms: int | None = None
    tenant: str | None = None
    consent: str | None = None
    reference_url: str | None = None

    @classmethod
    def parse(cls, body: object) -> SpeechRequest:
        """Checks a decoded JSON body. A null counts as absent. Raises InvalidRequestError."""
        if not isinstance(body, dict):
            raise InvalidRequestError("The body must be a JSON object.")
        values: dict[str, Any] = {}
        for name, value in body.items():
            if name not in _FIELDS:
                raise InvalidRequestError(f"Unknown field {_shown(name)}.", _shown(name))
            if value is not None:
                values[name] = _checked(name, value)
        if "text" not in values:
            raise InvalidRequestError("text is required.", "text")
        return cls(**values)

    @property
    def reference_sha256(self) -> str | None:
        """The SHA-256 of the recording to clone, or None where `voice` is a name or absent."""
        return self.voice if self.voice is not None and SHA256_PATTERN.fullmatch(self.voice) else None

    def to_json(self) -> dict[str, object]:
        """The fields that differ from their defaults, as `parse` takes them."""
        return {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) is not None and value != field.default
        }


_FIELDS: Final = frozenset(field.name for field in fields(SpeechRequest))


def _shown(name: str) -> str:
    """A caller's word, fit for a one-line message."""
    return name.encode("ascii", "backslashreplace").decode()[:64]


def _checked(name: str, value: object) -> object:
    if name == "text":
        return _text(value)
    if name == "stream":
        if not isinstance(value, bool):
            _fail(name, "must be true or false")
        return value
    if name in CHOICES:
        return _choice(name, value)
    if name in INTEGER_BOUNDS:
        return _number(name, value, (int,), INTEGER_BOUNDS[name], "a whole number")
    if name in NUMBER_BOUNDS:
        return float(_number(name, value, (int, float), NUMBER_BOUNDS[name], "a number"))
    return _name(name, value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        _fail("text", "must be a string")
    if len(value) > MAX_TEXT_CHARACTERS:
        _fail("text", f"has {len(value)} characters; at most {MAX_TEXT_CHARACTERS} are spoken in one request")
    if not value or value.isspace():
        _fail("text", "must not be blank")
    try:
        value.encode()
    except UnicodeEncodeError:
        _fail("text", "must be valid Unicode, without lone surrogates")
    return value


def _choice(name: str, value: object) -> str:
    if not isinstance(value, str) or value not in CHOICES[name]:
        _fail(name, f"must be one of {', '.join(CHOICES[name])}")
    return value


def _number(
    name: str, value: object, kinds: tuple[type, ...], bounds: tuple[float, float], what: str
) -> int | float:
    low, high = bounds
    # A bool is an int to Python, and a NaN is a float that no bound holds.
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:  # type: ignore[operator]
        _fail(name, f"must be {what} from {low:g} to {high:.10g}")
    return value  # type: ignore[return-value]


def _name(name: str, value: object) -> str:
    if name == "request_id":
        if not isinstance(value, str) or not REQUEST_ID_PATTERN.fullmatch(value):
            _fail(name, "must be 1 to 128 letters, digits or the characters _ . : -")
        return value
    limit = MAX_NAME_CHARACTERS[name]
    if not isinstance(value, str) or not 0 < len(value) <= limit or not value.isprintable():
        _fail(name, f"must be a string of 1 to {limit} printable characters")
    return value


def _fail(name: str, what: str) -> NoReturn:
    raise InvalidRequestError(f"{name} {what}.", name)
