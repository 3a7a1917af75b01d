"""A consent token is good for one voice, one minute and, where it names one, one tenant."""

from __future__ import annotations

import pytest

from gpu_worker.protocol import (
    MAX_CONSENT_AGE_SECONDS,
    ErrorCode,
    InvalidConsentError,
    sign_consent,
    verify_consent,
)

SECRET = "a-secret-of-the-tests-and-nothing-else"
VOICE = "ab" * 32
OTHER_VOICE = "cd" * 32
NOW = 1_800_000_000.0


def token(**changes: object) -> str:
    """Signed at NOW."""
    return sign_consent(**{"sha256": VOICE, "secret": SECRET, "issued_at": NOW, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("age", [-5, 0, 30, MAX_CONSENT_AGE_SECONDS])
def test_a_token_of_a_minute_is_good(age: float) -> None:
    verify_consent(token(), VOICE, secret=SECRET, now=NOW + age)


def test_a_token_without_a_tenant_is_good_for_any() -> None:
    verify_consent(token(), VOICE, secret=SECRET, tenant="one", now=NOW)
    verify_consent(token(tenant="zwölf/…"), VOICE, secret=SECRET, tenant="zwölf/…", now=NOW)


def test_a_token_signed_now_is_good_now() -> None:
    verify_consent(sign_consent(VOICE, secret=SECRET), VOICE, secret=SECRET)


@pytest.mark.parametrize(
    ("changes", "voice", "tenant", "age", "words"),
    [
        ({}, VOICE, None, 60.1, "older than 60 s"),
        ({}, VOICE, None, 86_400, "older than 60 s"),
        ({}, VOICE, None, -5.1, "from the future"),
        ({}, OTHER_VOICE, None, 0, "not signed for this voice"),
        ({"sha256": OTHER_VOICE}, VOICE, None, 0, "not signed for this voice"),
        ({"secret": SECRET + "."}, VOICE, None, 0, "not signed for this voice"),
        ({"tenant": "one"}, VOICE, "two", 0, "another tenant"),
        ({"tenant": "one"}, VOICE, None, 0, "another tenant"),
    ],
)
def test_what_is_wrong_is_said(
    changes: dict[str, object], voice: str, tenant: str | None, age: float, words: str
) -> None:
    with pytest.raises(InvalidConsentError, match=words):
        verify_consent(token(**changes), voice, secret=SECRET, tenant=tenant, now=NOW + age)


@pytest.mark.parametrize(
    "forged", ["", "1", "1...", "a" * 90, "1.1800000000000..é", "2" + token()[1:], token() + "A"]
)
def test_what_is_no_token_is_refused(forged: str) -> None:
    with pytest.raises(InvalidConsentError, match="not one of the platform's"):
        verify_consent(forged, VOICE, secret=SECRET, now=NOW)


def test_no_character_of_a_token_can_be_changed() -> None:
    good = token(tenant="one")
    for place, character in enumerate(good[:-1]):
        changed = good[:place] + ("B" if character == "A" else "A") + good[place + 1 :]
        with pytest.raises(InvalidConsentError):
            verify_consent(changed, VOICE, secret=SECRET, tenant="one", now=NOW)


def test_only_a_sha256_is_signed() -> None:
    for name in ("heart", VOICE.upper(), VOICE + "\n", VOICE[1:]):
        with pytest.raises(ValueError, match="sha256"):
            token(sha256=name)


def test_refusals_have_a_status_of_their_own() -> None:
    assert ErrorCode.CONSENT_REQUIRED.status == ErrorCode.CONSENT_INVALID.status == 403
    assert not ErrorCode.CONSENT_INVALID.retryable
    assert ErrorCode.REFERENCE_UNAVAILABLE.status == 503
    assert ErrorCode.REFERENCE_UNAVAILABLE.retryable
