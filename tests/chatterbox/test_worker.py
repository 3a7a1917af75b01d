"""A worker process with Chatterbox, over HTTP: whole, streamed, eight at once, and its figures."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.chatterbox import tiny

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = "Hello there. This is a voice."


@pytest.fixture(scope="module")
def worker(checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    port_file = tmp_path_factory.mktemp("worker") / "port"
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests/chatterbox/small"), str(ROOT)]),
        "PORT": "0",
        "PORT_FILE": str(port_file),
        "THREADS": "1",
        "MAX_BATCH": "8",
        "VOICE_CACHE": str(port_file.parent / "voices"),
    }
    folder = str(checkpoints[tiny.CLASSIC])
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "gpu_worker",
        "--engine",
        "chatterbox",
        "--model-dir",
        folder,
    ]
    with subprocess.Popen(command, env=environ, cwd=ROOT) as process:
        try:
            with httpx.Client(base_url=_address(port_file, process), timeout=120) as client:
                _until_ready(client, process)
                yield client
        finally:
            process.terminate()
        assert process.wait(20) == 0


def _address(port_file: Path, process: subprocess.Popen[bytes]) -> str:
    while not port_file.exists():
        assert process.poll() is None
        time.sleep(0.05)
    return f"http://127.0.0.1:{port_file.read_text().strip()}"


def _until_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    while client.get("/ready").json()["status"] != "ready":
        assert process.poll() is None
        time.sleep(0.1)


def spoken(client: httpx.Client, **fields: object) -> httpx.Response:
    return client.post("/generate", json={"text": TEXT, **fields})


def test_it_says_what_it_can(worker: httpx.Client) -> None:
    ready = worker.get("/ready").json()
    assert (ready["engine"], ready["models"], ready["voices"]) == ("chatterbox", ["chatterbox"], ["default"])
    assert (ready["max_batch"], ready["sample_rate"]) == (8, 24_000)


def test_whole(worker: httpx.Client) -> None:
    answer = spoken(worker, seed=1)
    assert answer.status_code == 200
    with wave.open(io.BytesIO(answer.content)) as file:
        seconds = file.getnframes() / file.getframerate()
    assert seconds == pytest.approx(int(answer.headers["X-Audio-Ms"]) / 1000, abs=0.01)
    assert seconds > 1


def test_streamed_is_heard_while_the_engine_is_still_at_it(worker: httpx.Client) -> None:
    body = {"text": TEXT, "seed": 1, "stream": True, "format": "pcm"}
    with worker.stream("POST", "/generate", json=body) as answer:
        assert answer.status_code == 200
        parts = answer.iter_bytes()
        heard = len(next(parts))
        assert worker.get("/ready").json()["queue"]["active"] == 1
        heard += sum(map(len, parts))
    assert heard > 2 * 24_000


def test_eight_at_once_each_get_what_they_get_alone(worker: httpx.Client) -> None:
    def samples(seed: int) -> np.ndarray[Any, np.dtype[np.int16]]:
        return np.frombuffer(spoken(worker, seed=seed, format="pcm").content, "<i2")

    alone = [samples(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as clients:
        together = list(clients.map(samples, range(8)))
    for one, among_others in zip(alone, together, strict=True):
        assert len(one) == len(among_others)
        assert np.abs(one.astype(int) - among_others).max() < 33  # a thousandth of full scale
    assert len({one.tobytes() for one in alone}) == 8


@pytest.mark.parametrize(
    "fields", [{"voice": "nobody"}, {"model": "hibari"}, {"language": "de"}, {"cfg_weight": -1}, {"text": ""}]
)
def test_what_it_has_not_is_refused(worker: httpx.Client, fields: dict[str, object]) -> None:
    answer = spoken(worker, **fields)
    assert answer.status_code in {400, 404, 422}
    assert answer.json()["error"]["message"]


def test_its_figures_are_metrics(worker: httpx.Client) -> None:
    spoken(worker)
    metrics = worker.get("/metrics").text
    for stage in ("tokens", "flow", "vocoder", "watermark"):
        assert f'tts_engine_seconds_total{{stage="{stage}"}}' in metrics
    assert "tts_tokens_total" in metrics
    assert 'tts_voices_total{found="yes"}' in metrics


def test_what_it_lacks_is_said_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "gpu_worker", "--engine", "chatterbox"]
    environ = os.environ | {"PORT": "0", "LOG_FORMAT": "json"}
    done = subprocess.run(
        [*command, "--model-dir", str(tmp_path)],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "has no ve.safetensors" in done.stdout + done.stderr
