"""Engines on their own, and what becomes of one that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_worker.audio import Samples
from gpu_worker.config import Settings
from gpu_worker.engines.base import Capabilities, Engine, Utterance
from gpu_worker.engines.cpu import CpuEngine
from gpu_worker.engines.tone import ToneEngine
from gpu_worker.jobs import MAX_UNREAD_BYTES
from gpu_worker.protocol import Audio, Error, FrameReader, Mark, Start
from gpu_worker.server import build_app
from gpu_worker.service import SpeechService
from tests.gpu_worker.framed import ACCEPT

SECRET = "a text that must stay out of the log"


def utterance(text: str, *, engine: Engine, seed: int | None = 1, speed: float = 1.0) -> Utterance:
    """One piece in the engine's own voice."""
    return Utterance(
        text=text,
        piece=0,
        model=engine.capabilities.models[0],
        voice=engine.capabilities.voices[0],
        language="en",
        speed=speed,
        seed=seed,
        exaggeration=None,
        cfg_weight=None,
        temperature=None,
        top_p=None,
        min_p=None,
        repetition_penalty=None,
    )


def samples_of(engine: Engine, text: str, *, seed: int | None = 1, speed: float = 1.0) -> Samples:
    """All chunks of one piece."""
    chunks = list(engine.synthesize(utterance(text, engine=engine, seed=seed, speed=speed)))
    return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)


@pytest.fixture(scope="module")
def cpu() -> CpuEngine:
    """The CPU engine, loaded."""
    return CpuEngine.load()


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40))
def test_the_cpu_engine_takes_any_text(cpu: CpuEngine, text: str) -> None:
    samples = samples_of(cpu, text)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    if not cpu.can_speak(text):
        assert not len(samples)


@pytest.mark.parametrize("text", ["", " ", "😀", "中文", "...", "—", "'", "привет", "\x00", "🇬🇧"])
def test_the_cpu_engine_knows_what_it_has_no_sounds_for(cpu: CpuEngine, text: str) -> None:
    assert not cpu.can_speak(text)


@pytest.mark.parametrize("text", ["a", "7", "½", "Ⅳ", "１２", "é", "&", "⑴", "9" * 60, "中文 and more"])
def test_the_cpu_engine_speaks_what_it_says_it_can(cpu: CpuEngine, text: str) -> None:
    assert cpu.can_speak(text)
    assert len(samples_of(cpu, text)) > 0.2 * cpu.capabilities.sample_rate


def test_the_cpu_engine_repeats_itself_for_a_seed_alone(cpu: CpuEngine) -> None:
    assert np.array_equal(samples_of(cpu, "Hello.", seed=1), samples_of(cpu, "Hello.", seed=1))
    assert not np.array_equal(samples_of(cpu, "Hello.", seed=1), samples_of(cpu, "Hello.", seed=None))


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_a_tone_is_as_long_as_speech(speed: float) -> None:
    samples = samples_of(ToneEngine(), "x" * 150, speed=speed)
    assert len(samples) == 240_000 / speed
    assert 0.29 < np.abs(samples).max() <= 0.3
    assert np.abs(np.diff(samples)).max() < 0.02


class FailingEngine:
    """Speaks its first pieces, each longer than what is made ahead of a reader, and then raises."""

    capabilities: Capabilities = ToneEngine().capabilities

    def __init__(self, good_pieces: int) -> None:
        self._good_pieces = good_pieces

    def can_speak(self, text: str) -> bool:
        """It thinks that it can."""
        return True

    def synthesize(self, utterance: Utterance) -> Generator[Samples, None, None]:
        """Raises with the text in its message, as careless engines do."""
        if utterance.piece >= self._good_pieces:
            raise RuntimeError(utterance.text)
        yield np.zeros(MAX_UNREAD_BYTES, np.float32)


StartClient = Callable[[int], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def client_of_failing_engine() -> AsyncIterator[StartClient]:
    """Serves an engine that fails after so many pieces."""
    services = []

    async def start(good_pieces: int) -> httpx.AsyncClient:
        configuration = Settings(engine="tone", environment="test")
        service = SpeechService(configuration, load=lambda _: FailingEngine(good_pieces))
        services.append(service)
        await service.load()
        transport = httpx.ASGITransport(build_app(service, configuration))
        return httpx.AsyncClient(transport=transport, base_url="http://worker")

    yield start
    for service in services:
        await service.close()


async def test_an_engine_that_fails_at_once_is_a_500(
    client_of_failing_engine: StartClient, caplog: pytest.LogCaptureFixture
) -> None:
    client = await client_of_failing_engine(0)
    response = await client.post("/generate", json={"text": SECRET})
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "engine_failed"
    assert SECRET not in response.text
    records = [record for record in caplog.records if record.getMessage() == "engine failed"]
    assert [record.fields["error"] for record in records] == ["RuntimeError"]  # type: ignore[attr-defined]
    assert not any(SECRET in str(vars(record)) for record in caplog.records)


async def test_an_engine_that_fails_amid_a_stream_ends_it_with_an_error(
    client_of_failing_engine: StartClient,
) -> None:
    client = await client_of_failing_engine(1)
    response = await client.post("/generate", json={"text": "One. Two."}, headers=ACCEPT)
    reader = FrameReader()
    start, *between, last = reader.feed(response.content)
    assert isinstance(start, Start)
    assert [message for message in between if not isinstance(message, Audio)] == [Mark(41_666, 0, 5)]
    assert isinstance(last, Error)
    assert (last.code, last.retryable) == ("engine_failed", True)
    assert not reader.ended


async def test_an_engine_that_failed_serves_the_next_request(
    client_of_failing_engine: StartClient,
) -> None:
    client = await client_of_failing_engine(0)
    for _ in range(3):
        assert (await client.post("/generate", json={"text": "Hello."})).status_code == 500
    assert (await client.get("/ready")).json()["queue"]["active"] == 0
