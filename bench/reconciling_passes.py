"""`python -m bench.reconciling_passes FILE`: has Celery look after all deployments, again and again.

FILE gets, for each pass, when it was asked for and when the last of those that were due was looked at, by the
clock of the machine, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import django

_LOOK_SECONDS = 0.02
_MOST_SECONDS = 60.0
# As far apart as the schedule's, or further: what is kept for five seconds is asked for anew.
_APART_SECONDS = 6.0


def passes(rounds: int) -> list[tuple[float, float]]:
    return [_one_pass() for _ in range(rounds)]


def _one_pass() -> tuple[float, float]:
    from django.utils import timezone

    from apps.deployments.models import Deployment
    from apps.deployments.states import State
    from voiceflow.celery import app

    time.sleep(_APART_SECONDS)
    now = timezone.now()
    # Quiet ones are looked at every half minute, one after another: in this pass none is due.
    Deployment.objects.filter(state=State.READY).update(looked_at=now)
    left = Deployment.objects.filter(state=State.STARTING).exclude(looked_at__gt=now)
    began = time.time()
    app.send_task("apps.deployments.tasks.reconcile")
    while left.exists():
        if time.time() - began > _MOST_SECONDS:
            raise SystemExit(f"{left.count()} were not looked at within {_MOST_SECONDS:g} s.")
        time.sleep(_LOOK_SECONDS)
    return began, time.time()


if __name__ == "__main__":
    django.setup()
    Path(sys.argv[1]).write_text(json.dumps(passes(**json.load(sys.stdin))))
