"""The benches end with a line of JSON that makes sense and leave nothing behind; no figure is judged here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

CHECKOUT = Path(__file__).resolve().parent.parent.parent
TINY = ("--requests", "40", "--pairs", "3", "--seconds", "0.2")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A temporary area in which, after the test, no file is left and no process runs."""
    yield tmp_path
    assert not list(tmp_path.iterdir())
    assert not [process for process in psutil.process_iter() if _lives_in(tmp_path, process)]


def _lives_in(place: Path, process: psutil.Process) -> bool:
    try:
        return process.environ().get("TMPDIR") == str(place)
    except psutil.Error:
        return False


def _start(place: Path, module: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _figures(place: Path, module: str, *arguments: str) -> dict[str, Any]:
    bench = _start(place, module, *arguments)
    output, errors = bench.communicate()
    assert bench.returncode == 0, errors
    figures: dict[str, Any] = json.loads(output.splitlines()[-1])
    assert len(figures["commit"]) == 40
    assert figures["cpu_model"]
    assert figures["load_average_1m"] >= 0
    return figures


def test_platform(place: Path) -> None:
    figures = _figures(place, "bench.platform", *TINY)

    for way in ("direct", "platform"):
        speech = figures["speech"][way]
        assert 0 < speech["first_audio_p50_ms"] <= speech["first_audio_p95_ms"]
        assert speech["first_audio_p50_ms"] < speech["total_p50_ms"]
        assert speech["requests_per_second_1_client"] > 0
        assert speech["requests_per_second_4_clients"] > 0
    gateway = figures["gateway"]
    for mode in ("streamed", "whole"):
        for clients in ("clients_1", "clients_8"):
            servers = gateway[mode][clients]
            cpu_ms = {name: servers[name]["cpu_ms"] for name in ("instant", "pass_through", "platform")}
            assert 0 < cpu_ms["instant"] < cpu_ms["pass_through"] < cpu_ms["platform"]
            assert servers["cpu_ratios"]["platform_to_empty_view"] > 1
            assert cpu_ms["platform"] <= gateway["worst_cpu_ms_per_request"]
    assert figures["verdicts"] == {
        "first_audio_p50_under_150_ms": figures["speech"]["platform"]["first_audio_p50_ms"] < 150,
        "cpu_per_request_at_most_7_ms": gateway["worst_cpu_ms_per_request"] <= 7,
    }


def test_proxy(place: Path) -> None:
    tiny = ("--requests", "24", "--streams", "6", "--keys", "20", "--records", "2000")
    figures = _figures(place, "bench.proxy", *tiny)

    for cells in (figures["doors"]["clients_1"], figures["doors"]["clients_8"]):
        assert 0 < cells["instant"]["cpu_ms"] < cells["bare"]["cpu_ms"] < cells["lean"]["cpu_ms"]
        assert cells["django"]["cpu_ms"] > cells["bare"]["cpu_ms"]
    streams = figures["open_streams"]
    assert (streams["streams"], streams["failed"], streams["database_pool"]) == (6, 0, 5)
    assert figures["growth"]["large"]["records"] == 2000
    assert figures["growth"]["ratio"] > 0
    assert set(figures["verdicts"].values()) <= {True, False, None}


def test_worker(place: Path) -> None:
    tiny = ("--requests", "40", "--seconds", "0.6", "--pairs", "2", "--leave", "3", "--streams", "1")
    figures = _figures(place, "bench.worker", *tiny)

    first = figures["first_audio"]
    assert 0 < first["worker_p50_ms"] <= first["worker_p95_ms"]
    assert first["engine_p50_ms"] > 0
    for loads in (figures["loads"]["two_sentences"], figures["loads"]["passage"]):
        assert [load["clients"] for load in loads] == [1, 4, 16]
        for load in loads:
            assert 0 < load["first_audio_p50_ms"] <= load["first_audio_p95_ms"]
            assert 0 < load["real_time_factor"] < 1
            assert load["queue_wait_p50_ms"] <= load["queue_wait_p95_ms"]
            assert load["outside_engine"] < 1
    memory = figures["memory"]
    assert memory["after_tenth_mb"] > 50
    growth = memory["after_all_mb"] / memory["after_tenth_mb"] - 1
    assert memory["growth"] == pytest.approx(growth, abs=0.001)
    leaving = figures["leaving"]
    assert leaving["times"] == 3
    assert 0 < leaving["next_min_ms"] <= leaving["next_p50_ms"] <= leaving["next_max_ms"]
    assert leaving["idle_p50_ms"] > 0
    streaming = figures["streaming"]
    assert (streaming["clients"], streaming["requests"], streaming["errors"]) == (200, 200, 0)
    assert streaming["blocked"] <= streaming["late"] <= streaming["loop_samples"]
    assert set(figures["verdicts"].values()) <= {True, False}
    assert figures["verdicts"]["streams_without_error"]


def test_deployments(place: Path) -> None:
    tiny = ("--rounds", "1", "--seconds", "2", "--deployments", "30", "--moving", "3")
    figures = _figures(place, "bench.deployments", *tiny)

    here, there = figures["local"], figures["verda"]
    for kind in ("click_to_ready", "wake_to_first_byte"):
        assert 0 < here[kind]["median_seconds"] <= here[kind]["worst_seconds"]
    scaling = here["scaling"]
    assert scaling["requests_per_second_1_replica"] > 0
    assert scaling["requests_per_second_3_replicas"] > 0
    assert scaling["after_delay_seconds"] > 0
    assert (there["deployments"], there["moving"]) == (30, 3)
    # Two lists by whoever makes them, and one word about each that moves.
    assert 5 <= there["calls_of_a_pass"] <= 10
    assert there["most_calls_within_any_second"] <= there["calls_a_second_allowed"] + 1
    assert set(here["verdicts"].values()) | set(there["verdicts"].values()) <= {True, False}


def test_webhooks(place: Path) -> None:
    tiny = ("--receivers", "5", "--per-second", "20", "--seconds", "2", "--burst", "60")
    figures = _figures(place, "bench.webhooks", *tiny, "--sizes", "100,1000", "--rounds", "5")

    delivery, sweep = figures["delivery"], figures["sweep"]
    assert (delivery["open_loop"]["events"], delivery["burst"]["events"]) == (24, 60)
    for part in (delivery["open_loop"], delivery["burst"]):
        assert part["missing"] == 0
        assert 0 < part["p50_seconds"] <= part["p95_seconds"] <= part["worst_seconds"]
        assert part["cpu_ms_per_delivery"] > delivery["bare"]["cpu_ms"] > 0
    assert set(sweep["median_ms"]) == {"100", "1000"}
    assert set(delivery["verdicts"].values()) | set(sweep["verdicts"].values()) <= {True, False}


def test_text(place: Path) -> None:
    figures = _figures(place, "bench.text", "--rounds", "1")

    classes = figures["classes"].values()
    assert figures["pairs"] == sum(one["total"] for one in classes)
    assert figures["right"] == sum(round(one["share"] * one["total"]) for one in classes)
    assert 0 < figures["usual_sentence"]["p50_us"] <= figures["usual_sentence"]["p95_us"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stops_when_told_to(place: Path, number: signal.Signals) -> None:
    bench = _start(place, "bench.platform", *TINY)
    assert bench.stderr is not None
    for line in bench.stderr:
        if line.startswith("Asking the worker"):
            break
    bench.send_signal(number)

    output, errors = bench.communicate()

    assert bench.returncode == 130
    assert errors.splitlines()[-1] == "bench: stopped"
    assert output == ""
