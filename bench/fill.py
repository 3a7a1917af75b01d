"""`python -m bench.fill KEYS RECORDS`: fills a seeded database up to so many keys and usage records.

The records are of this month, where new ones go, and of the organization and the keys that are there: the
indexes that a request touches are as large as they get. Django reads its settings from the environment.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import django

_BATCH = 500_000
_KEYS = """
INSERT INTO keys_apikey (id, created_at, updated_at, organization_id, name, mode, prefix, last4, hash,
    pepper_id, scopes, allowed_voices, allowed_ips, allowed_origins)
SELECT gen_random_uuid(), now(), now(), organization_id, 'filled', 'live',
    'vf_live_' || lpad(number::text, 8, '0'), '0000', sha256(number::text::bytea), 1, scopes, '{}', '{}', '{}'
FROM keys_apikey, generate_series(1, %s) AS number WHERE name = 'bench'
"""
# A UUIDv7 is 48 bits of milliseconds, the version, and random bits.
_RECORDS = """
INSERT INTO usage_usagerecord (id, organization_id, key_id, owner_id, request_id, state, mode, surface, model,
    voice, characters, characters_charged, characters_credited, audio_ms, engine_ms, ttfb_ms, total_ms,
    error_code, closed_at)
SELECT id, key.organization_id, key.ids[1 + mod(number, array_length(key.ids, 1))], gen_random_uuid(),
    'req_' || replace(id::text, '-', ''), 'ok', 'live', 'generate', 'instant', 'silence',
    60, 60, 0, 1000, 10, 20, 40, '', started
FROM (SELECT organization_id, array_agg(id) AS ids FROM keys_apikey GROUP BY organization_id) AS key,
    generate_series(%(first)s, %(last)s) AS number,
    LATERAL (SELECT %(since)s::timestamptz + %(span)s::interval * (number::float / %(all)s) AS started) AS at,
    LATERAL (SELECT lpad(to_hex((extract(epoch FROM started) * 1000)::bigint), 12, '0') AS stamp) AS clock,
    LATERAL (SELECT md5(number::text) AS noise) AS noise,
    LATERAL (SELECT (stamp || '7' || substr(noise, 1, 3) || '8' || substr(noise, 4, 15))::uuid AS id) AS made
"""


def fill(keys: int, records: int) -> None:
    """Adds what is missing, and leaves the tables vacuumed and analysed."""
    from django.db import connection

    now = datetime.now(UTC)
    since = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM keys_apikey")
        cursor.execute(_KEYS, [max(0, keys - cursor.fetchone()[0])])
        for first in range(1, records + 1, _BATCH):
            last = min(first + _BATCH - 1, records)
            span = now - timedelta(minutes=1) - since
            given = {"first": first, "last": last, "all": records, "since": since, "span": span}
            cursor.execute(_RECORDS, given)
        for table in ("keys_apikey", "usage_usagerecord"):
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("CHECKPOINT")


if __name__ == "__main__":
    django.setup()
    fill(int(sys.argv[1]), int(sys.argv[2]))
