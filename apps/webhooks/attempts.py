"""One request to an endpoint: signed, sent, and judged by what came back."""

from __future__ import annotations

from typing import Final

from django.conf import settings

from apps.core.outbound import client as outbound
from apps.core.outbound.answers import Answer
from apps.webhooks import measures, schedule, signing
from apps.webhooks.claims import Claim, Outcome
from apps.webhooks.models import Attempt, Delivery, Endpoint
from apps.webhooks.models.deliveries import message_id

TIMEOUT_SECONDS: Final = 15.0
MAX_BODY_BYTES: Final = 20_000
# What a column holds: a certificate's flaw may name a long host twice.
MAX_WORDS: Final = 300
GONE: Final = 410
HIDDEN: Final = "•••"
USER_AGENT: Final = "VoiceFlow-Webhooks/1"


def attempt(endpoint: Endpoint, claim: Claim) -> Outcome:
    """Makes the attempt, within 15 s. Touches no database; raises nothing that the far end could cause."""
    own = endpoint.own_headers
    sent = headers_of(endpoint, claim)
    answer = outbound.client().post(
        endpoint.url,
        body=claim.body.encode(),
        headers=own | sent,
        timeout_seconds=TIMEOUT_SECONDS,
        max_bytes=MAX_BODY_BYTES,
    )
    outcome = judged(claim, answer, request_headers=dict.fromkeys(own, HIDDEN) | sent)
    measures.count(outcome.outcome)
    return outcome


def headers_of(endpoint: Endpoint, claim: Claim) -> dict[str, str]:
    """What goes along beside the endpoint's own headers."""
    holding = [
        row.secret for row in endpoint.secrets.all() if row.expires_at is None or row.expires_at > claim.now
    ]
    signed = signing.headers(message_id(claim.event_id), moment=claim.now, body=claim.body, secrets=holding)
    agent = f"{USER_AGENT} (+{settings.BASE_URL})"
    return {"content-type": "application/json", "user-agent": agent, **signed}


def judged(claim: Claim, answer: Answer, *, request_headers: dict[str, str]) -> Outcome:
    """2xx is received, all else is not: a redirect, too, and an answer without a status."""
    received = answer.status is not None and 200 <= answer.status < 300
    state, retry_in = Delivery.State.DELIVERED, None
    if not received:
        asked = schedule.retry_after_of(answer.headers.get("retry-after"), claim.now)
        retry_in = None if answer.status == GONE else schedule.retry_in(claim.tries, retry_after=asked)
        state = Delivery.State.PENDING if retry_in is not None else Delivery.State.FAILED
    return Outcome(
        outcome=Attempt.Outcome.DELIVERED if received else Attempt.Outcome.FAILED,
        state=state,
        status=answer.status,
        problem="" if received else str(answer.problem) or "status",
        problem_words="" if received else (answer.problem_words or _words(answer.status))[:MAX_WORDS],
        duration_ms=answer.duration_ms,
        request_headers=request_headers,
        response_headers=dict(answer.headers),
        response_body=answer.body.decode(errors="replace").replace("\0", "�"),
        is_cut=answer.is_cut,
        retry_in=retry_in,
    )


def _words(status: int | None) -> str:
    if status is not None and 300 <= status < 400:
        return f"It answered {status}: redirects are not followed."
    return f"It answered {status}."
