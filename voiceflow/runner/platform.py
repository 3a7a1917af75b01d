"""The whole platform as one thing that starts, runs and stops."""

from __future__ import annotations

import time
from collections.abc import Callable

from apps.core.embedded.services import Services

from . import children, commands, readiness, staticfiles
from .children import Child
from .configuration import Configuration
from .console import Console
from .errors import StartFailedError, StopRequestedError
from .signals import StopSignals
from .welcome import welcome

_LOOK_EVERY_SECONDS = 0.1
_SAY_EVERY_SECONDS = 5.0
_RECONCILE_LIMIT_SECONDS = 30.0
_SPEECH_LIMIT_SECONDS = 180.0


class ChildEndedError(Exception):
    """A process that should run has ended; the message says which, how, and where to look."""


class Platform:
    def __init__(self, configuration: Configuration, console: Console, signals: StopSignals) -> None:
        self._configuration = configuration
        self._console = console
        self._signals = signals
        self._environ = dict(configuration.environ)
        self._services: Services | None = None
        self._children: list[Child] = []
        # There from before the first request until everything has ended well: what a kill leaves behind.
        self._unfinished = configuration.var_dir / "unfinished"
        self._owes_reconciling = self._unfinished.exists()

    def run(self) -> int:
        """Until a stop is asked for (0) or something ends by itself (1)."""
        began = time.monotonic()
        try:
            self._start()
            self._console.say(welcome(self._configuration, seconds=time.monotonic() - began))
            while True:
                self._tick()
        except StopRequestedError:
            return 0
        except ChildEndedError as error:
            self._console.problem(str(error))
            return 1
        finally:
            self._stop()

    def _start(self) -> None:
        self._start_services()
        self._step("migrate", ("migrate", "--no-input"), "bringing the database up to date")
        if self._owes_reconciling:
            self._step("reconcile", ("reconcile_usage", "--all"), "closing what a killed run left open")
            self._owes_reconciling = False
        self._unfinished.touch()
        self._hide_mails()
        self._collect_static_files()
        configuration = self._configuration
        for command in (
            commands.provider(),
            commands.celery(configuration),
            commands.jobs(),
            commands.webhooks(),
            commands.clips(),
            commands.releases(),
            commands.web(configuration),
        ):
            self._children.append(self._start_child(command))
        self._console.say("Starting web, Celery and the speech worker")
        # Beside them: the speech worker loads its model meanwhile.
        if configuration.environ["VOICEFLOW_ENV"] != "production":
            self._step("seed", ("seed_demo",), "making sure that the demo's account and key exist")
        url = configuration.local_url
        self._wait(lambda: readiness.web(url), "waiting for the web process")
        if not self._wait(lambda: readiness.speech(url), "waiting for speech", _SPEECH_LIMIT_SECONDS):
            self._console.problem("Speech is not ready yet (/ready/speech). The rest is, so we go on.")

    def _hide_mails(self) -> None:
        """They hold sign-in codes and reset links: nothing for other accounts of this machine."""
        mails = self._configuration.var_dir / "mail"
        mails.mkdir(exist_ok=True)
        mails.chmod(0o700)

    def _start_services(self) -> None:
        configuration = self._configuration
        postgres = not configuration.has_external("DATABASE_URL")
        redis = not configuration.has_external("REDIS_URL")
        if not (postgres or redis):
            return
        names = [name for name, wanted in (("PostgreSQL", postgres), ("Redis", redis)) if wanted]
        self._console.say(f"Starting {' and '.join(names)}")
        self._services = Services.start(
            configuration.var_dir, postgres=postgres, redis=redis, progress=self._progress
        )
        self._environ |= self._services.urls

    def _collect_static_files(self) -> None:
        current = staticfiles.fingerprint(self._configuration.checkout)
        collected = self._configuration.var_dir / "static.fingerprint"
        if not collected.is_file() or collected.read_text() != current:
            self._step("static", ("collectstatic", "--no-input", "--clear", "-v0"), "collecting static files")
            collected.write_text(current)

    def _progress(self, message: str) -> None:
        self._signals.check()
        self._console.say(message)

    def _start_child(self, command: commands.Command) -> Child:
        return children.start(
            command, environ=self._environ, cwd=self._configuration.checkout, console=self._console
        )

    def _step(self, name: str, arguments: tuple[str, ...], doing: str) -> None:
        """One management command, to its end. Raises `StartFailedError` when it fails."""
        self._console.say(f"{doing[0].upper()}{doing[1:]}")
        step = self._start_child(commands.Command(name, commands.manage(*arguments), stop_grace_seconds=2))
        try:
            self._wait(lambda: None if not step.process.is_running() else "working", doing)
        finally:
            self._end([step])
        if step.process.returncode() != 0:
            how = children.how_it_ended(step.process)
            raise StartFailedError(f"{name} {how}: the lines that begin with {name!r} above say why.")

    def _wait(
        self, problem: Callable[[], str | None], doing: str, limit_seconds: float | None = None
    ) -> bool:
        """True as soon as `problem` returns None, False after `limit_seconds`; speaks every few seconds."""
        began = said = time.monotonic()
        while (found := problem()) is not None:
            now = time.monotonic()
            if limit_seconds is not None and now - began > limit_seconds:
                return False
            if now - said >= _SAY_EVERY_SECONDS:
                self._console.say(f"Still {doing}, {now - began:.0f} s ({found})")
                said = now
            self._tick()
        return True

    def _tick(self) -> None:
        """Looks once whether to stop; raises `StopRequestedError` or `ChildEndedError`."""
        self._signals.check()
        for child in self._children:
            if not child.process.is_running():
                child.join_log()
                how = children.how_it_ended(child.process)
                raise ChildEndedError(
                    f"{child.name} {how}, so everything stops: "
                    f"the lines that begin with {child.name!r} above say why."
                )
        for name, process in (self._services.processes if self._services else {}).items():
            if not process.is_running():
                log = self._configuration.var_dir / "log" / f"{name}.log"
                raise ChildEndedError(
                    f"{name} {children.how_it_ended(process)}, so everything stops: {log} says why."
                )
        time.sleep(_LOOK_EVERY_SECONDS)

    def _stop(self) -> None:
        """In the order that lets requests in flight end and be counted; services last."""
        if self._children or self._services:
            self._console.say("Stopping (Ctrl-C again: at once)")
        web = [child for child in self._children if child.name == "web"]
        others = [child for child in self._children if child.name != "web"]
        killed = self._end(web) + self._end(others)
        self._children = []
        for child in killed:
            self._console.problem(f"{child.name} did not stop in time and was killed")
        try:
            # Also after an orderly stop: gunicorn cuts streams that outlast its grace without a word.
            self._owes_reconciling |= self._unfinished.exists()
            if not self._owes_reconciling or self._reconciled():
                self._unfinished.unlink(missing_ok=True)
        finally:
            if self._services is not None:
                self._services.stop()
        self._console.say("Everything has stopped")

    def _end(self, ending: list[Child]) -> list[Child]:
        return children.stop_together(ending, self._signals, self._console.say)

    def _reconciled(self) -> bool:
        """Closes the usage rows of processes that died; False leaves that to the next start."""
        if self._signals.hurry or not self._database_is_there():
            return False
        self._console.say("Closing requests that were cut short")
        argv = commands.manage("reconcile_usage", "--all")
        step = self._start_child(commands.Command("reconcile", argv, stop_grace_seconds=2))
        began = time.monotonic()
        while step.process.is_running() and not self._signals.hurry:
            if time.monotonic() - began > _RECONCILE_LIMIT_SECONDS:
                break
            time.sleep(_LOOK_EVERY_SECONDS)
        self._end([step])
        return step.process.returncode() == 0

    def _database_is_there(self) -> bool:
        if "DATABASE_URL" not in self._environ:
            return False
        running = self._services.processes.values() if self._services else ()
        return all(process.is_running() for process in running)
