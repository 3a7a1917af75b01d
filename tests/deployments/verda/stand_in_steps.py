"""What the tests of the stand-in share: calls with a token, a worker behind the edge, and patience."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.fakes.loopback import Handler, Loopback
from tests.fakes.verda import FakeVerda
from tests.fakes.verda.specs import deployment_spec

Api = Callable[..., requests.Response]


class Worker(Loopback):
    """Answers in pieces; clearing `may_go_on` holds it back after the first. `cuts` breaks off there."""

    def __init__(self) -> None:
        super().__init__(_Speaking)
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.may_go_on, self.ended, self.broke = threading.Event(), threading.Event(), threading.Event()
        self.may_go_on.set()
        self.cuts = self.closes = False

    def release(self) -> None:
        self.may_go_on.set()


class _Speaking(Handler[Worker]):
    protocol_version = "HTTP/1.1"

    def post(self) -> None:
        self.owner.seen.append((self.path, dict(self.headers), self.body()))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        if self.owner.closes:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"4\r\none,\r\n")
        if self.owner.cuts:
            self.close_connection = True
            return
        self.owner.may_go_on.wait(10)
        try:
            for _ in range(100):
                self.wfile.write(b"3\r\ntwo\r\n")
            self.wfile.write(b"0\r\n\r\n")
            self.owner.ended.set()
        except OSError:
            self.owner.broke.set()
            self.close_connection = True


def token(verda: FakeVerda, **asked: str) -> requests.Response:
    credentials = {
        "grant_type": "client_credentials",
        "client_id": verda.client_id,
        "client_secret": verda.client_secret,
    }
    return requests.post(f"{verda.base_url}/oauth2/token", json=asked or credentials, timeout=5)


@contextmanager
def with_token(verda: FakeVerda) -> Iterator[Api]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token(verda).json()['access_token']}"

        def call(method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
            return session.request(method, verda.base_url + path, json=body, timeout=5, **more)

        yield call


def say(verda: FakeVerda, key: str | None = None, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {key or verda.inference_key}", "X-Request-Id": "r1"}
    url = f"{verda.url}/data/vf-tts/v1/speak?x=1"
    return requests.post(url, data=b"text", headers=headers, timeout=5, **more)


def up(verda: FakeVerda, api: Api, **changes: Any) -> None:
    assert api("POST", "/container-deployments", deployment_spec(**changes)).status_code == 201
    verda.clock.advance(65)
    assert verda.containers["vf-tts"].status == "healthy"


def eventually(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(500):
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError("it never came true")
