"""`python -m bench.verda_stand_in`: the tests' stand-in of Verda as a process, whose work is nobody else's.

Answers each line of JSON on standard input with one: `{"do": "tell"}` how to reach it and when it was called,
`{"do": "copy", "names": […]}` once it has one more container of each name, as its first one is but healthy.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from tests.fakes.verda import FakeVerda
from tests.fakes.verda.deployments import Deployment
from tests.fakes.verda.wire import Call, CallLog


class TimedLog(CallLog):
    """Knows when each call came, by the clock of the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def note(self, call: Call) -> int:
        self.times.append(time.time())
        return super().note(call)


def _copy(verda: FakeVerda, names: list[str]) -> None:
    state = verda.state
    first = next(iter(state.containers.values()))
    for name in names:
        spec = json.loads(json.dumps(first.spec).replace(first.name, name))  # its secrets bear its name
        made = Deployment(spec, state.clock, state.durations, first.price_per_hour)
        made.becomes("healthy")
        state.containers[name] = made


def serve() -> None:
    # Its clock stands still: what is starting goes on starting.
    with FakeVerda() as verda:
        log = verda.calls = TimedLog()
        for line in sys.stdin:
            asked: dict[str, Any] = json.loads(line)
            if asked["do"] == "copy":
                with verda.state.lock:
                    _copy(verda, asked["names"])
            told = {"client_id": verda.client_id, "client_secret": verda.client_secret}
            answer = {**told, "base_url": verda.base_url, "called_at": list(log.times)}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
