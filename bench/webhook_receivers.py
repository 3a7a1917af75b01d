"""`python -m bench.webhook_receivers`: receivers on loopback that cost as little as they can.

Answers each line of JSON on standard input with one: `{"do": "open", "healthy": n}` with the ports of n that
answer at once, of one that takes 10 s, and of one that takes requests and never answers; `{"do": "tell"}`
when each message first came, by its id and the machine's monotonic clock, and how many came again;
`{"do": "forget"}` once it knows of none.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

SLOW_SECONDS = 10.0
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_ID = b"webhook-id: "


class Receivers:
    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        self.repeated = 0
        self._servers: list[asyncio.Server] = []

    async def open(self, wait_seconds: float | None) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self, wait_seconds), "127.0.0.1", 0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def note(self, message_id: str) -> None:
        if message_id in self.came:
            self.repeated += 1
        else:
            self.came[message_id] = time.monotonic()


class _Connection(asyncio.Protocol):
    def __init__(self, receivers: Receivers, wait_seconds: float | None) -> None:
        self._receivers = receivers
        self._wait_seconds = wait_seconds
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            length = _length(head)
            if not end or len(rest) < length:
                return
            self._buffer = rest[length:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        begin = head.lower().index(_ID) + len(_ID)
        self._receivers.note(head[begin:].split(b"\r\n", 1)[0].decode())
        if self._wait_seconds is None:
            return
        asyncio.get_running_loop().call_later(self._wait_seconds, self._write)

    def _write(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)


def _length(head: bytes) -> int:
    lowered = head.lower()
    begin = lowered.find(b"content-length: ")
    return int(lowered[begin + 16 :].split(b"\r\n", 1)[0]) if begin >= 0 else 0


async def serve() -> None:
    receivers = Receivers()
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked: dict[str, Any] = json.loads(line)
        answer: dict[str, Any] = {}
        match asked["do"]:
            case "open":
                answer["healthy"] = [await receivers.open(0.0) for _ in range(asked["healthy"])]
                answer["slow"] = await receivers.open(SLOW_SECONDS)
                answer["dead"] = await receivers.open(None)
            case "forget":
                receivers.came.clear()
                receivers.repeated = 0
            case "count":
                answer["count"] = len(receivers.came)
            case "tell":
                answer = {"came": receivers.came, "repeated": receivers.repeated}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
