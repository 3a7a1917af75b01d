"""Audio on its way: early, in turns, cut honestly, cancelled down to the engine."""

from __future__ import annotations

import asyncio
import socket
import time

import httpx
import pytest

from gpu_worker.protocol import Audio, End, Error, Mark, Start
from tests.gpu_worker.framed import speak, speaking, until
from tests.gpu_worker.worker_process import WorkerProcess, running_worker

LONG = "These words take the tone a while to say. " * 20
SHORT = "Only a moment."


def test_framed_audio_comes_while_more_is_made(idle_slow_worker: WorkerProcess) -> None:
    with speaking(idle_slow_worker.url, text=LONG) as messages:
        assert isinstance(next(messages), Start)
        assert isinstance(next(messages), Audio)
        assert idle_slow_worker.queue()["active"] == 1


def test_bare_audio_comes_while_more_is_made(idle_slow_worker: WorkerProcess) -> None:
    request = {"text": LONG, "stream": True}
    with httpx.stream("POST", f"{idle_slow_worker.url}/generate", json=request) as response:
        chunks = response.iter_raw()
        assert next(chunks).startswith(b"RIFF\xff\xff\xff\xff")
        assert idle_slow_worker.queue()["active"] == 1


def test_a_long_request_does_not_hold_up_a_short_one(idle_slow_worker: WorkerProcess) -> None:
    with speaking(idle_slow_worker.url, text=LONG) as long:
        assert isinstance(next(long), Start)
        assert isinstance(speak(idle_slow_worker.url, text=SHORT)[-1], End)
        marks_meanwhile = [message for message in (next(long) for _ in range(3)) if isinstance(message, Mark)]
        assert len(marks_meanwhile) <= 1
        assert idle_slow_worker.queue()["active"] == 1


async def test_a_full_queue_refuses_with_an_estimate(idle_slow_worker: WorkerProcess) -> None:
    url = f"{idle_slow_worker.url}/generate"
    async with httpx.AsyncClient(timeout=30) as client:
        held = [asyncio.create_task(client.post(url, json={"text": LONG})) for _ in range(3)]

        async def is_full() -> bool:
            queue = (await client.get(f"{idle_slow_worker.url}/ready")).json()["queue"]
            return bool(queue["active"] + queue["waiting"] == queue["capacity"])

        await until(is_full)
        refused = await client.post(url, json={"text": SHORT})
        of_another = await client.post(url, json={"text": SHORT, "tenant": "another"})
        for task in held:
            task.cancel()
    assert of_another.status_code == 200
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "queue_full"
    assert int(refused.headers["retry-after"]) >= 1


def test_a_caller_who_leaves_frees_the_engine(idle_slow_worker: WorkerProcess) -> None:
    with speaking(idle_slow_worker.url, text=LONG, request_id="req_left") as messages:
        assert isinstance(next(messages), Start)
    idle_slow_worker.wait_until_idle()
    lines = idle_slow_worker.log_of("req_left")
    assert [line["outcome"] for line in lines] == ["cancelled"]
    assert lines[0]["audio_ms"] < 10_000


def test_a_caller_who_leaves_before_the_first_byte_frees_its_place(idle_slow_worker: WorkerProcess) -> None:
    with speaking(idle_slow_worker.url, text=LONG):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{idle_slow_worker.url}/generate", json={"text": LONG}, timeout=0.2)
        while sum(idle_slow_worker.queue().values()) > 4:
            time.sleep(0.01)


def test_cancelling_ends_a_framed_stream_with_an_error(idle_slow_worker: WorkerProcess) -> None:
    with speaking(idle_slow_worker.url, text=LONG, request_id="req_cancel") as messages:
        assert isinstance(next(messages), Start)
        answer = httpx.post(f"{idle_slow_worker.url}/cancel/req_cancel")
        assert (answer.status_code, answer.json()) == (200, {"cancelled": 1})
        *_, last = messages
    assert last == Error("cancelled", "The request was cancelled.", retryable=False)
    assert httpx.post(f"{idle_slow_worker.url}/cancel/req_cancel").status_code == 404


async def test_cancelling_refuses_what_has_not_begun(idle_slow_worker: WorkerProcess) -> None:
    async with httpx.AsyncClient() as client:

        async def cancelled() -> bool:
            return (await client.post(f"{idle_slow_worker.url}/cancel/req_whole")).status_code == 200

        request = {"text": LONG, "request_id": "req_whole"}
        answer = asyncio.create_task(client.post(f"{idle_slow_worker.url}/generate", json=request))
        await until(cancelled)
        response = await answer
    assert (response.status_code, response.json()["error"]["code"]) == (499, "cancelled")


def test_a_deadline_before_the_first_byte_is_a_status(idle_slow_worker: WorkerProcess) -> None:
    response = httpx.post(f"{idle_slow_worker.url}/generate", json={"text": LONG, "deadline_ms": 200})
    assert (response.status_code, response.json()["error"]["code"]) == (503, "deadline_exceeded")


def test_a_deadline_amid_frames_is_told(idle_slow_worker: WorkerProcess) -> None:
    *_, last = speak(idle_slow_worker.url, text=LONG, deadline_ms=300)
    assert last == Error("deadline_exceeded", "The deadline of 300 ms has passed.", retryable=False)


def test_a_deadline_amid_bare_audio_cuts_the_connection(idle_slow_worker: WorkerProcess) -> None:
    request = {"text": LONG, "stream": True, "deadline_ms": 300}
    with httpx.stream("POST", f"{idle_slow_worker.url}/generate", json=request) as response:
        assert response.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            response.read()


async def test_many_at_once_are_all_answered(worker: WorkerProcess) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        requests = [
            client.post(f"{worker.url}/generate", json={"text": f"Number {number}. Goes on.", "seed": number})
            for number in range(20)
        ]
        together = await asyncio.gather(*requests)
        alone = await client.post(f"{worker.url}/generate", json={"text": "Number 7. Goes on.", "seed": 7})
    assert all(response.status_code == 200 for response in together)
    assert together[7].content == alone.content


def test_a_reader_who_takes_his_time_gets_everything(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_worker(tmp_path_factory.mktemp("fast-worker"), ENGINE="tone", THREADS="1") as fast:
        text = LONG * 4
        with speaking(fast.url, text=text) as messages:
            next(messages)
            while fast.queue()["active"] != 1:
                time.sleep(0.01)
            assert isinstance(speak(fast.url, text=SHORT)[-1], End)
            audio_bytes = sum(len(message.data) for message in messages if isinstance(message, Audio))
        assert audio_bytes > 10_000_000


@pytest.mark.slow
def test_a_reader_who_stops_reading_is_given_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_worker(tmp_path_factory.mktemp("fast-worker"), ENGINE="tone", THREADS="1") as fast:
        host, port = fast.url.removeprefix("http://").split(":")
        body = b'{"request_id": "req_stall", "stream": true, "text": "%s"}' % (LONG * 11).encode()
        head = b"POST /generate HTTP/1.1\r\nHost: worker\r\nContent-Type: application/json\r\n"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert [line["outcome"] for line in fast.log_of("req_stall")] == ["send_stalled"]


def test_a_killed_worker_leaves_a_stream_without_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("killed-worker")
    with running_worker(folder, ENGINE="tone", TONE_REAL_TIME_FACTOR="0.5") as killed:
        with speaking(killed.url, text=LONG) as messages:
            received = [next(messages)]
            killed.process.kill()
            with pytest.raises(httpx.RemoteProtocolError):
                received.extend(messages)
        assert not any(isinstance(message, End) for message in received)
