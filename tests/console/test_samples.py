"""Each sample is run as the reader would run it, against a server that keeps what it was sent."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from apps.console import samples

TEXT = 'It\'s "quoted", 50 % off\n– in a new line: ça va? 😀 </pre> $HOME `ls` \\n {0}'
WAV = b"RIFF....WAVE"


INTERPRETERS = [
    ("curl", ["bash", "-c"]),
    ("python", [sys.executable, "-c"]),
    ("javascript", ["node", "--input-type=module", "-e"]),
]


class Recorder(HTTPServer):
    url: str
    body: Any = None
    key: str | None = None
    asked: tuple[str, str] | None = None


class Handler(BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.body, self.server.key = json.loads(raw), self.headers["X-API-Key"]
        self.send_response(200 if self.path == "/generate" else 404)
        self.end_headers()
        self.wfile.write(WAV)

    def do_GET(self) -> None:
        self.server.asked, self.server.key = (self.command, self.path), self.headers["X-API-Key"]
        self.send_response(200 if self.command == "GET" else 204)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b'{"name": "reader"}')

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the test says what went wrong."""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    server = Recorder(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def code_of(language: str, url: str) -> str:
    """What the reader copies: the text of the block, without its markup."""
    shown = samples.of_speech(url, key="vf_test_key", text=TEXT, voice="heart", speed=1.25)
    sample = next(sample for sample in shown if sample.language == language)
    return html.unescape(re.sub(r"</?span[^>]*>", "", sample.code))


@pytest.mark.parametrize(("language", "interpreter"), INTERPRETERS)
def test_a_sample_sends_exactly_what_was_typed(
    recorder: Recorder, tmp_path: Path, language: str, interpreter: list[str]
) -> None:
    if shutil.which(interpreter[0]) is None:
        pytest.skip(f"{interpreter[0]} is not on this machine")
    run = subprocess.run(
        [*interpreter, code_of(language, recorder.url)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert recorder.body == {"text": TEXT, "voice": "heart", "speed": 1.25}
    assert recorder.key == "vf_test_key"
    assert (tmp_path / "speech.wav").read_bytes() == WAV


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(("language", "interpreter"), INTERPRETERS)
def test_a_sample_of_the_management_api_asks_for_what_it_names(
    recorder: Recorder, language: str, interpreter: list[str], method: str
) -> None:
    if shutil.which(interpreter[0]) is None:
        pytest.skip(f"{interpreter[0]} is not on this machine")
    shown = samples.of_api(method, f"{recorder.url}/api/deployments/1", key="vf_test_key")
    code = html.unescape(next(sample.code for sample in shown if sample.language == language))
    run = subprocess.run([*interpreter, code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert (recorder.asked, recorder.key) == ((method, "/api/deployments/1"), "vf_test_key")
    assert ("reader" in run.stdout) is (method == "GET")


def test_markup_in_a_text_stays_text() -> None:
    shown = samples.of_speech("http://localhost", text="</pre><script>alert(1)</script>")
    assert all("<script>" not in sample.code for sample in shown)
