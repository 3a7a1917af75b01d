"""The states of a deployment and the one table of what may follow what."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.db import models


class State(models.TextChoices):
    REQUESTED = "requested", "Requested"
    PROVISIONING = "provisioning", "Provisioning"
    STARTING = "starting", "Starting"
    READY = "ready", "Ready"
    ASLEEP = "asleep", "Asleep"
    DEGRADED = "degraded", "Degraded"
    UPDATING = "updating", "Updating"
    PAUSED = "paused", "Paused"
    DRAINING = "draining", "Draining"
    STOPPING = "stopping", "Stopping"
    STOPPED = "stopped", "Stopped"
    FAILED = "failed", "Failed"


_S = State

TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        _S.REQUESTED: frozenset({_S.PROVISIONING, _S.STOPPING, _S.FAILED}),
        _S.PROVISIONING: frozenset({_S.STARTING, _S.STOPPING, _S.FAILED}),
        _S.STARTING: frozenset({_S.READY, _S.ASLEEP, _S.DEGRADED, _S.DRAINING, _S.FAILED}),
        _S.READY: frozenset({_S.ASLEEP, _S.DEGRADED, _S.UPDATING, _S.PAUSED, _S.DRAINING, _S.FAILED}),
        _S.ASLEEP: frozenset({_S.STARTING, _S.READY, _S.UPDATING, _S.PAUSED, _S.DRAINING, _S.FAILED}),
        _S.DEGRADED: frozenset({_S.READY, _S.ASLEEP, _S.UPDATING, _S.PAUSED, _S.DRAINING, _S.FAILED}),
        _S.UPDATING: frozenset({_S.READY, _S.ASLEEP, _S.DEGRADED, _S.DRAINING, _S.FAILED}),
        _S.PAUSED: frozenset({_S.STARTING, _S.STOPPING, _S.FAILED}),
        _S.DRAINING: frozenset({_S.STOPPING, _S.FAILED}),
        _S.STOPPING: frozenset({_S.STOPPED, _S.FAILED}),
        _S.STOPPED: frozenset({_S.REQUESTED}),
        _S.FAILED: frozenset({_S.REQUESTED, _S.STOPPING}),
    }
)

# A worker of such a deployment that is ready may be sent requests.
SERVING = frozenset({_S.STARTING, _S.READY, _S.DEGRADED, _S.UPDATING})
# Its provider is meant to run nothing for such a deployment.
AT_REST = frozenset({_S.STOPPED, _S.FAILED})
# Somebody ended it: what only it could speak is unknown from now on, not merely away.
ENDED = frozenset({_S.DRAINING, _S.STOPPING, _S.STOPPED})


def is_allowed(current: State, following: State) -> bool:
    return following in TRANSITIONS[current]
