"""Webhooks that are sent to us: Stripe's as its own library signs them, and Standard Webhooks'."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from standardwebhooks import Webhook
from stripe import WebhookSignature

from apps.core.errors import AppError
from apps.webhooks import signing
from apps.webhooks.incoming import BadSignature, verify_standard, verify_stripe

NOW = 1_795_000_000
BODY = json.dumps({"id": "evt_1", "object": "event", "name": "Zoë"}, ensure_ascii=False).encode()
SECRET, OTHER = "whsec_5f3a9c", "whsec_0b7d1e"


def stripes(secret: str = SECRET, *, at: int = NOW, body: bytes = BODY) -> str:
    """A header by Stripe's own library."""
    signed: str = WebhookSignature.generate_signature_header(body.decode(), secret, at)
    return signed


def is_refused(ask: Callable[[], Any]) -> bool:
    with pytest.raises(BadSignature) as refused:
        ask()
    error: AppError = refused.value
    assert (error.status, error.code) == (400, "invalid_signature")
    return True


# ---- Stripe ------------------------------------------------------------------------------------------


def test_what_stripe_signs_is_taken() -> None:
    verify_stripe(BODY, stripes(), [SECRET], now=NOW)
    verify_stripe(BODY, stripes(), [OTHER, SECRET], now=NOW + 299)


def test_what_stripe_would_take_by_any_of_its_signatures_is_taken() -> None:
    """While they rotate a secret there are two."""
    moment, new = stripes().split(",")
    old = stripes(OTHER).split(",")[1]
    header = f"{moment},{old},v0={'0' * 64},{new}"
    assert WebhookSignature.verify_header(BODY, header, SECRET, None)
    verify_stripe(BODY, header, [SECRET], now=NOW)
    verify_stripe(BODY, header, [OTHER], now=NOW)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (stripes(), BODY.replace(b"evt_1", b"evt_2")),
        (stripes(), BODY + b" "),
        (stripes().replace(f"t={NOW}", f"t={NOW + 1}"), BODY),
        (stripes(OTHER), BODY),
    ],
    ids=["body", "space", "moment", "secret"],
)
def test_what_was_altered_is_refused_by_stripes_library_and_by_ours(header: str, body: bytes) -> None:
    assert is_refused(lambda: verify_stripe(body, header, [SECRET], now=NOW))
    with pytest.raises(stripe.SignatureVerificationError):
        WebhookSignature.verify_header(body, header, SECRET, None)


@pytest.mark.parametrize("now", [NOW + 301, NOW + 86_400, NOW - 301])
def test_what_comes_too_late_is_refused(now: int) -> None:
    assert is_refused(lambda: verify_stripe(BODY, stripes(), [SECRET], now=now))
    verify_stripe(BODY, stripes(), [SECRET], now=now, tolerance_seconds=90_000)


def test_the_clock_is_asked_where_no_moment_is_given() -> None:
    verify_stripe(BODY, stripes(at=int(datetime.now(UTC).timestamp())), [SECRET])
    assert is_refused(lambda: verify_stripe(BODY, stripes(at=1_600_000_000), [SECRET]))


_MALFORMED = [
    *(None, "", ",", "=", "t", "t=", "v1=", "t=,v1=", f"t={NOW}", f"t={NOW},v1=", f"t={NOW},v1=zz"),
    *(f"t={NOW},v1={'0' * 63}", f"t={NOW}.5,v1={'0' * 64}", f"t=-{NOW},v1={'0' * 64}", "t=²,v1=" + "0" * 64),
    *(f"t={NOW},t={NOW},v1={'0' * 64}", f"t={'9' * 400},v1={'0' * 64}", "t=٣,v1=" + "0" * 64, "x" * 100_000),
    *(stripes().replace("v1=", "v0="), f"t={NOW},v1=\ud800", "\x00", f"t=1e9,v1={'0' * 64}"),
]


@pytest.mark.parametrize("header", _MALFORMED, ids=map(str, range(len(_MALFORMED))))
def test_a_malformed_header_is_refused_by_name(header: str | None) -> None:
    assert is_refused(lambda: verify_stripe(BODY, header, [SECRET], now=NOW))


def test_a_body_that_is_no_text_is_signed_as_it_is() -> None:
    assert is_refused(lambda: verify_stripe(b"\xff\xfe\x00", stripes(), [SECRET], now=NOW))


def test_without_a_secret_nobody_gets_in() -> None:
    for secrets in ([], [""]):
        assert is_refused(lambda secrets=secrets: verify_stripe(BODY, stripes(""), secrets, now=NOW))


# ---- Standard Webhooks -------------------------------------------------------------------------------
STANDARD, OLDER = signing.new_secret(), signing.new_secret()


def standards(*secrets: str) -> dict[str, str]:
    """Headers by the standard's own library."""
    moment = datetime.fromtimestamp(NOW, UTC)
    signatures = [Webhook(secret).sign("msg_1", moment, BODY.decode()) for secret in secrets or (STANDARD,)]
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(NOW),
        "Webhook-Signature": " ".join(signatures),
    }


def test_what_the_standard_signs_is_taken_and_named() -> None:
    assert verify_standard(BODY, standards(), [STANDARD], now=NOW) == "msg_1"
    assert verify_standard(BODY, standards(), [OLDER, STANDARD], now=NOW - 300) == "msg_1"
    both = standards(OLDER, STANDARD)
    both["Webhook-Signature"] = "v1a,AAAA v1 " + both["Webhook-Signature"] + " v2,BBBB"
    assert verify_standard(BODY, both, [STANDARD], now=NOW) == "msg_1"
    unprefixed = STANDARD.removeprefix("whsec_").rstrip("=")
    assert verify_standard(BODY, standards(), [unprefixed], now=NOW) == "msg_1"


def test_what_our_own_sender_signs_is_taken() -> None:
    moment = datetime.fromtimestamp(NOW, UTC)
    sent = signing.headers("evt_1", moment=moment, body=BODY.decode(), secrets=[OLDER, STANDARD])
    for secret in (OLDER, STANDARD):
        assert verify_standard(BODY, sent, [secret], now=NOW) == "evt_1"


@pytest.mark.parametrize(
    "changed",
    [
        {"Webhook-Id": "msg_2"},
        {"Webhook-Id": ""},
        {"Webhook-Id": "msg_\ud800"},
        {"Webhook-Timestamp": str(NOW + 1)},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": ""},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": " "},
        {"Webhook-Signature": "v1"},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1,%%%"},
        {"Webhook-Signature": "v1,ü"},
        {"Webhook-Signature": "nonsense without commas"},
        {"Webhook-Signature": "v1," * 2000},
    ],
)
def test_what_is_altered_or_malformed_is_refused_by_name(changed: dict[str, str]) -> None:
    assert is_refused(lambda: verify_standard(BODY, standards() | changed, [STANDARD], now=NOW))


def test_another_secret_body_or_time_is_refused() -> None:
    assert is_refused(lambda: verify_standard(BODY, standards(), [OLDER], now=NOW))
    assert is_refused(lambda: verify_standard(BODY + b"\n", standards(), [STANDARD], now=NOW))
    assert is_refused(lambda: verify_standard(BODY, standards(), [STANDARD], now=NOW + 301))
    assert is_refused(lambda: verify_standard(BODY, standards(), [], now=NOW))
    assert is_refused(lambda: verify_standard(BODY, {}, [STANDARD], now=NOW))
