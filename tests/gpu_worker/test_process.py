"""The worker as a process: start, readiness, log, metrics, end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from gpu_worker.protocol import PROTOCOL, End, Error, Start
from tests.gpu_worker.framed import speak, speaking
from tests.gpu_worker.worker_process import WorkerProcess, running_worker

LONG = "These words take a while. " * 5
SLOW = {"ENGINE": "tone", "TONE_REAL_TIME_FACTOR": "0.2"}


def test_ready_says_what_it_offers(worker: WorkerProcess) -> None:
    response = httpx.get(f"{worker.url}/ready")
    assert response.status_code == 200
    assert response.json() == {
        "protocol": PROTOCOL,
        "version": "0.1.0",
        "status": "ready",
        "engine": "cpu",
        "models": ["hibari"],
        "voices": ["heart"],
        "languages": ["en"],
        "features": [],
        "formats": ["wav", "pcm", "mp3", "opus", "aac", "flac", "mulaw", "alaw"],
        "sample_rate": 24_000,
        "max_batch": 1,
        "queue": {"active": 0, "waiting": 0, "capacity": 128, "position": 1},
    }


def test_it_answers_while_its_engine_loads(tmp_path: Path) -> None:
    worker = WorkerProcess(tmp_path, ENGINE="cpu")
    try:
        ready = httpx.get(f"{worker.url}/ready")
        refused = httpx.post(f"{worker.url}/generate", json={"text": "Hello."})
        assert httpx.get(f"{worker.url}/health").status_code == 200
        assert (ready.status_code, ready.json()["status"], ready.json()["voices"]) == (503, "loading", [])
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "loading")
        assert int(refused.headers["retry-after"]) >= 1
        worker.wait_until_ready()
        assert httpx.post(f"{worker.url}/generate", json={"text": "Hello."}).status_code == 200
    finally:
        worker.stop()


def test_metrics_count_outcomes(worker: WorkerProcess) -> None:
    httpx.post(f"{worker.url}/generate", json={"text": "Hello.", "request_id": "req_counted"})
    httpx.post(f"{worker.url}/generate", json={"text": ""}, headers={"X-Request-Id": "req_counted_too"})
    worker.log_of("req_counted")
    worker.log_of("req_counted_too")
    metrics = httpx.get(f"{worker.url}/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    values = dict(line.rsplit(" ", 1) for line in metrics.text.splitlines() if line[0] != "#")
    assert float(values['tts_requests_total{status="ok"}']) >= 1
    assert float(values['tts_requests_total{status="invalid"}']) >= 1
    assert float(values["tts_audio_duration_seconds_count"]) >= 1
    assert float(values["tts_time_to_first_audio_seconds_count"]) >= 1
    assert float(values["tts_queue_wait_seconds_count"]) >= 1
    assert values["tts_active_connections"] == "0.0"


def test_the_log_has_one_line_a_request_and_no_text(worker: WorkerProcess) -> None:
    text = "Unmistakable zebra."
    httpx.post(f"{worker.url}/generate", json={"text": text, "request_id": "req_log"})
    lines = worker.log_of("req_log")
    assert len(lines) == 1
    assert lines[0]["event"] == "generate"
    assert (lines[0]["outcome"], lines[0]["characters"]) == ("ok", len(text))
    assert 0 < lines[0]["first_audio_ms"] <= lines[0]["total_ms"]
    assert "zebra" not in worker.log_path.read_text()


def test_draining_refuses_new_requests_and_finishes_old_ones(tmp_path: Path) -> None:
    with running_worker(tmp_path, **SLOW) as worker:
        with speaking(worker.url, text=LONG) as messages:
            assert isinstance(next(messages), Start)
            worker.terminate()
            while (ready := httpx.get(f"{worker.url}/ready")).status_code == 200:
                pass
            refused = httpx.post(f"{worker.url}/generate", json={"text": "Hello."})
            *_, last = messages
        assert ready.json()["status"] == "draining"
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
        assert int(refused.headers["retry-after"]) >= 1
        assert isinstance(last, End)
        assert worker.process.wait(5) == 0


def test_draining_has_an_end(tmp_path: Path) -> None:
    with running_worker(tmp_path, DRAIN_SECONDS="0.1", **SLOW) as worker:
        with speaking(worker.url, text=LONG) as messages:
            assert isinstance(next(messages), Start)
            worker.terminate()
            *_, last = messages
        assert last == Error("draining", "This worker shut down before it was through.", retryable=True)
        assert worker.process.wait(5) == 0


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_worker_stops_at_once(tmp_path: Path, sent: signal.Signals) -> None:
    with running_worker(tmp_path, ENGINE="tone") as worker:
        worker.process.send_signal(sent)
        assert worker.process.wait(5) == 0


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    with (
        running_worker(tmp_path, ENGINE="tone", TONE_REAL_TIME_FACTOR="2") as worker,
        speaking(worker.url, text=LONG) as messages,
    ):
        assert isinstance(next(messages), Start)
        worker.terminate()
        while httpx.get(f"{worker.url}/ready").status_code == 200:
            pass
        worker.terminate()
        assert worker.process.wait(8) == 0


@pytest.mark.parametrize("signals", [1, 2])
def test_a_caller_that_is_cut_off_before_its_answer_is_told_so(tmp_path: Path, signals: int) -> None:
    """By the end of the time to drain, or by a second signal."""
    drain_seconds = "0.2" if signals == 1 else "60"
    with (
        running_worker(tmp_path, DRAIN_SECONDS=drain_seconds, **SLOW) as worker,
        ThreadPoolExecutor() as pool,
    ):
        body = {"text": LONG * 20, "request_id": "req_cut"}
        asked = pool.submit(httpx.post, f"{worker.url}/generate", json=body, timeout=30)
        while worker.queue()["active"] == 0:
            pass
        worker.terminate()
        if signals == 2:
            while httpx.get(f"{worker.url}/ready").status_code == 200:
                pass
            worker.terminate()
        response = asked.result()
        assert (response.status_code, response.json()["error"]["code"]) == (503, "draining")
        assert int(response.headers["retry-after"]) >= 1
        assert [line["outcome"] for line in worker.log_of("req_cut")] == ["draining"]
        assert worker.process.wait(8) == 0


def test_a_port_that_is_taken_is_one_clear_line(worker: WorkerProcess, tmp_path: Path) -> None:
    port = worker.url.rsplit(":", 1)[1]
    with pytest.raises(AssertionError):
        WorkerProcess(tmp_path, ENGINE="tone", PORT=port)
    log = (tmp_path / "worker.log").read_text().splitlines()
    assert len(log) == 1
    assert "cannot listen" in log[0]
    assert "Address already in use" in log[0]


def test_short_requests_in_a_row_reuse_their_connection(worker: WorkerProcess) -> None:
    with httpx.Client() as client:
        ports = set()
        for _ in range(3):
            response = client.post(f"{worker.url}/generate", json={"text": "Hi."})
            ports.add(response.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(ports) == 1
    assert isinstance(speak(worker.url, text="Hi.")[-1], End)


def test_at_a_terminal_the_first_lines_are_for_people(tmp_path: Path) -> None:
    with running_worker(
        tmp_path, ENGINE="tone", LOG_FORMAT="console", API_KEY="a-token-of-the-tests"
    ) as worker:
        first, command, *_ = worker.log_path.read_text().splitlines()
        assert first.endswith(
            f"listening host=127.0.0.1 port={worker.url.rsplit(':')[-1]} docs={worker.url}/docs"
        )
        assert command.strip().startswith(f'try: curl {worker.url}/generate -H "X-API-Key: $API_KEY"')
        assert "a-token-of-the-tests" not in worker.log_path.read_text()


def test_the_health_check_of_the_image(worker: WorkerProcess) -> None:
    command = [sys.executable, "-m", "gpu_worker.healthcheck"]
    port = worker.url.rsplit(":", 1)[1]
    assert subprocess.run(command, env={"HOST": "127.0.0.1", "PORT": port}, check=False).returncode == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = {"PORT": str(taken.getsockname()[1])}
        assert subprocess.run(command, env=nobody, check=False).returncode == 1


@pytest.mark.parametrize("name", ["WORKER_TOKEN", "API_KEY"])
def test_either_name_sets_the_token(tmp_path: Path, name: str) -> None:
    with running_worker(tmp_path, ENGINE="tone", **{name: "a-token-of-the-tests"}) as worker:
        assert httpx.post(f"{worker.url}/generate", json={"text": "Hi."}).status_code == 401
