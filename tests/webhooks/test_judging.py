"""What an answer of any kind means for its delivery, and whether it can be written down."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.accounts.models import Organization
from apps.core.outbound.answers import Answer, Problem
from apps.webhooks import attempts, claims
from apps.webhooks.models import Attempt
from tests.webhooks.rows import delivery, endpoint

LONG_HOST = f"{'a' * 63}.{'b' * 63}.{'c' * 63}.example.com"
ANSWERS = [
    Answer(5, problem=Problem.TLS, problem_words=f"{LONG_HOST} is no good, because it is {LONG_HOST}."),
    Answer(5, status=503, headers={"retry-after": "9" * 8000}),
    Answer(5, status=503, headers={"retry-after": "Sun, 29 Nov 2026 12:02:00 +99999999999999999999"}),
    Answer(5, status=500, body=b"\x00\xff\xed\xa0\x80" * 4000, is_cut=True),
    Answer(5, status=999, headers={"x": "\ufffd"}),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answer", ANSWERS, ids=map(str, range(len(ANSWERS))))
def test_the_strangest_answer_is_a_failure_that_is_written_down(acme: Organization, answer: Answer) -> None:
    made = endpoint(acme).endpoint
    waiting = delivery(made)
    claim = claims.claim_next(made.pk)
    assert claim is not None
    outcome = attempts.judged(claim, answer, request_headers={})
    assert claims.finish(claim, outcome)
    waiting.refresh_from_db()
    assert waiting.state == "pending"
    assert waiting.due_at > datetime.now(UTC)
    logged = Attempt.objects.get()
    assert (logged.outcome, logged.status) == ("failed", answer.status)
