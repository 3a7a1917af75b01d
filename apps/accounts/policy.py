"""The policy version of an organization in Redis: how a revoked key stops at once without pub/sub.

PostgreSQL holds the version. Redis holds a copy beside the admission counters, which admission compares with
that of a cached identity. A copy that cannot be written (Redis away) delays nothing for longer than a cached
identity lives, which is at most a second (`apps.keys.authentication`).
"""

from __future__ import annotations

import redis
import structlog

from apps.core.redis_client import connect

logger = structlog.get_logger(__name__)

# Only ever upwards: two transactions may publish in the other order than they committed.
_RAISE = """
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) > current then redis.call('SET', KEYS[1], ARGV[1]) end
"""


def redis_key(organization_id: object) -> str:
    return f"{{{organization_id}}}:policy"


def publish(organization_id: object, version: int) -> None:
    try:
        with connect() as client:
            client.eval(_RAISE, 1, redis_key(organization_id), str(version))
    except redis.RedisError as error:
        logger.warning("policy version not published", organization=str(organization_id), error=str(error))
