"""`python -m bench.load`: the load generator, a process of its own so that its work is nobody else's.

Reads one `Round` a line from standard input, as JSON, and answers each with one line, its `Result`. Ends with
its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import count

import aiohttp

from gpu_worker.audio import WAV_HEADER_BYTES
from gpu_worker.protocol import STREAM_MEDIA_TYPE, End, FrameReader, MalformedFrameError

# Shorter than any of the servers keeps a connection: none is used that was closed meanwhile.
_KEEP_ALIVE_SECONDS = 1.0
_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Target:
    """A POST of JSON that is answered with audio: a WAV, or framed where `headers` ask for that."""

    url: str
    body: dict[str, object]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Round:
    """`clients` ask one after another without a pause, together `requests` times or for `seconds`.

    With `variations` requests differ: each has the fields of the next of them beside the target's own.
    Clients begin over the course of `spread_seconds`.
    """

    target: Target
    clients: int
    requests: int | None = None
    seconds: float | None = None
    variations: list[dict[str, object]] = field(default_factory=list)
    spread_seconds: float = 0.0

    def target_of(self, number: int) -> Target:
        """What the request of that number asks for."""
        if not self.variations:
            return self.target
        fields = self.variations[number % len(self.variations)]
        return replace(self.target, body=self.target.body | fields)


@dataclass
class Sample:
    """One request, in ms from its sending. `problem` is empty for an answer that came whole.

    The last three are what a framed answer says of itself.
    """

    total_ms: float
    first_audio_ms: float | None = None
    body_bytes: int = 0
    problem: str = ""
    audio_ms: int = 0
    engine_ms: int = 0
    queue_ms: int = 0


@dataclass(frozen=True)
class Result:
    """A round's samples, and the time from its first request to its last answer."""

    elapsed_seconds: float
    samples: list[Sample]

    @property
    def requests_per_second(self) -> float:
        return len(self.samples) / self.elapsed_seconds


async def run(session: aiohttp.ClientSession, this: Round) -> Result:
    """Plays a round to its end; what goes wrong is in the samples."""
    turns = _turns(this)

    async def client(place: int) -> list[Sample]:
        await asyncio.sleep(this.spread_seconds * place / this.clients)
        return [await ask(session, this.target_of(number)) for number in turns]

    started = time.perf_counter()
    by_client = await asyncio.gather(*(client(place) for place in range(this.clients)))
    elapsed_seconds = time.perf_counter() - started
    return Result(elapsed_seconds, [sample for samples in by_client for sample in samples])


def _turns(this: Round) -> Iterator[int]:
    if this.requests is not None:
        yield from range(this.requests)
    elif this.seconds is not None:
        end = time.perf_counter() + this.seconds
        for number in count():
            if time.perf_counter() >= end:
                return
            yield number


async def ask(session: aiohttp.ClientSession, target: Target) -> Sample:
    """One request. A client has audio once it has more than a WAV's header."""
    sample = Sample(0.0)
    started = time.perf_counter()
    try:
        async with session.post(target.url, json=target.body, headers=target.headers) as response:
            if response.status != 200:
                sample.problem = f"{response.status} {(await response.text())[:300]}"
            elif response.content_type == STREAM_MEDIA_TYPE:
                await _read_frames(response, sample, started)
            else:
                await _read_audio(response, sample, started)
    except (aiohttp.ClientError, OSError, TimeoutError, MalformedFrameError) as error:
        sample.problem = f"{type(error).__name__} {error}"
    sample.total_ms = _ms_since(started)
    return sample


async def _read_audio(response: aiohttp.ClientResponse, sample: Sample, started: float) -> None:
    async for chunk in response.content.iter_any():
        sample.body_bytes += len(chunk)
        if sample.first_audio_ms is None and sample.body_bytes > WAV_HEADER_BYTES:
            sample.first_audio_ms = _ms_since(started)


async def _read_frames(response: aiohttp.ClientResponse, sample: Sample, started: float) -> None:
    reader = FrameReader()
    async for chunk in response.content.iter_any():
        sample.body_bytes += len(chunk)
        for message in reader.feed(chunk):
            if sample.first_audio_ms is None and message.TYPE == "audio":
                sample.first_audio_ms = _ms_since(started)
            if isinstance(message, End):
                sample.audio_ms, sample.engine_ms = message.audio_ms, message.gpu_ms
                sample.queue_ms = message.queue_ms
    if not reader.ended:
        sample.problem = "the stream has no end"


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


async def serve() -> None:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = json.loads(line)
            this = Round(**asked | {"target": Target(**asked["target"])})
            print(json.dumps(asdict(await run(session, this))), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
