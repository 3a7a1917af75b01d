"""Settings from the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gpu_worker.config import Settings, SettingsError

TOKEN = "0123456789abcdef"


def test_an_empty_environment_serves_on_loopback() -> None:
    settings = Settings.from_environment({})
    assert (settings.engine, settings.host, settings.port) == ("cpu", "127.0.0.1", 8000)
    assert settings.threads >= 1


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        (
            {"ENGINE": "gpu"},
            "ENGINE must be one of cpu, tone, chatterbox, chatterbox-turbo, chatterbox-multilingual;"
            " it is 'gpu'.",
        ),
        ({"MODEL_DIR": "/no/such/folder"}, "MODEL_DIR is no folder: /no/such/folder."),
        ({"DEVICE": "tpu"}, "DEVICE must be one of auto, cpu, cuda; it is 'tpu'."),
        ({"DTYPE": "int8"}, "DTYPE must be one of float32, bfloat16; it is 'int8'."),
        ({"MAX_BATCH": "-1"}, "MAX_BATCH must be a whole number from 0 to 256; it is '-1'."),
        ({"FLOW_SECONDS": "1"}, "FLOW_SECONDS must be a number from 3 to 10; it is '1'."),
        ({"PORT": "http"}, "PORT must be a whole number from 0 to 65535; it is 'http'."),
        ({"PORT": "65536"}, "PORT must be a whole number from 0 to 65535; it is '65536'."),
        ({"THREADS": "0"}, "THREADS must be a whole number from 1 to 256; it is '0'."),
        ({"MAX_QUEUE": "1.5"}, "MAX_QUEUE must be a whole number from 1 to 100000; it is '1.5'."),
        ({"DRAIN_SECONDS": "nan"}, "DRAIN_SECONDS must be a number from 0 to 3600; it is 'nan'."),
        ({"WORKER_ENV": "prod"}, "WORKER_ENV must be one of production, development, test; it is 'prod'."),
        ({"WORKER_ENV": "production"}, "WORKER_TOKEN (or API_KEY) is required in production."),
        ({"WORKER_TOKEN": "short"}, "WORKER_TOKEN (or API_KEY) must have at least 16 characters."),
        (
            {"WORKER_TOKEN": "café" * 4},
            "WORKER_TOKEN (or API_KEY) must be printable ASCII, as HTTP headers are.",
        ),
        (
            {"HOST": "0.0.0.0"},  # noqa: S104 - what is refused
            "WORKER_TOKEN (or API_KEY) is required where HOST is not loopback; HOST is 0.0.0.0.",
        ),
        (
            {"ENGINE": "tone", "WORKER_ENV": "production", "WORKER_TOKEN": TOKEN},
            "ENGINE=tone speaks a test tone and does not start in production; use cpu.",
        ),
        (
            {"PORT_FILE": "/no/such/folder/port"},
            "PORT_FILE lies in a folder that does not exist: /no/such/folder/port.",
        ),
        ({"PORT_FILE": "/"}, "PORT_FILE is a folder: /."),
        ({"VOICE_CACHE_MB": "1"}, "VOICE_CACHE_MB must be a whole number from 8 to 1000000; it is '1'."),
    ],
)
def test_each_problem_is_one_line(environment: dict[str, str], line: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment(environment)
    assert str(refused.value) == line


def test_both_names_of_the_token_must_agree() -> None:
    with pytest.raises(SettingsError, match="two names of one token, and differ"):
        Settings.from_environment({"WORKER_TOKEN": TOKEN, "API_KEY": TOKEN[::-1]})
    assert Settings.from_environment({"WORKER_TOKEN": TOKEN, "API_KEY": TOKEN}).token == TOKEN


@pytest.mark.parametrize(("environment", "is_open"), [("development", True), ("production", False)])
def test_metrics_are_closed_in_production_unless_opened(environment: str, is_open: bool) -> None:
    variables = {"WORKER_ENV": environment, "API_KEY": TOKEN}
    assert Settings.from_environment(variables).metrics_open is is_open
    assert Settings.from_environment({**variables, "METRICS_OPEN": "true"}).metrics_open is True
    assert Settings.from_environment(variables).health_open is True


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"ENGINE": "gpu", "PORT": "x", "WORKER_ENV": "production"})
    assert [line.split()[0] for line in str(refused.value).splitlines()] == ["ENGINE", "PORT", "WORKER_TOKEN"]


def test_the_process_stops_with_those_lines(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "gpu_worker"], env={"PORT": "x"}, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 2
    assert outcome.stderr == "PORT must be a whole number from 0 to 65535; it is 'x'.\n"
