"""What Prometheus reads of a worker."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.gpu_worker.worker_process import WorkerProcess, running_worker

FAMILIES = {
    "tts_requests": "counter",
    "tts_request_duration_seconds": "histogram",
    "tts_audio_duration_seconds": "histogram",
    "tts_active_connections": "gauge",
    "tts_queue_depth": "gauge",
    "tts_queue_wait_seconds": "histogram",
    "tts_time_to_first_audio_seconds": "histogram",
    "tts_real_time_factor": "histogram",
    "tts_batch_size": "histogram",
    "tts_pieces_remade": "counter",
    "tts_event_loop_lag_seconds": "histogram",
    "tts_event_loop_busy_seconds": "histogram",
}
GPU_NAMES = {"gpu_utilization_percent", "gpu_memory_used_bytes", "gpu_temperature_celsius"}
TOKEN = "a-token-of-the-tests"
STAND_IN = Path(__file__).parent / "nvml_stand_in.c"


def samples_of(worker: WorkerProcess) -> list[Sample]:
    """All samples of a scrape."""
    text = httpx.get(f"{worker.url}/metrics").raise_for_status().text
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def value_of(worker: WorkerProcess, name: str, **labels: str) -> float:
    """The one sample of that name and those labels."""
    [value] = [one.value for one in samples_of(worker) if (one.name, one.labels) == (name, labels)]
    return value


def test_every_family_is_there_with_its_type(worker: WorkerProcess) -> None:
    response = httpx.get(f"{worker.url}/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    families = {family.name: family.type for family in text_string_to_metric_families(response.text)}
    assert {name: kind for name, kind in families.items() if name.startswith("tts_")} == FAMILIES


def test_counters_have_the_exact_names(worker: WorkerProcess) -> None:
    response = httpx.post(f"{worker.url}/generate", json={"text": "Hello.", "request_id": "req_exact"})
    assert response.status_code == 200
    worker.log_of("req_exact")
    assert value_of(worker, "tts_requests_total", status="ok") >= 1
    audio_seconds = value_of(worker, "tts_audio_duration_seconds_sum")
    assert audio_seconds > 0
    assert value_of(worker, "tts_request_duration_seconds_count") >= 1
    assert value_of(worker, "tts_active_connections") == 0


def test_a_request_shows_the_engines_pace_and_batch(worker: WorkerProcess) -> None:
    before = value_of(worker, "tts_real_time_factor_count")
    batches = value_of(worker, "tts_batch_size_count")
    httpx.post(f"{worker.url}/generate", json={"text": "Hello.", "request_id": "req_pace"}).raise_for_status()
    worker.log_of("req_pace")
    assert value_of(worker, "tts_real_time_factor_count") == before + 1
    assert value_of(worker, "tts_batch_size_count") > batches


def test_the_queue_shows_who_waits(idle_slow_worker: WorkerProcess) -> None:
    worker = idle_slow_worker
    with ThreadPoolExecutor() as pool:
        body = {"text": "These words take a while. " * 2}
        sent = [pool.submit(httpx.post, f"{worker.url}/generate", json=body, timeout=30) for _ in range(2)]
        while worker.queue() != {**worker.queue(), "active": 1, "waiting": 1}:
            time.sleep(0.01)
        assert value_of(worker, "tts_queue_depth") == 1
        assert value_of(worker, "tts_active_connections") == 2
        assert [one.result().status_code for one in sent] == [200, 200]


def test_without_a_driver_there_is_no_gpu_and_no_error(worker: WorkerProcess) -> None:
    assert not [sample for sample in samples_of(worker) if sample.name.startswith("gpu_")]
    assert "nvml" not in worker.log_path.read_text().lower()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a library with the driver's interface."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler for the stand-in of the driver")
    folder = tmp_path_factory.mktemp("driver")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(STAND_IN)], check=True)
    return folder


def test_gpus_have_their_figures(driver: Path, tmp_path: Path) -> None:
    with running_worker(tmp_path, ENGINE="tone", LD_LIBRARY_PATH=str(driver)) as worker:
        with ThreadPoolExecutor() as pool:
            scrapes = [pool.submit(samples_of, worker) for _ in range(2)]
            # The driver takes its time meanwhile; the event loop does not wait for it.
            while not all(scrape.done() for scrape in scrapes):
                assert httpx.get(f"{worker.url}/health").status_code == 200
        gpus = [[one for one in scrape.result() if one.name.startswith("gpu_")] for scrape in scrapes]
        assert {(one.name, one.labels["gpu"]): one.value for one in gpus[0]} == {
            ("gpu_utilization_percent", "0"): 87,
            ("gpu_memory_used_bytes", "0"): 5_368_709_120,
            ("gpu_memory_used_bytes", "1"): 1_048_576,
            ("gpu_temperature_celsius", "0"): 41,
            ("gpu_temperature_celsius", "1"): 35,
        }
        # Two that asked at once were told of one reading.
        assert gpus[1] == gpus[0]
        assert {one.name for one in gpus[0]} == GPU_NAMES
        lag = {s.labels["le"]: s.value for s in samples_of(worker) if s.name.endswith("lag_seconds_bucket")}
        assert lag["0.25"] == lag["+Inf"]


@pytest.fixture(scope="module")
def closed_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """Nothing of it is open but its documentation."""
    environment = {"API_KEY": TOKEN, "HEALTH_OPEN": "false", "METRICS_OPEN": "false"}
    worker = WorkerProcess(tmp_path_factory.mktemp("closed"), ENGINE="tone", **environment)
    yield worker
    worker.stop()


@pytest.mark.parametrize("path", ["/metrics", "/health", "/ready"])
def test_what_is_closed_wants_the_token(closed_worker: WorkerProcess, path: str) -> None:
    assert httpx.get(closed_worker.url + path).status_code == 401
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.get(closed_worker.url + path, headers=headers).status_code in (200, 503)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_documentation_is_always_open(closed_worker: WorkerProcess, path: str) -> None:
    assert httpx.get(closed_worker.url + path).status_code == 200
