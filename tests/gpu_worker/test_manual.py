"""README and docs/worker.md: what they say to type works, and their tables are whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from gpu_worker.config import Settings
from gpu_worker.docs.document import document
from gpu_worker.formats import FORMATS, Encoding, EncodingError
from tests.gpu_worker.test_metrics import FAMILIES, GPU_NAMES
from tests.gpu_worker.worker_process import WorkerProcess

CHECKOUT = Path(__file__).resolve().parent.parent.parent
README = (CHECKOUT / "README.md").read_text()
MANUAL = (CHECKOUT / "docs" / "worker.md").read_text()
ALONE = README.partition("## The speech worker alone")[2].partition("\n## ")[0]
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
DEFAULT_ADDRESS = "http://127.0.0.1:8000"


class Asked(Mapping[str, str]):
    """An empty environment that remembers which variables were looked up."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("language", [pytest.param("sh", marks=needs_curl), "python"])
def test_a_first_request_in_the_words_of_the_readme(
    worker: WorkerProcess, tmp_path: Path, language: str
) -> None:
    [request] = [block for block in _blocks(ALONE, language) if "/generate" in block]
    assert DEFAULT_ADDRESS in request
    command = ["sh", "-euc"] if language == "sh" else [sys.executable, "-c"]
    subprocess.run([*command, request.replace(DEFAULT_ADDRESS, worker.url)], cwd=tmp_path, check=True)
    data = (tmp_path / "dinner.mp3").read_bytes()
    assert int.from_bytes(data[:2]) & 0xFFE0 == 0xFFE0
    assert len(data) > 8000


@needs_curl
def test_the_first_lines_of_a_worker_say_where_its_page_is_and_how_to_try_it(
    worker: WorkerProcess, tmp_path: Path
) -> None:
    [listening] = worker.log_of_event("listening")
    assert httpx.get(listening["docs"]).status_code == 200
    subprocess.run(["sh", "-euc", listening["try"]], cwd=tmp_path, check=True)
    assert (tmp_path / "hello.wav").read_bytes().startswith(b"RIFF")


def test_every_setting_is_in_the_manual_and_no_other() -> None:
    asked = Asked()
    Settings.from_environment(asked)
    table = MANUAL.partition("## Set up")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)} == asked.names - {
        "HOME",
        "XDG_CACHE_HOME",
    }


def test_formats_have_the_rates_of_the_manual() -> None:
    rows = {
        name: row.split("|")[3].replace("*", "")
        for row in MANUAL.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
        if name in FORMATS
    }
    assert rows.keys() == set(FORMATS)
    for name, told in rows.items():
        rates = rows["wav"] if "as `wav`" in told else told
        assert {int(rate) for rate in rates.split(",")} == {rate for rate in _RATES if _is_made(name, rate)}


def test_every_path_and_metric_is_in_the_manual() -> None:
    for path in document()["paths"]:
        assert path in MANUAL
    for name in (*FAMILIES, *GPU_NAMES):
        assert name in MANUAL


_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


def _is_made(name: str, rate: int) -> bool:
    try:
        Encoding.resolve(name, source_rate=24_000, sample_rate=rate)
    except EncodingError:
        return False
    return True
