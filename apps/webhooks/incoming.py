"""Whether a webhook that was sent to us is by whom it says: Stripe's signatures, and Standard Webhooks'.

Give them the body as it came, byte for byte, before anything has read it. All secrets that hold are tried:
while one is being rotated there are two.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Mapping
from typing import Final

from apps.core.errors import InvalidRequest
from apps.webhooks.signing import PREFIX

TOLERANCE_SECONDS: Final = 300
MAX_HEADER: Final = 4_096
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_ID = re.compile(r"[!-~]+")
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_VERSION: Final = "v1"


class BadSignature(InvalidRequest):
    code = "invalid_signature"


def verify_stripe(
    body: bytes,
    header: str | None,
    secrets: Iterable[str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> None:
    """`header` is `Stripe-Signature`: `t=<seconds>,v1=<hex>`, with a v1 for each secret of theirs.

    Raises `BadSignature`.
    """
    pairs = [part.strip().partition("=") for part in _bounded(header).split(",")]
    moments = [value for name, _, value in pairs if name == "t"]
    given = [bytes.fromhex(value) for name, _, value in pairs if name == _VERSION and _HEX.fullmatch(value)]
    if len(moments) != 1:
        raise BadSignature("The signature names no moment.")
    _require_lately(moments[0], tolerance_seconds, now)
    signed = moments[0].encode() + b"." + body
    _require_match(signed, given, (secret.encode() for secret in secrets if secret))


def verify_standard(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Iterable[str],
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> str:
    """Answers the `webhook-id`, by which a repetition is known. Header names in any case.

    Raises `BadSignature`, and `ValueError` for a secret of ours that is not base64.
    """
    found = {name.lower(): value for name, value in headers.items()}
    message_id, moment = _bounded(found.get("webhook-id")), _bounded(found.get("webhook-timestamp"))
    if not _ID.fullmatch(message_id):
        raise BadSignature("The message's id is not one.")
    _require_lately(moment, tolerance_seconds, now)
    entries = [entry.partition(",") for entry in _bounded(found.get("webhook-signature")).split()]
    given = [_from_base64(value) for version, _, value in entries if version == _VERSION]
    signed = f"{message_id}.{moment}.".encode() + body
    _require_match(signed, given, (_key(secret) for secret in secrets if secret))
    return message_id


def _bounded(value: str | None) -> str:
    if not value:
        raise BadSignature("It is not signed.")
    if len(value) > MAX_HEADER:
        raise BadSignature("Its signature is too long.")
    return value


def _require_lately(written: str, tolerance_seconds: float, now: float | None) -> None:
    """Whole seconds of Unix time, near enough to now: what was overheard cannot be sent again later."""
    if not _SECONDS.fullmatch(written):
        raise BadSignature("The signature's moment is not one.")
    if abs((time.time() if now is None else now) - int(written)) > tolerance_seconds:
        raise BadSignature("It was signed too long ago, or in the future.")


def _require_match(signed: bytes, given: list[bytes], keys: Iterable[bytes]) -> None:
    """Each is compared with each, in constant time."""
    expected = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    matches = [hmac.compare_digest(one, other) for one in expected for other in given]
    if not any(matches):
        raise BadSignature("It is not signed with a secret that we have.")


def _from_base64(value: str) -> bytes:
    """Empty, which matches nothing, where it is none."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _key(secret: str) -> bytes:
    key = base64.b64decode(secret.removeprefix(PREFIX) + "==")
    if not key:
        raise ValueError("a secret is empty")
    return key
