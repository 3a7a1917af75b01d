"""Bodies of requests: how large they may be, how long they may take, and what they must be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import Headers

from gpu_worker.asgi import Receive
from gpu_worker.errors import WorkerError
from gpu_worker.protocol import MAX_REQUEST_BYTES, ErrorCode, InvalidRequestError

# A request of the usual size is here within milliseconds; the largest passes at 26 kB/s.
JSON_BODY_SECONDS: Final = 10.0


async def read_json(headers: Headers, receive: Receive) -> object:
    """The decoded JSON body. Raises WorkerError, and InvalidRequestError for what is not JSON in UTF-8."""
    media_type = media_type_of(headers)
    if media_type != "application/json":
        message = f"Send application/json, not {media_type or 'a body without Content-Type'}."
        raise WorkerError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, message)
    return decode_json(
        await read_body(headers, receive, max_bytes=MAX_REQUEST_BYTES, seconds=JSON_BODY_SECONDS)
    )


def decode_json(body: bytes) -> object:
    """What the JSON says. Raises InvalidRequestError for what is not JSON in UTF-8."""
    try:
        return json.loads(body.decode())
    except UnicodeDecodeError as error:
        raise InvalidRequestError("The body is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The body is not JSON.") from error


async def read_body(headers: Headers, receive: Receive, *, max_bytes: int, seconds: float) -> bytes:
    """The whole body. Raises WorkerError where it is too large, encoded, late, or its sender left."""
    refuse_body_by_headers(headers, max_bytes=max_bytes)
    receive = within(receive, seconds)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise WorkerError(ErrorCode.CANCELLED, "The caller left.")
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        if not message.get("more_body"):
            return bytes(body)


def refuse_body_by_headers(headers: Headers, *, max_bytes: int) -> None:
    """Raises WorkerError for a body that by its own words cannot be taken, before any of it is read."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        message = "Send the body as it is, without Content-Encoding."
        raise WorkerError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, message)
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes)


def within(receive: Receive, seconds: float) -> Receive:
    """`receive` for a body that must have come whole by then; raises WorkerError once it is late."""
    loop = asyncio.get_running_loop()
    due_at = loop.time() + seconds

    async def receive_in_time() -> MutableMapping[str, Any]:
        try:
            async with asyncio.timeout_at(due_at):
                return await receive()
        except TimeoutError as error:
            message = f"The body did not come within {seconds:g} seconds."
            raise WorkerError(ErrorCode.REQUEST_TIMEOUT, message) from error

    return receive_in_time


def media_type_of(headers: Headers) -> str:
    """The type that `Content-Type` names, without its parameters, in lower case."""
    return headers.get("content-type", "").split(";")[0].strip().lower()


def _too_large(max_bytes: int) -> WorkerError:
    return WorkerError(ErrorCode.TOO_LARGE, f"The body is larger than {max_bytes} bytes.")
