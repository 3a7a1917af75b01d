"""Code of the console that verifies signatures, run as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.utils import timezone

from apps.webhooks import samples, signing
from tests.platform import free_port, until
from tests.sdk import node_programs

BODY = '{"id":"evt_1","type":"voice.created","data":{"name":"Zoë & Søn"}}'
SECRET, OLD = signing.new_secret(), signing.new_secret()


def signed(*secrets: str, body: str = BODY, minutes_ago: float = 0) -> dict[str, str]:
    moment = timezone.now() - timedelta(minutes=minutes_ago)
    return signing.headers("evt_1", moment=moment, body=body, secrets=secrets)


GOOD = {"its own": lambda: signed(SECRET), "one of two": lambda: signed(OLD, SECRET)}
BAD: dict[str, Callable[[], dict[str, str]]] = {
    "another secret": lambda: signed(OLD),
    "another body": lambda: signed(SECRET, body=BODY.replace("Zoë", "Zoe")),
    "too old": lambda: signed(SECRET, minutes_ago=6),
    "too new": lambda: signed(SECRET, minutes_ago=-6),
    "no signature": lambda: signed(SECRET) | {"webhook-signature": ""},
    "nonsense": lambda: signed(SECRET) | {"webhook-signature": "v1,"},
    "no comma": lambda: signed(SECRET) | {"webhook-signature": "nonsense"},
}


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[str]:
    port = free_port()
    environment = os.environ | {"WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: _listens(port) or process.poll() is not None, seconds=20, what="the receiver")
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


def _listens(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/").status_code > 0
    except httpx.TransportError:
        return False


@pytest.fixture(
    params=["python", *(pytest.param(name, marks=pytest.mark.node) for name in ("javascript", "node"))]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "python":
        command = [sys.executable, "-c", samples.verify_python()]
    elif request.param == "node":
        (tmp_path / "receiver.mjs").write_text(samples.verify_node())
        command = ["node", "receiver.mjs"]
    else:
        (tmp_path / "node_modules").symlink_to(node_programs.install() / "node_modules")
        (tmp_path / "receiver.mjs").write_text(samples.verify_javascript())
        command = ["node", "receiver.mjs"]
    with running(command, tmp_path) as address:
        yield address


@pytest.mark.timeout(node_programs.INSTALL_SECONDS + 60)
def test_a_receiver_takes_what_is_signed_and_nothing_else(url: str) -> None:
    def status(headers: dict[str, str]) -> int:
        return httpx.post(url, content=BODY.encode(), headers=headers).status_code

    assert {name: status(headers()) for name, headers in GOOD.items()} == dict.fromkeys(GOOD, 204)
    assert {name: status(headers()) for name, headers in BAD.items()} == dict.fromkeys(BAD, 400)
    assert status(signed(SECRET)) == 204


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_shell_takes_what_is_signed_and_nothing_else(tmp_path: Path, shell: str) -> None:
    (tmp_path / "body.json").write_bytes(BODY.encode())

    def code(headers: dict[str, str]) -> int:
        named = {name.upper().replace("-", "_"): value for name, value in headers.items()}
        environment = os.environ | {"WEBHOOK_SECRET": SECRET} | named
        command = [shell, "-c", samples.verify_curl()]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=20
        ).returncode

    assert {name: code(headers()) for name, headers in GOOD.items()} == dict.fromkeys(GOOD, 0)
    assert {name: code(headers()) for name, headers in BAD.items()} == dict.fromkeys(BAD, 1)
