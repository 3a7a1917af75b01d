"""Ledgers over the test database, and what they wrote, without the ORM."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from apps.core.ids import uuid7
from apps.tts.runtime import database_conninfo
from apps.usage.ledger import Ledger
from apps.usage.statements import OpenRow, Settlement
from tests.cuttable import Cuttable, cuttable


class Books:
    """One organization's rows, and ledgers that write them. They are committed, and removed at the end."""

    def __init__(self) -> None:
        self.organization_id = uuid.uuid4()
        self.conninfo = database_conninfo()
        self._ledgers: list[Ledger] = []

    async def ledger(self, conninfo: str | None = None) -> Ledger:
        """A running ledger."""
        ledger = Ledger(conninfo or self.conninfo)
        self._ledgers.append(ledger)
        await ledger.start()
        return ledger

    @asynccontextmanager
    async def behind_a_wire(self) -> AsyncIterator[tuple[Ledger, Cuttable]]:
        """A running ledger whose connection to the database can be cut."""
        parts = conninfo_to_dict(self.conninfo)
        host, port = str(parts.get("host") or "127.0.0.1"), int(str(parts.get("port") or 5432))
        address = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else host
        async with cuttable(address, port) as wire:
            yield await self.ledger(make_conninfo(self.conninfo, host="127.0.0.1", port=wire.port)), wire

    def row(self, **fields: Any) -> OpenRow:
        values: dict[str, Any] = {
            "id": uuid7(),
            "organization_id": self.organization_id,
            "key_id": None,
            "request_id": "req_1",
            "mode": "live",
            "surface": "generate",
            "model": "hibari",
            "voice": "heart",
            "characters": 10,
            "body_hash": None,
        }
        return OpenRow(**values | fields)

    async def written(self) -> dict[uuid.UUID, dict[str, Any]]:
        """The rows as another connection sees them, by id."""
        query = "SELECT * FROM usage_usagerecord WHERE organization_id = %s"
        async with await psycopg.AsyncConnection.connect(self.conninfo, row_factory=dict_row) as connection:
            rows = await (await connection.execute(query, [self.organization_id])).fetchall()
        return {row["id"]: row for row in rows}

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        """A connection in a transaction of its own."""
        return await psycopg.AsyncConnection.connect(self.conninfo)

    async def execute(self, query: str, *parameters: Any) -> list[Any]:
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as connection:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def close(self) -> None:
        for ledger in self._ledgers:
            await ledger.stop(timeout_seconds=1)
            await self.execute("DELETE FROM usage_speechprocess WHERE id = %s", ledger.owner_id)
        await self.execute("DELETE FROM usage_usagerecord WHERE organization_id = %s", self.organization_id)


def settlement(row: OpenRow, **fields: Any) -> Settlement:
    values: dict[str, Any] = {
        "id": row.id,
        "state": "ok",
        "deployment_id": None,
        "characters_charged": row.characters,
        "audio_ms": 600,
        "engine_ms": 20,
        "ttfb_ms": 12.5,
        "total_ms": 40.0,
        "error_code": "",
    }
    return Settlement(**values | fields)
