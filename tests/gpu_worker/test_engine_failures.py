"""What becomes of requests whose engine fails, makes bad audio, or loses its device."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count

import httpx
import numpy as np
import pytest

from gpu_worker.audio import Samples
from gpu_worker.config import Settings
from gpu_worker.engines.base import Capabilities, Chunk, DevicePoisonedError, Done, Failed, Outcome, Utterance
from gpu_worker.engines.tone import ToneEngine
from gpu_worker.jobs import MAX_UNREAD_SECONDS
from gpu_worker.metrics import Metrics
from gpu_worker.protocol import Audio, End, Error, FrameReader, Mark, Start
from gpu_worker.server import build_app
from gpu_worker.service import SpeechService
from tests.gpu_worker.framed import ACCEPT

SECRET = "a text that must stay out of the log"
BREAKS = "A fault of our own."
TONE = ToneEngine()
# More than is made ahead of a reader.
LONG = "x" * (15 * MAX_UNREAD_SECONDS + 15)

Speak = Callable[[Utterance], list[Samples]]


@dataclass
class ScriptedEngine:
    """Speaks as the script says, one chunk a step; the script may raise."""

    speak: Speak
    asked: list[Utterance] = field(default_factory=list)
    capabilities: Capabilities = TONE.capabilities

    def can_speak(self, text: str) -> bool:
        """It thinks that it can, but for one text that it trips over."""
        if text == BREAKS:
            raise RuntimeError(SECRET)
        return True

    def open_session(self) -> ScriptedSession:
        """One at a time."""
        return ScriptedSession(self)


class ScriptedSession:
    """See Session."""

    capacity = 1

    def __init__(self, engine: ScriptedEngine) -> None:
        self._engine = engine
        self._slots = count()
        self._slot = -1
        self._utterance: Utterance | None = None
        self._chunks: list[Samples] = []

    def join(self, utterance: Utterance) -> int:
        """See Session."""
        self._engine.asked.append(utterance)
        self._utterance = utterance
        self._slot = next(self._slots)
        return self._slot

    def step(self) -> list[tuple[int, Outcome]]:
        """See Session."""
        if self._utterance:
            utterance, self._utterance = self._utterance, None
            try:
                self._chunks = self._engine.speak(utterance)
            except ValueError as error:
                return [(self._slot, Failed(error))]
        if self._chunks:
            return [(self._slot, Chunk(self._chunks.pop(0)))]
        return [(self._slot, Done())]

    def leave(self, slot: int) -> None:
        """See Session."""
        self._utterance, self._chunks = None, []

    def interrupt(self, slot: int) -> None:
        """See Session."""

    def close(self) -> None:
        """See Session."""


def tone_of(utterance: Utterance, *, seconds: float | None = None) -> Samples:
    """Sound of the length that the text should have, or of another."""
    seconds = len(utterance.text) / 15 if seconds is None else seconds
    phase = np.arange(round(seconds * 24_000)) * (2 * np.pi * 220 / 24_000)
    tone: Samples = (0.3 * np.sin(phase)).astype(np.float32)
    return tone


class Worker:
    """A client of a worker in this process, whose engine is scripted."""

    def __init__(self, speak: Speak) -> None:
        configuration = Settings(engine="tone", environment="test")
        self.engine = ScriptedEngine(speak)
        self.service = SpeechService(configuration, load=lambda _: self.engine)
        app = build_app(self.service, configuration, Metrics())
        transport = httpx.ASGITransport(app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://worker")


StartWorker = Callable[[Speak], Awaitable[Worker]]


@pytest.fixture
async def start() -> AsyncIterator[StartWorker]:
    """Serves an engine that does what a function says."""
    workers = []

    async def start_worker(speak: Speak) -> Worker:
        worker = Worker(speak)
        workers.append(worker)
        await worker.service.load()
        return worker

    yield start_worker
    for worker in workers:
        await worker.service.close()


def raising(error: Exception) -> Speak:
    """A script that fails at once."""

    def speak(utterance: Utterance) -> list[Samples]:
        raise error

    return speak


async def test_a_fault_of_the_worker_counts_as_one(start: StartWorker) -> None:
    worker = await start(lambda utterance: [tone_of(utterance)])
    with pytest.raises(RuntimeError):
        await worker.client.post("/generate", json={"text": BREAKS})
    metrics = (await worker.client.get("/metrics")).text
    assert 'tts_requests_total{status="internal"} 1.0' in metrics
    assert 'status="ok"' not in metrics


@pytest.mark.parametrize("error", [ValueError(SECRET), RuntimeError(SECRET)])
async def test_an_engine_that_fails_at_once_is_a_500(
    start: StartWorker, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    worker = await start(raising(error))
    response = await worker.client.post("/generate", json={"text": SECRET})
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "engine_failed"
    assert response.json()["error"]["retryable"]
    assert SECRET not in response.text
    records = [record for record in caplog.records if record.getMessage() == "engine failed"]
    assert [record.fields["error"] for record in records] == [type(error).__name__]  # type: ignore[attr-defined]
    assert not any(SECRET in str(vars(record)) for record in caplog.records)


async def test_an_engine_that_fails_amid_a_stream_ends_it_with_an_error(start: StartWorker) -> None:
    def speak(utterance: Utterance) -> list[Samples]:
        if "Two" in utterance.text:
            raise ValueError
        return [tone_of(utterance)]

    worker = await start(speak)
    text = f"One {LONG}.\n\nTwo {LONG}."
    response = await worker.client.post("/generate", json={"text": text}, headers=ACCEPT)
    reader = FrameReader()
    opening, *between, last = reader.feed(response.content)
    assert isinstance(opening, Start)
    marks = [message for message in between if isinstance(message, Mark)]
    assert len(marks) < text.count("x") / 280 + 2
    assert any(isinstance(message, Audio) for message in between)
    assert isinstance(last, Error)
    assert (last.code, last.retryable) == ("engine_failed", True)
    assert not reader.ended


async def test_an_engine_that_failed_serves_the_next_request(start: StartWorker) -> None:
    worker = await start(raising(RuntimeError("first")))
    for _ in range(3):
        assert (await worker.client.post("/generate", json={"text": "Hello."})).status_code == 500
    assert (await worker.client.get("/ready")).json()["queue"]["active"] == 0
    worker.engine.speak = lambda utterance: [tone_of(utterance)]
    assert (await worker.client.post("/generate", json={"text": "Hello."})).status_code == 200


async def test_a_poisoned_device_fails_all_and_ends_service(start: StartWorker) -> None:
    worker = await start(raising(DevicePoisonedError("assert")))
    response = await worker.client.post("/generate", json={"text": "Hello."})
    assert response.status_code == 500
    assert response.json()["error"]["retryable"]
    assert "restarts" in response.json()["error"]["message"]
    await worker.service.poisoned.wait()
    assert (await worker.client.get("/ready")).status_code == 503
    refused = await worker.client.post("/generate", json={"text": "Hello."})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")


def failing_once(bad: Callable[[Utterance], Samples]) -> Speak:
    """A script whose first attempt at each text is bad."""
    seen: set[str] = set()

    def speak(utterance: Utterance) -> list[Samples]:
        if utterance.text in seen:
            return [tone_of(utterance)]
        seen.add(utterance.text)
        return [bad(utterance)]

    return speak


BAD: list[tuple[str, Callable[[Utterance], Samples]]] = [
    ("not_finite", lambda utterance: np.full(24_000, np.nan, np.float32)),
    ("silent", lambda utterance: np.zeros(24_000, np.float32)),
    ("too_long", lambda utterance: tone_of(utterance, seconds=60)),
    ("too_short", lambda utterance: tone_of(utterance, seconds=0.1)),
]


@pytest.mark.parametrize(("reason", "bad"), BAD, ids=[reason for reason, _ in BAD])
async def test_a_bad_piece_is_made_again_with_another_seed(
    start: StartWorker, reason: str, bad: Callable[[Utterance], Samples]
) -> None:
    worker = await start(failing_once(bad))
    text = "A sentence that takes a while to say."
    response = await worker.client.post("/generate", json={"text": text, "seed": 5})
    assert response.status_code == 200
    assert response.headers["x-pieces-remade"] == "1"
    first, second = worker.engine.asked
    assert (first.text, first.seed == second.seed) == (second.text, False)
    metrics = (await worker.client.get("/metrics")).text
    assert f'tts_pieces_remade_total{{reason="{reason}"}} 1.0' in metrics
    again = await start(failing_once(bad))
    await again.client.post("/generate", json={"text": text, "seed": 5})
    assert [utterance.seed for utterance in again.engine.asked] == [first.seed, second.seed]


async def test_a_stream_remakes_pieces_before_they_leave(start: StartWorker) -> None:
    def bad_once(utterance: Utterance) -> Samples:
        return np.zeros(24_000, np.float32) if "Second" in utterance.text else tone_of(utterance)

    worker = await start(failing_once(bad_once))
    text = "First comes this sentence, which is fine.\n\nSecond comes this one, which is silent at first."
    response = await worker.client.post("/generate", json={"text": text}, headers=ACCEPT)
    *_, last = FrameReader().feed(response.content)
    assert isinstance(last, End)
    assert last.pieces_remade == 1
    assert len(worker.engine.asked) == 3


async def test_a_first_piece_that_is_bad_from_its_start_is_remade(start: StartWorker) -> None:
    worker = await start(failing_once(lambda utterance: np.full(24_000, np.nan, np.float32)))
    text = "A sentence that takes a while to say."
    response = await worker.client.post("/generate", json={"text": text}, headers=ACCEPT)
    *_, last = FrameReader().feed(response.content)
    assert isinstance(last, End)
    assert last.pieces_remade == 1


async def test_of_two_bad_takes_the_better_one_goes_out(start: StartWorker) -> None:
    takes = [0.1, 60.0]

    def speak(utterance: Utterance) -> list[Samples]:
        return [tone_of(utterance, seconds=takes.pop(0))]

    worker = await start(speak)
    response = await worker.client.post("/generate", json={"text": "A sentence that takes a while to say."})
    assert response.status_code == 200
    assert int(response.headers["x-audio-ms"]) < 1000


async def test_a_gap_that_is_there_again_is_no_error(start: StartWorker) -> None:
    def speak(utterance: Utterance) -> list[Samples]:
        return [tone_of(utterance), np.zeros(3 * 24_000, np.float32), tone_of(utterance)]

    worker = await start(speak)
    response = await worker.client.post("/generate", json={"text": "A sentence that takes a while to say."})
    assert response.status_code == 200
    assert response.headers["x-pieces-remade"] == "1"
    assert int(response.headers["x-audio-ms"]) > 4500


@pytest.mark.parametrize("sample", [0.0, np.nan])
async def test_what_nobody_should_hear_is_an_error(start: StartWorker, sample: float) -> None:
    worker = await start(lambda utterance: [np.full(24_000, sample, np.float32)])
    response = await worker.client.post("/generate", json={"text": "A sentence that takes a while to say."})
    assert (response.status_code, response.json()["error"]["code"]) == (500, "engine_failed")
    assert len(worker.engine.asked) == 2


async def test_a_text_that_turns_out_to_have_no_sounds_is_refused(start: StartWorker) -> None:
    worker = await start(lambda utterance: [])
    for headers in ({}, ACCEPT):
        response = await worker.client.post("/generate", json={"text": "Hello."}, headers=headers)
        assert (response.status_code, response.json()["error"]["code"]) == (422, "cannot_speak")
