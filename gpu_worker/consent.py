"""Consent tokens: the platform's word, good for a minute, that a cloned voice may be spoken with.

A token is `1.<issued, ms since 1970>.<tenant, base64url>.<HMAC-SHA256, base64url>`. The voice's SHA-256 is
not in it but in what is signed, so a token speaks for one voice alone. Standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from typing import Final

MAX_CONSENT_AGE_SECONDS: Final = 60
MAX_CLOCK_SKEW_SECONDS: Final = 5
MIN_CONSENT_SECRET_CHARACTERS: Final = 32
SHA256_PATTERN: Final = re.compile(r"[0-9a-f]{64}")

_VERSION: Final = "1"
_TOKEN: Final = re.compile(r"1\.([0-9]{1,15})\.([A-Za-z0-9_-]{0,700})\.([A-Za-z0-9_-]{43})")


class InvalidConsentError(ValueError):
    """The token does not let this voice be used; its words say why, and never quote the token."""


def sign_consent(
    sha256: str, *, secret: str, tenant: str | None = None, issued_at: float | None = None
) -> str:
    """A token for the voice of that SHA-256 (64 lower-case hex digits).

    With a `tenant` it is good for requests of that tenant alone. `issued_at` is in seconds since 1970 (now).
    Raises ValueError for what is no SHA-256.
    """
    if not SHA256_PATTERN.fullmatch(sha256):
        raise ValueError("sha256 must be 64 lower-case hexadecimal digits")
    issued_ms = str(round(1000 * (time.time() if issued_at is None else issued_at)))
    named = _encoded((tenant or "").encode())
    return ".".join((_VERSION, issued_ms, named, _signature(secret, sha256, issued_ms, named)))


def verify_consent(
    token: str, sha256: str, *, secret: str, tenant: str | None = None, now: float | None = None
) -> None:
    """Returns if the token lets this tenant's request use this voice now. Raises InvalidConsentError.

    It is at most 60 s old; a clock that runs up to 5 s ahead of this one is forgiven.
    """
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise InvalidConsentError("The consent token is not one of the platform's.")
    issued_ms, named, signature = match.groups()
    if not hmac.compare_digest(_signature(secret, sha256, issued_ms, named), signature):
        raise InvalidConsentError("The consent token is not signed for this voice.")
    if named and named != _encoded((tenant or "").encode()):
        raise InvalidConsentError("The consent token is for another tenant.")
    age_seconds = (time.time() if now is None else now) - int(issued_ms) / 1000
    if age_seconds > MAX_CONSENT_AGE_SECONDS:
        message = f"The consent token is older than {MAX_CONSENT_AGE_SECONDS} s; send a new one."
        raise InvalidConsentError(message)
    if age_seconds < -MAX_CLOCK_SKEW_SECONDS:
        raise InvalidConsentError("The consent token is from the future; the clocks differ.")


def _signature(secret: str, sha256: str, issued_ms: str, named: str) -> str:
    signed = "\n".join(("voiceflow-consent", _VERSION, sha256, issued_ms, named))
    return _encoded(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
