from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.cast import acme, alice, bob, charlie, globex
from tests.usage.ledgers import Books

__all__ = ["acme", "alice", "bob", "charlie", "globex"]


@pytest_asyncio.fixture
async def books(db: None) -> AsyncIterator[Books]:
    opened = Books()
    yield opened
    await opened.close()
