"""Speech that breaks off, as OpenAI's SDK meets it: what it does by itself, and what that leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest

from apps.deployments.models import Worker
from tests.gpu_worker.worker_process import WorkerProcess, running_worker
from tests.platform import Tenant, deploy, until, wait_for_route
from tests.tts.killing import killed_when_busy
from tests.tts.openai.conftest import Trace

LONG = "A tone of some length, and then some more of it. " * 20


@pytest.fixture
def fragile(acme: Tenant, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A paced tone that a test may kill, and the only one."""
    with running_worker(tmp_path, ENGINE="tone", THREADS="2", TONE_REAL_TIME_FACTOR="0.2") as worker:
        deploy(worker, name="fragile")
        wait_for_route(acme, model="tone")
        yield worker


def states(acme: Tenant) -> list[str]:
    """Of all records, oldest first, once all are closed."""
    until(lambda: all(record.state != "open" for record in acme.records()), what="settlement")
    return [record.state for record in reversed(acme.records())]


def test_a_plain_call_asks_again_in_silence_and_gets_the_whole(
    acme: Tenant,
    fragile: WorkerProcess,
    client: openai.OpenAI,
    trace: Trace,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("second")
    with running_worker(folder, ENGINE="tone", THREADS="2", TONE_REAL_TIME_FACTOR="0.1") as second:
        # The router prefers the one that reports less to do.
        Worker.objects.filter(pk=deploy(second, name="second").pk).update(in_flight=5)
        with killed_when_busy(fragile):
            answer = client.audio.speech.create(
                model="tone", voice="tone", input=LONG, response_format="pcm", extra_headers=trace.headers
            )
    trace.attempts(2)
    assert states(acme) == ["cut", "ok"]
    whole, cut = acme.records()
    assert len(answer.content) / 48 == pytest.approx(whole.audio_ms, abs=2)
    assert 0 < cut.characters_charged < len(LONG)
    assert (whole.characters, whole.request_id) == (cut.characters, cut.request_id)
    # Each character is paid once: the second attempt has no more to say for itself than the same body.
    assert cut.characters_charged + whole.characters_charged == len(LONG)
    assert (whole.characters_credited, cut.credited_to) == (cut.characters_charged, whole.id)


def test_a_plain_call_that_nobody_can_finish_fails_after_three_attempts(
    acme: Tenant, fragile: WorkerProcess, client: openai.OpenAI, trace: Trace
) -> None:
    with killed_when_busy(fragile), pytest.raises(openai.InternalServerError) as refused:
        client.audio.speech.create(model="tone", voice="tone", input=LONG, extra_headers=trace.headers)
    assert (refused.value.status_code, refused.value.type) == (503, "server_error")
    trace.attempts(3)
    assert states(acme)[0] == "cut"
    assert all(record.characters_charged == 0 for record in acme.records()[:-1])


def test_a_stream_is_asked_for_once_and_breaks(
    acme: Tenant, fragile: WorkerProcess, client: openai.OpenAI, trace: Trace
) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="tone", voice="tone", input=LONG, response_format="pcm", extra_headers=trace.headers
    ) as response:
        chunks = response.iter_bytes()
        received = 0
        while received < 300_000:
            received += len(next(chunks))
        fragile.stop()
        with pytest.raises(httpx2.RemoteProtocolError):
            list(chunks)
    trace.attempts(1)
    assert states(acme) == ["cut"]


async def test_an_async_stream_breaks_too(
    acme: Tenant, fragile: WorkerProcess, async_client: openai.AsyncOpenAI
) -> None:
    async with async_client.audio.speech.with_streaming_response.create(
        model="tone", voice="tone", input=LONG, response_format="pcm"
    ) as response:
        chunks = response.iter_bytes()
        received = 0
        while received < 300_000:
            received += len(await anext(chunks))
        fragile.stop()
        with pytest.raises(httpx2.RemoteProtocolError):
            async for _ in chunks:
                pass


def test_a_client_that_leaves_ends_the_work(
    acme: Tenant, fragile: WorkerProcess, client: openai.OpenAI
) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="tone", voice="tone", input=LONG, response_format="pcm"
    ) as response:
        next(response.iter_bytes())
    record = acme.settled()
    assert record.state == "cancelled"
    assert record.characters_charged < len(LONG)
    fragile.wait_until_idle()
