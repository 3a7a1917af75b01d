"""A speech request held against what the engine offers, and turned into orders for it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from gpu_worker.audio import Encoding, EncodingError
from gpu_worker.engines import Capabilities, Engine, Utterance
from gpu_worker.engines.base import derived_seed
from gpu_worker.errors import WorkerError
from gpu_worker.protocol import ErrorCode, SpeechRequest
from gpu_worker.references.reference import Reference
from gpu_worker.request import MAX_SEED
from gpu_worker.text import Piece, UnknownTagError, expected_seconds, has_rules, prepare, speakable
from gpu_worker.text.splitting import MAX_PIECE_CHARACTERS
from gpu_worker.word_spans import WordStops, word_stops

# Silence costs no engine any time: without a bound a short text would make hours of audio.
MAX_SILENCE_MS: Final = 120_000
# The longest text in ordinary words stays within it at the slowest speed; one of digits is no ordinary text.
MAX_SPEECH_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request that can be met: what is left open by the caller is filled in.

    `engine_speed` is what the engine is asked for, within its range; the rest of `speed` is stretched.
    """

    request: SpeechRequest
    model: str
    voice: str
    language: str
    encoding: Encoding
    sample_rate: int
    engine_speed: float
    seed: int
    reference: Reference | None = None

    @classmethod
    def of(cls, request: SpeechRequest, offers: Capabilities) -> Order:
        """Raises WorkerError for what is not offered, in words that name what is.

        The reference of a cloned voice is still to be found.
        """
        _refuse_what_is_not_offered(request, offers)
        slowest, fastest = offers.speeds
        return cls(
            request=request,
            model=request.model or offers.models[0],
            voice=request.voice or offers.voices[0],
            language=_language(request) or offers.languages[0],
            encoding=_encoding(request, offers),
            sample_rate=offers.sample_rate,
            engine_speed=min(max(request.speed, slowest), fastest),
            seed=secrets.randbelow(MAX_SEED + 1) if request.seed is None else request.seed,
        )

    def utterance(self, piece: Piece, number: int, attempt: int) -> Utterance:
        """What the engine is asked for: an attempt, from 0, at that piece of the request."""
        request = self.request
        return Utterance(
            text=piece.text,
            model=self.model,
            voice=self.voice,
            language=self.language,
            speed=self.engine_speed,
            seed=derived_seed(self.seed, number, attempt),
            reference=self.reference,
            is_repeatable=request.seed is not None,
            exaggeration=request.exaggeration,
            cfg_weight=request.cfg_weight,
            temperature=request.temperature,
            top_p=request.top_p,
            min_p=request.min_p,
            repetition_penalty=request.repetition_penalty,
        )


@dataclass(frozen=True, slots=True)
class Script:
    """The pieces that the engine is to speak, and where their words were written, if that was asked for."""

    pieces: list[Piece]
    word_stops: list[WordStops] | None


def script_of(order: Order, engine: Engine) -> Script:
    """Makes the text speakable. Raises WorkerError where there is nothing to say, or too much."""
    request = order.request
    performs_tags = "tags" in engine.capabilities.features
    try:
        pieces = prepare(
            request.text,
            normalize=request.normalize,
            language=order.language,
            unknown_tags=request.unknown_tags,
            performs_tags=performs_tags,
            # Slow speech is longer: its pieces are shorter, so that each takes no more time than others.
            max_characters=round(MAX_PIECE_CHARACTERS * min(1.0, order.engine_speed)),
        )
        if not any(engine.can_speak(piece.text) for piece in pieces):
            raise cannot_speak()
        _refuse_too_much_silence(pieces)
        _refuse_too_much_speech(pieces, request.speed)
        if request.timestamps == "none":
            return Script(pieces, None)
        spoken = speakable(
            request.text,
            normalize=request.normalize,
            language=order.language,
            unknown_tags=request.unknown_tags,
            performs_tags=performs_tags,
        )
    except UnknownTagError as error:
        raise WorkerError(ErrorCode.INVALID, str(error), param="text") from error
    return Script(pieces, word_stops(pieces, spoken))


def cannot_speak() -> WorkerError:
    """The refusal of a text without sounds; also known only after the engine tried."""
    return WorkerError(
        ErrorCode.CANNOT_SPEAK, "This engine has no sounds for any of this text.", param="text"
    )


def _refuse_what_is_not_offered(request: SpeechRequest, offers: Capabilities) -> None:
    if request.model is not None and request.model not in offers.models:
        message = f"There is no such model here; there is {_listed(offers.models)}."
        raise WorkerError(ErrorCode.MODEL_NOT_FOUND, message, param="model")
    if request.reference_sha256 is not None:
        if "clone" not in offers.features:
            _refuse("voice", f"this worker clones no voices; there is {_listed(offers.voices)}")
    elif request.reference_url is not None:
        _refuse("voice", "it must be the SHA-256 of the reference at reference_url")
    elif request.voice is not None and request.voice not in offers.voices:
        message = f"There is no such voice here; there is {_listed(offers.voices)}."
        raise WorkerError(ErrorCode.VOICE_NOT_FOUND, message, param="voice")
    elif request.voice is None and not offers.voices:
        _refuse("voice", "this worker has no voice of its own; send the recording of one")
    language = _language(request)
    if language is not None and language not in offers.languages:
        _refuse("language", f"{_listed(offers.languages)} is what this engine speaks")
    if request.normalize == "on" and not has_rules(language or offers.languages[0]):
        _refuse("normalize", "only English is written out; leave it on auto, or off")
    if request.timestamps != "none" and "timestamps" not in offers.features:
        _refuse("timestamps", "this engine does not know when it speaks a word")
    if request.timestamps == "character":
        _refuse("timestamps", "this engine knows when it speaks a word, not a character; ask for word")


def _refuse_too_much_silence(pieces: list[Piece]) -> None:
    asked_ms = sum(piece.silence_before_ms + piece.silence_after_ms for piece in pieces)
    if asked_ms > MAX_SILENCE_MS:
        _refuse(
            "text",
            f"its pauses last {asked_ms / 1000:g} s; at most {MAX_SILENCE_MS // 1000} s of silence are made "
            "in one request",
        )


def _refuse_too_much_speech(pieces: list[Piece], speed: float) -> None:
    expected = sum(expected_seconds(piece.text) for piece in pieces) / speed
    if expected > MAX_SPEECH_SECONDS:
        _refuse(
            "text",
            f"it would be spoken for about {expected / 60:.0f} minutes; at most {MAX_SPEECH_SECONDS // 60} "
            "are made in one request",
        )


def _language(request: SpeechRequest) -> str | None:
    """The primary tag, without a region."""
    return request.language.replace("_", "-").split("-")[0].lower() if request.language else None


def _encoding(request: SpeechRequest, offers: Capabilities) -> Encoding:
    try:
        return Encoding.resolve(
            request.format,
            source_rate=offers.sample_rate,
            sample_rate=request.sample_rate,
            bitrate=request.bitrate,
        )
    except EncodingError as error:
        raise WorkerError(ErrorCode.INVALID, error.message, param=error.param) from error


def _refuse(param: str, what: str) -> None:
    raise WorkerError(ErrorCode.INVALID, f"{param}: {what}.", param=param)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
