"""Why no slot is free for a request, for how long that will be so, and what the caller is told."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from django.utils import timezone

from apps.core.errors import Unavailable
from apps.deployments.catalogue import Known, Need
from apps.deployments.load import seconds_until_served
from apps.deployments.slots import Slots
from apps.deployments.states import State

# What nothing is known of, and what takes longer than it should.
UNKNOWN_SECONDS = 5.0
OVERDUE_SECONDS = 2.0
_COMING_UP = frozenset({State.REQUESTED, State.PROVISIONING, State.STARTING, State.UPDATING})
# Of these nobody becomes ready by itself.
_AT_A_STANDSTILL = frozenset({State.PAUSED, State.FAILED})


class Outlook(Enum):
    """BUSY: a slot will be freed. ASLEEP: somebody must be woken. COMING: a worker will be ready. NONE."""

    BUSY = "busy"
    ASLEEP = "asleep"
    COMING = "coming"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Patience:
    """Until when a request waits, on the monotonic clock: for busy workers, and for one that must start."""

    busy_until: float
    start_until: float

    def until(self, outlook: Outlook) -> float:
        if outlook is Outlook.NONE:
            return 0.0
        return self.busy_until if outlook is Outlook.BUSY else self.start_until


@dataclass(frozen=True, slots=True)
class Prospect:
    """`seconds` is when to come back; `opens_at`, on the monotonic clock, when the first may have a slot."""

    outlook: Outlook
    seconds: float
    asleep: Known | None = None
    opens_at: float = 0.0

    def refusal(self) -> Unavailable:
        """What a caller is told who does not wait, or waited in vain."""
        about = self._about()
        match self.outlook:
            case Outlook.BUSY:
                return self.busy()
            case Outlook.ASLEEP:
                code = "deployment_asleep"
                message = (
                    f"What speaks this was asleep and is being woken, which takes {about}. "
                    "Come back then, or send `Prefer: wait=` with as many seconds as you would wait."
                )
            case Outlook.COMING:
                code = "speech_unavailable"
                message = f"No worker is ready to speak this. Try again in {about}."
            case Outlook.NONE:
                code = "speech_unavailable"
                message = "What speaks this is paused or has failed. Try again later."
        return Unavailable(message, code=code, retry_after_seconds=self.seconds)

    def busy(self) -> Unavailable:
        """For a full queue as well, whatever those in it wait for."""
        return Unavailable(
            f"Every worker that can speak this is busy. Try again in {self._about()}.",
            code="system_busy",
            retry_after_seconds=self.seconds,
        )

    def _about(self) -> str:
        return f"about {max(1, math.ceil(self.seconds))} s"


def prospect_of(
    slots: Slots, need: Need, tried: Collection[UUID] = (), *, notice_seconds: float = 0.0
) -> Prospect:
    """Of a request that found no slot; `notice_seconds` is how late this process hears of a new worker."""
    now = time.monotonic()
    able = slots.able(need, tried)
    loads = [slots.load_of(target) for target in able]
    if any(load.failing_until <= now for load in loads):
        ahead = sum(waiter.need.model == need.model for waiter in slots.queue)
        opens_at = min(load.rests_until for load in loads)
        return Prospect(Outlook.BUSY, seconds_until_served(loads, ahead, now), opens_at=opens_at)
    deployments = slots.table.deployments_for(need)
    seconds = min(map(_seconds_until_ready, deployments), default=UNKNOWN_SECONDS) + notice_seconds
    asleep = next((known for known in deployments if known.state is State.ASLEEP), None)
    # A worker that failed a moment ago, or did this very request, is no reason to start others.
    if asleep is not None and not slots.able(need):
        return Prospect(Outlook.ASLEEP, asleep.start_seconds + notice_seconds, asleep=asleep)
    if all(known.state in _AT_A_STANDSTILL for known in deployments):
        return Prospect(Outlook.NONE, UNKNOWN_SECONDS)
    return Prospect(Outlook.COMING, seconds)


def _seconds_until_ready(known: Known) -> float:
    if known.state in _AT_A_STANDSTILL:
        return UNKNOWN_SECONDS
    if known.state not in _COMING_UP:
        return known.start_seconds
    elapsed = (timezone.now() - known.state_changed_at).total_seconds()
    return max(known.start_seconds - elapsed, OVERDUE_SECONDS)
