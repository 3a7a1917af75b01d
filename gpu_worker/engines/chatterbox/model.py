"""A loaded checkpoint as sessions use it: nothing in it changes from one request to the next."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

import torch
from chatterbox.models.s3gen import S3GEN_SR

from gpu_worker.audio.checks import Bounds
from gpu_worker.engines.base import Utterance
from gpu_worker.engines.chatterbox.conditionals import FLOW_SECONDS, Voice, voice_of
from gpu_worker.engines.chatterbox.flow import Flow
from gpu_worker.engines.chatterbox.kinds import Kind, Sampling
from gpu_worker.engines.chatterbox.texts import readable, text_tokens
from gpu_worker.engines.chatterbox.tokens import T3Steps, TokenOrder
from gpu_worker.references.reference import Reference

DEFAULT_VOICE: Final = "default"
# Upstream's bound, 40 s.
_MOST_TOKENS: Final = 1000

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Stages:
    """Where the time goes, in seconds by stage; tokens made; voices worked out, and found ready."""

    seconds: dict[str, float] = field(default_factory=dict)
    tokens: int = 0
    voices_made: int = 0
    voices_found: int = 0

    def time(self, stage: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does the work, and adds what it took."""
        started_at = time.perf_counter()
        try:
            return work(*args, **kwargs)
        finally:
            took = time.perf_counter() - started_at
            self.seconds[stage] = self.seconds.get(stage, 0.0) + took


class Model:
    """Upstream's model, taken apart."""

    sample_rate: Final = S3GEN_SR

    def __init__(
        self, kind: Kind, upstream: Any, *, dtype: torch.dtype, flow_seconds: float = FLOW_SECONDS
    ) -> None:
        self.kind = kind
        self.stages = Stages()
        self.watermarker = upstream.watermarker
        self.vocoder = upstream.s3gen.mel2wav
        self.fade = upstream.s3gen.trim_fade
        self.flow = Flow(upstream.s3gen)
        self.t3 = T3Steps(upstream.t3, dtype=dtype)
        self._upstream = upstream
        self._flow_seconds = flow_seconds
        self._own_voice = Voice.of_upstream(upstream.conds) if upstream.conds is not None else None
        upstream.conds = None

    @property
    def device(self) -> str:
        """cpu or cuda."""
        return self.t3.device

    @property
    def voices(self) -> tuple[str, ...]:
        """Those that need no recording."""
        return (DEFAULT_VOICE,) if self._own_voice is not None else ()

    def voice(self, utterance: Utterance) -> Voice:
        """That of the recording, worked out once for it, or the checkpoint's own."""
        if utterance.reference is not None:
            return self.learn(utterance.reference)
        if self._own_voice is None:
            raise LookupError("this checkpoint has no voice of its own")
        return self._own_voice

    def learn(self, reference: Reference) -> Voice:
        """The voice of a recording. Safe beside a session that speaks."""
        made = self.stages.voices_made
        voice = reference.derived((self.kind.name, self._flow_seconds), partial(self._made, reference))
        self.stages.voices_found += self.stages.voices_made == made
        return voice

    def order(self, utterance: Utterance, voice: Voice) -> TokenOrder | None:
        """What T3 is asked for; None where there is nothing to say."""
        text = readable(utterance.text, self.kind)
        if not any(character.isalnum() for character in text):
            return None
        kind = self.kind
        guidance = _first(utterance.cfg_weight, kind.guidance) if kind.guidance else 0.0
        exaggeration = _first(utterance.exaggeration, kind.exaggeration)
        tokens = text_tokens(self._upstream, kind, text, utterance.language)
        embeddings = self.t3.prompt(voice.conditions(exaggeration), tokens, is_guided=guidance > 0)
        end = embeddings.shape[1] - self.t3.starts
        return TokenOrder(
            embeddings=embeddings,
            text=range(end - len(tokens), end),
            guidance=guidance,
            sampling=self._sampling(utterance),
            seed=utterance.seed,
            max_tokens=min(_MOST_TOKENS, round(25 * Bounds.of(utterance.text).longest) + 25),
        )

    def _sampling(self, utterance: Utterance) -> Sampling:
        usual = self.kind.sampling
        return replace(
            usual,
            temperature=_first(utterance.temperature, usual.temperature),
            repetition_penalty=_first(utterance.repetition_penalty, usual.repetition_penalty),
            min_p=_first(utterance.min_p, usual.min_p),
            top_p=_first(utterance.top_p, usual.top_p),
        )

    def _made(self, reference: Reference) -> Voice:
        voice: Voice = self.stages.time(
            "voices", voice_of, self._upstream, reference, flow_seconds=self._flow_seconds
        )
        self.stages.voices_made += 1
        return voice


def _first(value: float | None, usual: float) -> float:
    return usual if value is None else value
