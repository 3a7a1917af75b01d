"""Signatures of Standard Webhooks, under every secret that holds."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(message_id: str, *, moment: datetime, body: str, secrets: Iterable[str]) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp`, and `webhook-signature` with one signature for each secret.

    `moment` is that of the attempt, in any time zone.
    """
    moment = moment.astimezone(UTC)  # the library takes whatever zone it is given for UTC
    signatures = [Webhook(secret).sign(message_id, moment, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
