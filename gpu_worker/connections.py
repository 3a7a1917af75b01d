"""uvicorn's connection with the worker's rules: heads of requests must come in time and make sense."""

from __future__ import annotations

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from gpu_worker.errors import WorkerError
from gpu_worker.protocol import ErrorCode
from gpu_worker.refusals import new_request_id, refusal

# For the head of a request, and for what a refused request still sends of its body.
HEAD_SECONDS: Final = 10.0


class Connection(H11Protocol):
    """Closes when no request is at work for so long, though bytes may trickle in; uvicorn would wait on."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        super().data_received(data)
        if self._is_at_work:
            self._stop_waiting()
        elif self._waiting is None:
            self._wait()

    def send_400_response(self, msg: str) -> None:
        """Answers what is not HTTP in the shape of all refusals, where an answer can still be given."""
        if self._is_at_work:
            # Its application has yet to hear of the end, and must not answer into what was closed here.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._refuse(WorkerError(ErrorCode.INVALID, "This is not a request of HTTP/1.1."))
        self.transport.close()

    @property
    def _is_at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if self._is_at_work or self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            message = f"No whole request came within {HEAD_SECONDS:g} seconds."
            self._refuse(WorkerError(ErrorCode.REQUEST_TIMEOUT, message))
        self.transport.close()

    def _refuse(self, error: WorkerError) -> None:
        status, headers, body = refusal(error, new_request_id())
        headers["connection"] = "close"
        lines = [(name.encode(), value.encode()) for name, value in headers.items()]
        for event in (h11.Response(status_code=status, headers=lines), h11.Data(body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
