"""Everything a bench runs against, started in a temporary folder and gone without a trace afterwards."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from apps.core import processes
from apps.core.embedded.clean import clean
from apps.core.embedded.services import Services
from bench.errors import BenchError
from bench.figures import children
from voiceflow.runner import commands
from voiceflow.runner.configuration import Configuration
from voiceflow.runner.secrets import development_secrets

CHECKOUT = Path(__file__).resolve().parent.parent
PLATFORM = "voiceflow.asgi:application"
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_LAST_LINES = 20


@dataclass(frozen=True)
class Running:
    """A process that answers at `url`; `pid` is the one that does the work."""

    name: str
    url: str
    pid: int
    token: str = ""


class Stage:
    """Starts things in the order that the bench asks for them; `on_stage` stops them in the reverse one."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self._folder = folder
        self._closing = closing
        self._processes: dict[str, processes.Process] = {}
        self._environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._environ["PYTHONPATH"] = str(CHECKOUT)

    def start_services(self) -> None:
        """PostgreSQL and Redis of our own, as durable as in `make run`."""
        services = Services.start(self._folder)
        self._closing.callback(services.stop)
        self._environ |= services.urls

    def start_cpu_worker(self, *, threads: int | None = None) -> Running:
        """`python -m gpu_worker` as in production, with a token."""
        own = {"WORKER_ENV": "production"}
        if threads is not None:
            own["THREADS"] = str(threads)
        return self._start_worker("cpu", own)

    def start_tone_worker(self, *, batch: int, real_time_factor: float) -> Running:
        """A worker that makes so many tones at once, none faster than the factor says."""
        own = {
            "WORKER_ENV": "development",
            "THREADS": "1",
            "TONE_BATCH": str(batch),
            "TONE_REAL_TIME_FACTOR": str(real_time_factor),
            "MAX_QUEUE": str(2 * batch),
        }
        return self._start_worker("tone", own)

    def _start_worker(self, engine: str, own: dict[str, str]) -> Running:
        token = secrets.token_urlsafe(32)
        port_file = self._folder / f"{engine}.port"
        environ = {
            "ENGINE": engine,
            "PORT": "0",
            "PORT_FILE": str(port_file),
            "WORKER_TOKEN": token,
            "VOICE_CACHE": str(self._folder / "voices"),
        }
        process = self._spawn(engine, [sys.executable, "-m", "gpu_worker"], environ | own)
        return Running(engine, self._address(engine, port_file), process.pid, token)

    def start_instant_worker(self) -> Running:
        port_file = self._folder / "instant.port"
        command = [sys.executable, "-m", "bench.instant_worker", str(port_file)]
        process = self._spawn("instant", command, {})
        return Running("instant", self._address("instant", port_file), process.pid)

    def seed(self, workers: Sequence[Running]) -> str:
        """An organization and shared deployments of these workers; returns a key that may use them."""
        for worker in workers:
            self.wait_until(worker.name, lambda: _is_ready(worker.url))  # noqa: B023 - called at once
        self.set_up()
        return self.run_module(
            "bench.seed",
            [{"name": w.name, "engine": w.name, "url": w.url, "token": w.token} for w in workers],
        )

    def set_up(self, **settings: str) -> None:
        """What the platform's processes are started with from now on: production, where `settings` say no
        other."""
        self._environ |= self._production() | settings

    def run_module(self, module: str, told: object, **settings: str) -> str:
        """`python -m module FILE`, with `told` as JSON on its standard input; returns what it wrote."""
        file = self._folder / module
        done = subprocess.run(
            [sys.executable, "-m", module, str(file)],
            env=self._environ | settings,
            cwd=CHECKOUT,
            input=json.dumps(told),
            text=True,
            check=False,
        )
        if done.returncode:
            raise BenchError(f"{module} did not come to its end; what it said is above.")
        return file.read_text()

    def start_platform(self, **settings: str) -> Running:
        """All that `make run` starts on a database that is there: provider, Celery, its schedule, web."""
        configuration = self._configuration(CHECKOUT)
        web = commands.web(configuration)
        slow = (commands.jobs(), commands.webhooks())
        for command in (commands.provider(), commands.celery(configuration), *slow, web):
            process = self._spawn(command.name, command.argv, settings)
        self.wait_until(web.name, lambda: _answers(f"{configuration.local_url}/health"))
        return Running("platform", configuration.local_url, process.pid)

    def start_celery(self) -> Running:
        """Celery as `make run` starts it, without its schedule: what it does is asked of it."""
        argv = commands.celery(self._configuration(CHECKOUT)).argv
        process = self._spawn("celery", argv[: argv.index("--beat")], {})
        return Running("celery", "", process.pid)

    def start_webhooks(self) -> Running:
        """Celery with its schedule, and the process that sends webhooks."""
        for command in (commands.celery(self._configuration(CHECKOUT)), commands.webhooks()):
            process = self._spawn(command.name, command.argv, {})
        return Running("webhooks", "", process.pid)

    def copy_database(self, name: str) -> str:
        """The URL of a copy of the seeded database, which nobody may be connected to meanwhile."""
        parts = urlsplit(self._environ["DATABASE_URL"])
        original = parts.path.lstrip("/")
        with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(original)))
        return urlunsplit(parts._replace(path=f"/{name}"))

    @property
    def environ(self) -> dict[str, str]:
        """What the platform's processes are started with."""
        return dict(self._environ)

    def run_other(
        self, name: str, program: Path, arguments: Sequence[str], config: str, environ: dict[str, str]
    ) -> Running:
        """Somebody else's server on a free port, with `config` as its file."""
        port, file = _free_port(), self._folder / f"{name}.yaml"
        file.write_text(config)
        command = [
            str(program),
            "--config",
            str(file),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            *arguments,
        ]
        own = {key: value for key, value in self._environ.items() if key in _PASSED_ON}
        process = processes.spawn(command, env=own | environ, log=self._log(name), cwd=self._folder)
        self._closing.callback(processes.terminate, process, _STOP_SECONDS)
        self._processes[name] = process
        return Running(name, f"http://127.0.0.1:{port}", process.pid)

    def serve(
        self,
        name: str,
        application: str,
        *,
        asgi_loop: str,
        checkout: Path = CHECKOUT,
        environ: dict[str, str] | None = None,
    ) -> Running:
        """The speech server's command line as `make run` has it, for any application of any checkout."""
        configuration = self._configuration(checkout)
        web = [application if part == PLATFORM else part for part in commands.web(configuration).argv]
        own = {"PYTHONPATH": str(checkout), **(environ or {})}
        process = self._spawn(name, [*web, "--asgi-loop", asgi_loop], own, checkout)
        self.wait_until(name, lambda: bool(children(process.pid)))
        return Running(name, configuration.local_url, children(process.pid)[0])

    def wait_until(self, name: str, ask: Callable[[], bool]) -> None:
        """Raises `BenchError` with the last lines of its log where `name` ends or takes too long."""
        give_up_at = time.monotonic() + _START_SECONDS
        while not ask():
            if not self._processes[name].is_running():
                raise BenchError(f"{name} has ended. {self._last_words(name)}")
            if time.monotonic() > give_up_at:
                raise BenchError(f"{name} does not get ready. {self._last_words(name)}")
            time.sleep(0.05)

    def _configuration(self, checkout: Path) -> Configuration:
        return Configuration(
            checkout=checkout, var_dir=self._folder, host="127.0.0.1", port=_free_port(), environ={}
        )

    def _production(self) -> dict[str, str]:
        return development_secrets(self._folder / "secrets.env") | {
            "VOICEFLOW_ENV": "production",
            "DJANGO_SETTINGS_MODULE": "voiceflow.settings",
            "ALLOWED_HOSTS": "127.0.0.1",
            "BASE_URL": "https://bench.invalid",
            "SECURE_SSL_REDIRECT": "false",
            "VAR_DIR": str(self._folder),
        }

    def _spawn(
        self, name: str, command: Sequence[str], environ: dict[str, str], cwd: Path = CHECKOUT
    ) -> processes.Process:
        process = processes.spawn(command, env=self._environ | environ, log=self._log(name), cwd=cwd)
        self._closing.callback(processes.terminate, process, _STOP_SECONDS)
        self._processes[name] = process
        return process

    def _address(self, name: str, port_file: Path) -> str:
        self.wait_until(name, port_file.is_file)
        return f"http://127.0.0.1:{port_file.read_text().strip()}"

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _last_words(self, name: str) -> str:
        lines = self._log(name).read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return "\n".join(["It said:", *lines])


@contextmanager
def on_stage() -> Iterator[Stage]:
    """A stage whose every process and file is gone afterwards, also after Ctrl-C and SIGTERM."""
    # SIGINT too: a shell that starts a command in the background has it ignored there.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="voiceflow-bench-"))
    with ExitStack() as closing:
        closing.callback(clean, folder)
        try:
            yield Stage(folder, closing)
        finally:
            _let_nothing_interrupt()


def _let_nothing_interrupt() -> None:
    """From here on everything is bounded in time."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _is_ready(url: str) -> bool:
    return _answers(f"{url}/ready")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except OSError:  # a busy machine may keep it waiting, too
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
