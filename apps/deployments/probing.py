"""Asks workers whether they can speak."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from django.utils import timezone

from apps.deployments import older_image
from gpu_worker.protocol import PROTOCOL, TOKEN_HEADER

TIMEOUT_SECONDS = 2.0
MAX_BODY_BYTES = 262_144
_LISTS = ("models", "voices", "languages", "features", "formats")


@dataclass(frozen=True, slots=True)
class Address:
    """`inference_key` is what a provider's front asks for; it may hold a question while a machine starts."""

    url: str
    token: str = field(default="", repr=False)
    inference_key: str = field(default="", repr=False)
    timeout_seconds: float = TIMEOUT_SECONDS

    @property
    def headers(self) -> dict[str, str]:
        headers = {TOKEN_HEADER: self.token} if self.token else {}
        return headers | ({"Authorization": f"Bearer {self.inference_key}"} if self.inference_key else {})


@dataclass(frozen=True, slots=True)
class Probe:
    """What a worker said of itself.

    `asked_at` is when the question was sent. `capabilities` is the checked body of its /ready, empty where it
    is not ready; `message` then says why.
    """

    asked_at: datetime
    is_ready: bool = False
    is_compatible: bool = True
    answered: bool = False
    timed_out: bool = False
    message: str = ""
    capabilities: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_flight(self) -> int:
        queue = self.capabilities.get("queue", {})
        return int(queue.get("active", 0)) + int(queue.get("waiting", 0))


def probe_all(addresses: Sequence[Address]) -> list[Probe]:
    """One probe for each address, all at once; takes as long as the most patient of them at most."""
    return asyncio.run(_probe_all(addresses)) if addresses else []


async def _probe_all(addresses: Sequence[Address]) -> list[Probe]:
    async with aiohttp.ClientSession() as session:
        return list(await asyncio.gather(*(_probe(session, address) for address in addresses)))


async def _probe(session: aiohttp.ClientSession, address: Address) -> Probe:
    asked_at = timezone.now()
    timeout = aiohttp.ClientTimeout(total=address.timeout_seconds)
    try:
        async with session.get(
            f"{address.url}/ready", headers=address.headers, allow_redirects=False, timeout=timeout
        ) as response:
            return read_answer(asked_at, response.status, await _read(response))
    except TimeoutError:
        return Probe(
            asked_at, timed_out=True, message=f"It did not answer within {address.timeout_seconds:g} s."
        )
    except aiohttp.ClientError as error:
        return Probe(asked_at, message=f"It could not be reached ({type(error).__name__}).")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, cut where it is longer than any worker's: what is cut is not JSON."""
    body = b""
    while len(body) < MAX_BODY_BYTES and (chunk := await response.content.read(MAX_BODY_BYTES)):
        body += chunk
    return body[:MAX_BODY_BYTES]


def read_answer(asked_at: datetime, status: int, raw: bytes) -> Probe:
    """Judges an answer to `GET /ready` by the wire's contract."""
    if status not in (200, 503):
        return Probe(asked_at, message=f"It answered /ready with {status}.")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if status == 200 and older_image.is_ready(body):
        return Probe(asked_at, is_ready=True, answered=True, capabilities=older_image.CAPABILITIES)
    if status == 503 and older_image.is_loading(body):
        return Probe(asked_at, answered=True, message="It is loading.")
    if not isinstance(body, dict) or type(body.get("protocol")) is not int:
        return Probe(asked_at, message="It answered /ready with something that a speech worker does not say.")
    if body["protocol"] != PROTOCOL:
        message = (
            f"It speaks protocol {body['protocol']}, this platform protocol {PROTOCOL}: it gets no traffic. "
            "Run workers and platform of the same release."
        )
        return Probe(asked_at, answered=True, is_compatible=False, message=message)
    if status == 503:
        return Probe(asked_at, answered=True, message=f"It is {body.get('status', 'not ready')}.")
    if problem := _problem(body):
        return Probe(asked_at, answered=True, message=f"Its answer to /ready has {problem}.")
    return Probe(asked_at, is_ready=True, answered=True, capabilities=_known_fields(body))


def _problem(body: Mapping[str, Any]) -> str:
    for name in _LISTS:
        values = body.get(name)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            return f"no list of names as {name}"
    if not body["models"] or not body["voices"]:
        return "no model or no voice"
    if type(body.get("max_batch")) is not int or body["max_batch"] < 1:
        return "no max_batch"
    queue = body.get("queue")
    if not isinstance(queue, dict) or not all(_is_count(queue.get(name)) for name in ("active", "waiting")):
        return "no queue"
    return ""


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _known_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    names = ("protocol", "version", "engine", "sample_rate", "max_batch", "queue", *_LISTS)
    return {name: body[name] for name in names if name in body}
