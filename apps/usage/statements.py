"""What the ledger writes: its rows, and the statements that write a lot of them in one go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from apps.core.ids import uuid7_floor, uuid7_time
from apps.core.prepared import Statement

LONGEST = timedelta(hours=2)
_encoded = json.JSONEncoder(default=str, separators=(",", ":")).encode


class OpenRow(NamedTuple):
    """A request that was admitted."""

    id: UUID
    organization_id: UUID
    key_id: UUID | None
    request_id: str
    mode: str
    surface: str
    model: str
    voice: str
    characters: int
    body_hash: UUID | None


class Settlement(NamedTuple):
    """How a request ended. Times in milliseconds from its arrival.

    `characters_charged` is what it comes to by itself: where it retries what was cut, less is charged.
    """

    id: UUID
    state: str
    deployment_id: UUID | None
    characters_charged: int
    audio_ms: int
    engine_ms: int
    ttfb_ms: float | None
    total_ms: float
    error_code: str


# Rows come as one JSON document: an array a column would cost ten times as much to write down.
_INSERT = """
INSERT INTO usage_usagerecord (id, organization_id, key_id, owner_id, request_id, state, mode, surface, model,
    voice, characters, body_hash, characters_charged, characters_credited, audio_ms, engine_ms, error_code)
SELECT id, organization_id, key_id, %(owner)s::uuid, request_id, 'open', mode, surface, model, voice,
    characters, body_hash, 0, 0, 0, 0, ''
FROM json_to_recordset(%(opened)s::json) AS row (id uuid, organization_id uuid, key_id uuid, request_id text,
    mode text, surface text, model text, voice text, characters int, body_hash uuid)
ON CONFLICT (id) DO NOTHING
"""
# A row that the reconciler closed meanwhile stays as it is and uses up no credit: `ending` locks what is
# open.
#
# Credited is what earlier attempts of the same key and body were charged: those settled as cut at most a
# minute before this one began. (A few seconds after it, too: a cut is written a little later than it
# happened.) Where another process credits the same cut just now, `used` waits for it and then finds the cut
# used. A cut that is a retry itself hands on all that was paid so far, also what it could not use: each
# character is paid once, however often a stream breaks. No request runs for two hours, so that older
# partitions need not be read.
_ENDING = """
ending AS (
    SELECT row.*, record.key_id, record.body_hash, record.characters AS asked,
        to_timestamp(row.began_ms / 1000.0) AS began
    FROM json_to_recordset(%(settled)s::json) AS row (id uuid, began_ms bigint, state text,
        deployment_id uuid, characters_charged int, audio_ms int, engine_ms int, ttfb_ms float,
        total_ms float, error_code text)
    JOIN usage_usagerecord AS record ON record.id = row.id
    WHERE record.state = 'open' AND record.id >= %(first)s
    FOR NO KEY UPDATE OF record
), used AS (
    UPDATE usage_usagerecord AS cut SET credited_to = ending.id
    FROM ending
    WHERE ending.characters_charged > 0 AND cut.key_id = ending.key_id AND cut.body_hash = ending.body_hash
        AND cut.state = 'cut' AND cut.credited_to IS NULL
        AND cut.characters_charged + cut.characters_credited > 0
        AND cut.id >= %(oldest)s AND cut.id < ending.id
        AND cut.closed_at BETWEEN began - interval '60 s' AND began + interval '5 s'
    RETURNING cut.credited_to AS id, cut.characters_charged + cut.characters_credited AS characters
), credit AS (
    SELECT id, sum(characters)::int AS characters FROM used GROUP BY id
)
UPDATE usage_usagerecord AS record SET state = ending.state, deployment_id = ending.deployment_id,
    characters_charged = GREATEST(ending.characters_charged - COALESCE(credit.characters, 0), 0),
    characters_credited = LEAST(COALESCE(credit.characters, 0),
        CASE ending.state WHEN 'cut' THEN ending.asked ELSE ending.characters_charged END),
    audio_ms = ending.audio_ms, engine_ms = ending.engine_ms, ttfb_ms = ending.ttfb_ms,
    total_ms = ending.total_ms, error_code = ending.error_code, closed_at = now()
FROM ending LEFT JOIN credit ON credit.id = ending.id
WHERE record.id = ending.id AND record.id >= %(first)s
"""
_OPEN = Statement.named("usage_open", _INSERT)
_CLOSE = Statement.named("usage_close", f"WITH {_ENDING}")
_BOTH = Statement.named("usage_open_and_close", f"WITH opened AS ({_INSERT}), {_ENDING}")
HEARTBEAT = Statement.named(
    "usage_heartbeat",
    """
INSERT INTO usage_speechprocess (id, hostname, pid, started_at, heartbeat_at)
VALUES (%(owner)s, %(hostname)s, %(pid)s, %(started_at)s, now())
ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()
""",
)
STATEMENTS = (_OPEN, _CLOSE, _BOTH, HEARTBEAT)


def statements(
    owner_id: UUID, openings: Sequence[OpenRow], settlements: Sequence[Settlement]
) -> Iterator[tuple[Statement, dict[str, str]]]:
    """What is executed, in this order, and with which values."""
    # An UPDATE that finds a row twice takes either; the first word on a request is the true one.
    first_words = {s.id: s for s in reversed(settlements)}.values()
    cut = [s for s in first_words if s.state == "cut"]
    others = [s for s in first_words if s.state != "cut"]
    # A retry that is settled together with what was cut finds it so.
    if cut and others:
        yield _CLOSE, _settled(cut)
    ended = others or cut
    opened = {"owner": str(owner_id), "opened": _encoded([row._asdict() for row in openings])}
    if openings and ended:
        yield _BOTH, opened | _settled(ended)
    elif openings:
        yield _OPEN, opened
    elif ended:
        yield _CLOSE, _settled(ended)


def charging_nothing(record_id: UUID, error_code: str) -> Settlement:
    return Settlement(
        id=record_id,
        state="failed",
        deployment_id=None,
        characters_charged=0,
        audio_ms=0,
        engine_ms=0,
        ttfb_ms=None,
        total_ms=0,
        error_code=error_code,
    )


def _settled(settlements: Sequence[Settlement]) -> dict[str, str]:
    """With the ids that rows are looked for from: partitions of earlier months are left alone."""
    rows = [s._asdict() | {"began_ms": s.id.int >> 80} for s in settlements]
    first = min(s.id for s in settlements)
    return {
        "settled": _encoded(rows),
        "first": str(first),
        "oldest": str(uuid7_floor(uuid7_time(first) - LONGEST)),
    }
