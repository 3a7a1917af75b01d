"""What happens to jobs, told to whoever asked: `job.completed` and `job.failed`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from apps.tts.jobs.models import SpeechJob

Event = Literal["job.completed", "job.failed"]
Subscriber = Callable[[Event, SpeechJob], None]

_subscribers: list[Subscriber] = []


def subscribe(subscriber: Subscriber) -> None:
    """Called in the transaction that ends the job, so that what it writes stands or falls with that.

    In `AppConfig.ready`; a subscriber that is there already is not added again.
    """
    if subscriber not in _subscribers:
        _subscribers.append(subscriber)


def emit(event: Event, job: SpeechJob) -> None:
    for subscriber in _subscribers:
        subscriber(event, job)
