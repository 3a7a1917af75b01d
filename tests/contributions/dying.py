"""Processes of the platform over the test's database and media, killed while they wait for a lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from django.conf import settings

from apps.accounts.models import User
from tests.cast import signed_in
from tests.contributions import held
from tests.e2e.clips_worker import ClipsWorker
from tests.platform import Server, test_database_url
from tests.tts.jobs.celery_worker import Surroundings

# As the database knows their sessions.
NAME = "voiceflow-dying"
_TOKEN = "c" * 32


def surroundings(media_folder: Path) -> Surroundings:
    """Where a process runs whose files are those of the test."""
    folder = media_folder.parent
    ours = {"DATABASE_URL": test_database_url(), "VAR_DIR": str(folder), "PGAPPNAME": NAME}
    return Surroundings(folder, {**os.environ, **ours})


def let_go(lock: held.Lock, *, is_lost: bool) -> None:
    """After a process was killed that waited for it: what it asked for is lost, or done after all."""
    if is_lost:
        lock.lose_waiting()
    lock.let_go()
    held.until_gone(NAME)


class Celery:
    """The process of some queues, which runs from the first `start` on."""

    def __init__(self, media_folder: Path, *, queues: str) -> None:
        self.media_folder, self.queues = media_folder, queues
        self.worker: ClipsWorker | None = None
        self.kills = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.worker is not None:
            self.worker.__exit__(kind, error, trace)

    def start(self) -> None:
        if self.worker is None:
            self.worker = ClipsWorker(surroundings(self.media_folder), queues=self.queues)
        else:
            self.worker.start_again()

    def kill(self) -> None:
        assert self.worker is not None
        self.worker.kill()
        self.kills += 1
        held.until_gone(NAME)

    def kill_at(self, lock: held.Lock, *, is_lost: bool = False) -> None:
        assert self.worker is not None
        self.worker.kill()
        self.kills += 1
        let_go(lock, is_lost=is_lost)


class Site:
    """The web server, and somebody who is signed in there."""

    def __init__(self, media_folder: Path, user: User) -> None:
        cookie = signed_in(user).cookies[settings.SESSION_COOKIE_NAME]
        self.cookies = {cookie.key: cookie.value, settings.CSRF_COOKIE_NAME: _TOKEN}
        self.server = Server(media_folder.parent, test_database_url(), PGAPPNAME=NAME)
        self.threads = ThreadPoolExecutor(1)
        self.kills = 0

    def __enter__(self) -> Self:
        try:
            self.server.wait_until_up()
        except BaseException:
            self.server.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.stop()
        self.threads.shutdown()

    def post(self, path: str, **sent: Any) -> httpx.Response:
        """And what it leads to."""
        with httpx.Client(base_url=self.server.url, cookies=self.cookies, timeout=60) as client:
            answer = client.post(path, headers={"X-CSRFToken": _TOKEN}, follow_redirects=True, **sent)
        assert answer.is_success, answer.text
        return answer

    def killed_at(
        self, lock: held.Lock, ask: Callable[..., Any], *asked: object, is_lost: bool = False
    ) -> None:
        """While what was asked waits for the lock. `server.restart` is the caller's."""
        lock.take()
        answer: Future[Any] = self.threads.submit(ask, *asked)
        lock.until_reached()
        self.server.process.kill_group()
        assert self.server.process.wait(10)
        self.kills += 1
        let_go(lock, is_lost=is_lost)
        assert isinstance(answer.exception(30), httpx.TransportError)
