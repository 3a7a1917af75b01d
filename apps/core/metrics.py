"""What is counted and measured; refusals are counted here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

from django.db import DatabaseError
from prometheus_client import Counter, Gauge, Histogram

SPEECH_REQUESTS = Counter("voiceflow_speech_requests", "Settled speech requests.", ["state"])
SPEECH_REFUSALS = Counter("voiceflow_speech_refusals", "Speech requests refused before work.", ["code"])
SPEECH_IN_FLIGHT = Gauge("voiceflow_speech_in_flight", "Requests that hold a slot of a worker.")
SPEECH_QUEUE_LENGTH = Gauge("voiceflow_speech_queue_length", "Requests that wait for a slot of a worker.")
SPEECH_QUEUE_SECONDS = Histogram(
    "voiceflow_speech_queue_seconds",
    "How long requests waited for a slot that was not free at once: served, refused, or left.",
    ["outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
SPEECH_WORKER_TROUBLES = Counter(
    "voiceflow_speech_worker_troubles", "Workers that failed a request, or said that they are busy.", ["kind"]
)
DEPLOYMENT_WAKES = Counter("voiceflow_deployment_wakes", "Sleeping deployments woken by a request.")
HISTORY_LOST = Counter("voiceflow_history_lost", "Answers that were to be kept in a history and were not.")
SPEECH_REPLAYS = Counter("voiceflow_speech_replays", "Answers given again under an idempotency key.")
# Of the whole platform, whichever process is asked.
DEPLOYMENTS_ACTIVE = Gauge(
    "voiceflow_deployments_active",
    "Deployments that are neither stopped nor failed; sleeping ones are among them.",
)
COST_PER_HOUR_USD = Gauge(
    "voiceflow_cost_per_hour_usd", "What all deployments that run now cost in an hour, in US dollars."
)
WEBHOOK_OLDEST_UNDELIVERED_SECONDS = Gauge(
    "voiceflow_webhook_oldest_undelivered_seconds",
    "Age of the oldest event that an enabled endpoint has not received and will be sent.",
)
API_KEYS_ACTIVE = Gauge("voiceflow_api_keys_active", "API keys that are neither revoked nor expired.")


def tell_from_database(gauge: Gauge, ask: Callable[[], int | float | Decimal]) -> None:
    """Asks whenever the gauge is read; without the database it is not a number, and the others are told."""

    def asked() -> float:
        try:
            return float(ask())
        except DatabaseError:
            return math.nan

    gauge.set_function(asked)
