"""What runs at the stand-in, for real: a speech worker for each container and each machine."""

from __future__ import annotations

import shlex
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fakes.verda import FakeVerda
from tests.fakes.verda.deployments import Deployment
from tests.fakes.verda.instances import Instance
from tests.gpu_worker.worker_process import WorkerProcess

LOOK_SECONDS = 0.1
START_SECONDS = 60
OLDER_IMAGE = "ghcr.io/wallscaler/chatterbox-tts:v1.1.0"
Variables = tuple[tuple[str, str], ...]
# The name of what it runs on, the image, and the variables that the image starts with.
Key = tuple[str, str, Variables]
NOTHING: Key = ("", "", ())


class OlderProcess(WorkerProcess):
    """What runs of the older image."""

    module = "tests.fakes.older_image"


@dataclass
class Hall:
    """Starts what the stand-in says is there and ends what is there no more, while its context is open.

    A worker has the very variables that Verda was given, secrets and token among them. A container's is
    replaced without a gap; a machine has an address of its own, and its worker dies with it.
    """

    verda: FakeVerda
    folder: Path
    port: int
    workers: dict[Key, Future[WorkerProcess]] = field(default_factory=dict)
    _serving: dict[str, Key] = field(default_factory=dict)
    _seen: dict[str, Key | None] = field(default_factory=dict)
    _machines: dict[str, Key] = field(default_factory=dict)
    _all: list[Future[WorkerProcess]] = field(default_factory=list)
    _hosts: count[int] = field(default_factory=lambda: count(2))
    _is_over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self.verda.backend = self.backend_of
        self._starting = ThreadPoolExecutor(4)
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._starting.shutdown()
        for started in self._all:
            if started.exception() is None and started.result().process.poll() is None:
                started.result().stop()

    def backend_of(self, name: str) -> str | None:
        """Where a container's requests go now; waits for its first worker."""
        for _ in range(round(START_SECONDS / LOOK_SECONDS)):
            started = self.workers.get(self._serving.get(name, NOTHING))
            if started is not None:
                return started.result(START_SECONDS).url
            if self._is_over.wait(LOOK_SECONDS):
                break
        return None

    def serving(self, name: str) -> dict[str, str]:
        """The variables of the worker that speaks for a container."""
        return dict(self._serving[name][2])

    def images(self, name: str) -> set[str]:
        """Of all that runs for the deployment of this name."""
        return {key[1] for key in list(self.workers) if key[0].startswith(name)}

    # ---- what is there --------------------------------------------------------------------------------
    def _watch(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            wanted = {key for one in list(self.verda.containers.values()) for key in self._of_container(one)}
            machines = [(self._of_machine(one), one.status) for one in list(self.verda.instances.values())]
            wanted |= {key for key, status in machines if status == "running"}
            for key in wanted - self.workers.keys():
                self.workers[key] = self._starting.submit(self._start, key)
                self._all.append(self.workers[key])
            for key in self.workers.keys() - wanted:
                self._end(key)

    def _of_container(self, there: Deployment) -> set[Key]:
        """The one that serves and the one that shall, once what shall be is the same twice in a row."""
        key = self._key_of(there)
        is_settled, self._seen[there.name] = self._seen.get(there.name) == key, key
        serving = self._serving.get(there.name)
        if key is None or not is_settled:
            return {serving} if serving else set()
        if serving is None or (self._is_up(key) and there.status != "version_updating"):
            self._serving[there.name] = serving = key
        return {serving, key}

    def _is_up(self, key: Key) -> bool:
        return key in self.workers and self.workers[key].done()

    def _key_of(self, there: Deployment) -> Key | None:
        """`None` while a secret of it is being made anew."""
        secrets = self.verda.state.kept["secrets"]
        values = there.environment()
        for one in there.spec["containers"][0].get("env", []):
            if one["type"] == "secret":
                secret = secrets.get(values[one["name"]])
                if secret is None:
                    return None
                values[one["name"]] = secret["value"]
        return there.name, there.image, tuple(sorted(values.items()))

    def _of_machine(self, machine: Instance) -> Key:
        """As the script of its first start runs it, at an address that no other machine has."""
        name = machine.spec["hostname"]
        if name not in self._machines:
            machine.host = f"127.0.1.{next(self._hosts)}"
            script = self.verda.state.kept["scripts"][machine.spec["startup_script_id"]]["script"]
            words = shlex.split(script.splitlines()[-1])
            given = dict(word.split("=", 1) for option, word in pairwise(words) if option == "-e")
            given |= {"HOST": machine.host, "PORT": str(self.port)}
            self._machines[name] = (name, words[-1], tuple(sorted(given.items())))
        return self._machines[name]

    # ---- processes ------------------------------------------------------------------------------------
    def _start(self, key: Key) -> WorkerProcess:
        folder = self.folder / f"worker-{len(self._all)}"
        folder.mkdir()
        kind = OlderProcess if key[1] == OLDER_IMAGE else WorkerProcess
        worker = kind(folder, **dict(key[2]))
        worker.wait_until_ready()
        return worker

    def _end(self, key: Key) -> None:
        """A container ends what it speaks; a machine is gone at once."""
        started = self.workers.pop(key)
        if key == self._serving.get(key[0]):
            del self._serving[key[0]]
        is_machine = key[0] in self._machines
        started.add_done_callback(lambda one: one.result().stop() if is_machine else one.result().terminate())
