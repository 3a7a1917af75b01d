"""Callers side by side: turns by tenant, places in the queue, slots that are freed, a device that breaks."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gpu_worker.process import DEVICE_POISONED
from gpu_worker.protocol import Audio, End, Mark, Start
from tests.gpu_worker.framed import speak, speaking, until
from tests.gpu_worker.worker_process import WorkerProcess, running_worker

SENTENCE = "These words take the tone a while to say."
LONG = f"{SENTENCE} " * 20


@pytest.fixture(scope="module")
def busy_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """One slot that needs a tenth of a sentence's length for it."""
    folder = tmp_path_factory.mktemp("busy-worker")
    with running_worker(folder, ENGINE="tone", THREADS="1", TONE_REAL_TIME_FACTOR="0.02") as process:
        yield process


@pytest.mark.parametrize("by_header", [True, False])
async def test_one_request_among_fifty_of_another_tenant_is_not_last(
    busy_worker: WorkerProcess, by_header: bool
) -> None:
    order: list[str] = []
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=100)) as client:

        async def ask(tenant: str) -> None:
            body = {"text": SENTENCE, "tenant": tenant}
            headers = {"X-Tenant": "anyone"}
            if by_header:
                headers = {"X-Tenant": body.pop("tenant")}
            response = await client.post(f"{busy_worker.url}/generate", json=body, headers=headers)
            assert response.status_code == 200
            order.append(tenant)

        async def many_wait() -> bool:
            return bool((await client.get(f"{busy_worker.url}/ready")).json()["queue"]["waiting"] > 30)

        many = [asyncio.create_task(ask("many")) for _ in range(50)]
        await until(many_wait)
        done_before = len(order)
        await ask("one")
        done_since = order.index("one") - done_before
        await asyncio.gather(*many)
    # One was being made, and one more may have been answered while the request was on its way.
    assert done_since <= 4
    assert len(order) == 51


async def test_a_refusal_says_the_place_and_when_to_come_again(idle_slow_worker: WorkerProcess) -> None:
    url = f"{idle_slow_worker.url}/generate"
    async with httpx.AsyncClient(timeout=30) as client:
        # Now it knows how long it takes.
        assert (await client.post(url, json={"text": SENTENCE})).status_code == 200
        held = [asyncio.create_task(client.post(url, json={"text": LONG})) for _ in range(3)]

        async def is_full() -> bool:
            queue = (await client.get(f"{idle_slow_worker.url}/ready")).json()["queue"]
            return bool(queue["active"] == 1 and queue["waiting"] == 2 and queue["position"] == 3)

        await until(is_full)
        refused = await client.post(url, json={"text": SENTENCE})
        other = await client.get(f"{idle_slow_worker.url}/ready", headers={"X-Tenant": "other"})
        for task in held:
            task.cancel()
    assert refused.status_code == 429
    assert refused.headers["x-queue-position"] == "3"
    # Another tenant has the turn after the next.
    assert other.json()["queue"]["position"] == 2
    # Each of three has 800 characters, a second of work for 30 of them.
    assert 20 <= int(refused.headers["retry-after"]) <= 120


def test_batched_requests_speak_at_once(tmp_path: Path) -> None:
    environment = {"ENGINE": "tone", "TONE_BATCH": "8", "THREADS": "1", "TONE_REAL_TIME_FACTOR": "0.5"}
    with running_worker(tmp_path, **environment) as worker:
        assert httpx.get(f"{worker.url}/ready").json()["max_batch"] == 8
        with (
            speaking(worker.url, text=LONG) as first,
            speaking(worker.url, text=LONG) as second,
            speaking(worker.url, text=SENTENCE) as third,
        ):
            for messages in (first, second, third):
                assert isinstance(next(messages), Start)
                assert isinstance(next(messages), Audio)
            assert worker.queue()["active"] == 3
            *_, end = third
            assert isinstance(end, End)
        worker.wait_until_idle()


def test_a_caller_who_leaves_frees_the_cpu_engine_amid_a_sentence(tmp_path: Path) -> None:
    text = (
        "and the quick brown fox jumps over the lazy dog while others watch and wonder what it means " * 100
    )
    with running_worker(tmp_path, ENGINE="cpu", THREADS="1") as worker:
        assert isinstance(speak(worker.url, text="Hello.")[-1], End)
        for delay in (0.05, 0.2):
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{worker.url}/generate", json={"text": text, "speed": 0.5}, timeout=delay)
            left_at = time.perf_counter()
            assert isinstance(speak(worker.url, text="Hello.")[-1], End)
            # All of the text would take the engine several seconds.
            assert time.perf_counter() - left_at < 1.5
        assert sum(worker.queue()[name] for name in ("active", "waiting")) == 0


def test_a_caller_who_closes_only_his_side_is_answered_or_cancelled(busy_worker: WorkerProcess) -> None:
    host, port = busy_worker.url.removeprefix("http://").split(":")
    body = b'{"text": "%s"}' % SENTENCE.encode()
    head = b"POST /generate HTTP/1.1\r\nHost: worker\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert received == b"" or received.startswith(b"HTTP/1.1 ")
    busy_worker.wait_until_idle()
    assert isinstance(speak(busy_worker.url, text=SENTENCE)[-1], End)


def test_words_are_marked_when_asked(busy_worker: WorkerProcess) -> None:
    text = "It cost $12.50 on Monday. Dr. Smith [pause:500ms] paid it."
    *messages, end = speak(busy_worker.url, text=text, timestamps="word", format="pcm")
    assert isinstance(end, End)
    marks = [message for message in messages if isinstance(message, Mark)]
    spans = [text[mark.source_from : mark.source_to].strip() for mark in marks]
    assert [span for span in spans if span][:6] == ["It", "cost", "$12.50", "on", "Monday.", "Dr."]
    assert [mark.source_from for mark in marks] == [0, *(mark.source_to for mark in marks[:-1])]
    times = [mark.audio_ms for mark in marks]
    assert times == sorted(times)
    assert (marks[-1].source_to, times[-1]) == (len(text), end.audio_ms)


def test_pauses_are_audio_within_their_mark(busy_worker: WorkerProcess) -> None:
    plain, paused = (
        [message for message in speak(busy_worker.url, text=text, format="pcm") if isinstance(message, Mark)]
        for text in ("One sentence is here.", "One sentence is here. [pause:2s] Another one follows it.")
    )
    assert paused[0].audio_ms == plain[0].audio_ms + 2000


def test_a_poisoned_device_ends_the_process_with_a_status_of_its_own(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    environment = {
        "PATH": os.environ["PATH"],
        "ENGINE": "tone",
        "WORKER_ENV": "test",
        "PORT": "0",
        "PORT_FILE": str(port_file),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.gpu_worker.poisoned_worker"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        while not port_file.exists():
            assert process.poll() is None
            time.sleep(0.01)
        url = f"http://127.0.0.1:{port_file.read_text().strip()}"
        while httpx.get(f"{url}/ready").status_code != 200:
            time.sleep(0.01)
        response = httpx.post(f"{url}/generate", json={"text": "Hello."}, timeout=10)
        assert (response.status_code, response.json()["error"]["retryable"]) == (500, True)
        assert process.wait(10) == DEVICE_POISONED
        assert process.stdout is not None
        assert "device poisoned" in process.stdout.read()
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
