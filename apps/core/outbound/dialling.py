"""The dial itself: each address is vetted at the moment a connection to it is made, or taken up again.

Three times, since each alone has a way around it: all addresses that a name stands for (a mixed answer is
refused as a whole), the address of each socket before it connects (a literal host is looked up nowhere), and
the peer of each connection that is used (a kept one was dialled by the rules of its time).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import ClientRequest, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from apps.core.addresses import Address

from .lookups import Lookups
from .sockets import BoundedSocket

MayDial = Callable[[Address], bool]
AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]

# A name may list a whole network, and a new address is tried each quarter of a second.
MAX_ADDRESSES = 8


class RefusedAddressError(OSError):
    """Not dialled: the address is none that a customer may send us to."""


@dataclass
class Attempt:
    """What one request did so far: the address it dialled or took up, and whether one was refused to it."""

    max_bytes: int
    dialled: str | None = None
    is_kept: bool = False
    is_refused: bool = False
    transport: asyncio.Transport | None = None
    socket: BoundedSocket | None = None


attempt: ContextVar[Attempt] = ContextVar("outbound_attempt")


def is_dialable(text: str, may_dial: MayDial) -> bool:
    try:
        return may_dial(ip_address(text))
    except ValueError:
        return False


class VettingResolver(AbstractResolver):
    def __init__(self, lookups: Lookups, may_dial: MayDial) -> None:
        self._lookups = lookups
        self._may_dial = may_dial

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises `RefusedAddressError` where any address is refused, and `OSError` where there is none."""
        texts = await self._lookups.addresses_of(host, port)
        if not texts:
            raise OSError("no address")
        if not all(is_dialable(text, self._may_dial) for text in texts):
            raise RefusedAddressError("refused")
        return [
            ResolveResult(
                hostname=host,
                host=text,
                port=port,
                family=socket.AF_INET6 if ":" in text else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for text in texts[:MAX_ADDRESSES]
        ]

    async def close(self) -> None:
        """Nothing is held."""


class VettingConnector(TCPConnector):
    """Connections to vetted addresses only, which read no more than an answer can be."""

    def __init__(self, may_dial: MayDial, **options: Any) -> None:
        super().__init__(socket_factory=self._make_socket, **options)
        self._vet = may_dial
        self._sockets: WeakValueDictionary[int, BoundedSocket] = WeakValueDictionary()

    def _make_socket(self, info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, sockaddr = info
        text = str(sockaddr[0])
        current = attempt.get()
        if not is_dialable(text, self._vet):
            current.is_refused = True
            raise RefusedAddressError("refused")
        current.dialled, current.is_kept = text, False
        made = BoundedSocket(family, kind, protocol)
        self._sockets[made.fileno()] = made
        return made

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - its name at aiohttp
    ) -> Connection:
        """Called for each request. Raises `RefusedAddressError`, and what aiohttp does."""
        current = attempt.get()
        current.is_kept = True  # until a socket is made for it
        connection = await super().connect(req, traces, timeout)
        current.transport = transport = connection.transport
        if transport is None or (peer := transport.get_extra_info("peername")) is None:
            connection.close()
            raise ConnectionResetError("closed")
        if not is_dialable(str(peer[0]), self._vet):
            connection.close()
            current.is_refused = True
            raise RefusedAddressError("refused")
        current.dialled = str(peer[0])
        current.socket = self._sockets[transport.get_extra_info("socket").fileno()]
        current.socket.allow(current.max_bytes)
        return connection
