"""An engine's work on a new voice is done beside its batch, before the request is queued."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gpu_worker.config import Settings
from gpu_worker.engines.base import Learner
from gpu_worker.engines.tone import ToneEngine
from gpu_worker.protocol import SpeechRequest, sign_consent
from gpu_worker.references.reference import Reference
from gpu_worker.service import SpeechService
from tests.gpu_worker.voices.conftest import CONSENT_SECRET
from tests.gpu_worker.voices.recordings import recording, sha256_of

RECORDING = recording()


class LearningEngine(ToneEngine):
    """Notes whose voice it learned, and in which thread; may fail at it."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__(0.0, 1)
        self.learned: list[tuple[str, str]] = []
        self._fails = fails

    def learn(self, reference: Reference) -> None:
        """See Learner."""
        self.learned.append((reference.sha256, threading.current_thread().name))
        if self._fails:
            raise ArithmeticError("no voice in it")


class Sent:
    """The recording, sent along."""

    async def read_reference(self) -> bytes:
        """See Upload."""
        return RECORDING

    async def discard(self) -> None:
        """See Upload."""


@pytest.mark.parametrize("fails", [False, True])
async def test_a_voice_is_learned_before_its_request_is_queued(tmp_path: Path, *, fails: bool) -> None:
    engine = LearningEngine(fails=fails)
    assert isinstance(engine, Learner)
    settings = Settings(
        engine="tone", environment="test", consent_secret=CONSENT_SECRET, voice_cache=tmp_path / "voices"
    )
    service = SpeechService(settings, load=lambda _: engine)
    await service.load()
    try:
        voice = sha256_of(RECORDING)
        request = SpeechRequest(
            text="One voice.", voice=voice, consent=sign_consent(voice, secret=CONSENT_SECRET)
        )
        reference = await service.reference_for(request, Sent())
    finally:
        await service.close()
    [(learned, thread)] = engine.learned
    assert learned == reference.sha256 == voice
    assert thread.startswith("voice-learner")
