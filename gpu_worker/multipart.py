"""A request with its reference: multipart/form-data with the parts `request` (JSON) and `reference` (bytes).

They come in this order, so that a request is judged before its recording is read.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers

from gpu_worker.asgi import Receive
from gpu_worker.bodies import refuse_body_by_headers, within
from gpu_worker.errors import WorkerError
from gpu_worker.protocol import MAX_REQUEST_BYTES, ErrorCode
from gpu_worker.references.decoding import MAX_REFERENCE_BYTES

MULTIPART_MEDIA_TYPE: Final = "multipart/form-data"

_PARTS: Final = (("request", MAX_REQUEST_BYTES), ("reference", MAX_REFERENCE_BYTES))
# The boundaries and headers around the parts have room in the last term.
_MAX_BYTES: Final = MAX_REQUEST_BYTES + MAX_REFERENCE_BYTES + 16_384
_BODY_SECONDS: Final = 60.0
# What is parsed before others get the event loop: hostile bytes take a microsecond each.
_PARSE_BYTES: Final = 8192
# It logs a line for each bad body; the request's own line tells it.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


class MultipartBody:
    """One body, read part by part. Methods raise WorkerError; each is called once, in this order."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        refuse_body_by_headers(headers, max_bytes=_MAX_BYTES)
        self._receive = within(receive, _BODY_SECONDS)
        self._parts = [bytearray() for _ in _PARTS]
        self._part = -1
        self._parts_ended = 0
        self._header = bytearray()
        self._disposition = bytearray()
        self._bytes = 0
        self._received_all = False
        self._keeps = True
        _, options = parse_options_header(headers.get("content-type"))
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_part_data": self._add_data,
                    "on_part_end": self._end_part,
                    "on_header_field": self._add_header_field,
                    "on_header_value": self._add_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                },
                max_header_count=4,
                max_header_size=1024,
            )
        except (KeyError, FormParserError, ValueError) as error:
            raise _invalid(f"Content-Type {MULTIPART_MEDIA_TYPE} must name a boundary.") from error

    async def read_request(self) -> bytes:
        """The part `request`."""
        await self._read_parts(1)
        return bytes(self._parts[0])

    async def read_reference(self) -> bytes:
        """The part `reference`, after which the body has been read to its end."""
        await self._read_parts(len(_PARTS))
        await self._drain()
        data = bytes(self._parts[1])
        self._parts[1].clear()
        return data

    async def discard(self) -> None:
        """Reads what is left without keeping it, so that the caller is done sending and reads its answer."""
        self._keeps = False
        await self._drain()

    async def _read_parts(self, count: int) -> None:
        while self._parts_ended < count:
            if self._received_all:
                raise _invalid("The body breaks off; it must hold the parts request and reference.")
            await self._parse(await self._chunk())

    async def _parse(self, data: bytes) -> None:
        for start in range(0, len(data), _PARSE_BYTES):
            if start:
                await asyncio.sleep(0)
            try:
                self._parser.write(data[start : start + _PARSE_BYTES])
            except FormParserError as error:
                raise _invalid(f"The body is not {MULTIPART_MEDIA_TYPE}.") from error

    async def _drain(self) -> None:
        while not self._received_all:
            chunk = await self._chunk()
            if self._keeps:
                await self._parse(chunk)

    async def _chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise WorkerError(ErrorCode.CANCELLED, "The caller left.")
        self._received_all = not message.get("more_body")
        data: bytes = message.get("body", b"")
        self._bytes += len(data)
        if self._bytes > _MAX_BYTES:
            raise _too_large("The body", _MAX_BYTES)
        return data

    def _begin_part(self) -> None:
        self._part += 1
        if self._part == len(_PARTS):
            raise _invalid("The body has more parts than request and reference.")
        self._disposition.clear()

    def _add_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition += data[start:end]

    def _end_header(self) -> None:
        self._header.clear()

    def _end_headers(self) -> None:
        kind, options = parse_options_header(bytes(self._disposition))
        expected, _ = _PARTS[self._part]
        if kind != b"form-data" or options.get(b"name") != expected.encode():
            raise _invalid("The body must hold the part request and then the part reference, by these names.")

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        name, limit = _PARTS[self._part]
        part = self._parts[self._part]
        if len(part) + end - start > limit:
            raise _too_large(f"The part {name}", limit)
        part += data[start:end]

    def _end_part(self) -> None:
        self._parts_ended += 1


def _invalid(message: str) -> WorkerError:
    return WorkerError(ErrorCode.INVALID, message)


def _too_large(what: str, limit: int) -> WorkerError:
    return WorkerError(ErrorCode.TOO_LARGE, f"{what} is larger than {limit} bytes.")
