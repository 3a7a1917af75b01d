"""`python -m bench.reconciling_rows FILE`: deployments at Verda as a platform of some age has them.

Those that are moving are made as customers make them, and begun at what stands in for Verda; the others are
rows as such a life leaves them. FILE gets their names at Verda as JSON.
"""

from __future__ import annotations

import json
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import django

from bench.instant_worker import READINESS

if TYPE_CHECKING:
    from apps.deployments.models import Deployment

_QUIET_IN_TEN = 1


def make(deployments: int, moving: int) -> list[str]:
    """The names of all but those that are moving, which Verda does not know yet."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    from apps.deployments import reconciliation
    from apps.deployments.models import Deployment
    from apps.deployments.services import create_deployment
    from apps.deployments.specification import Hardware, Scaling
    from voiceflow.celery import app

    for number in range(moving):
        made = create_deployment(
            organization=None,
            name=f"moving-{number}",
            engine="cpu",
            provider="verda",
            kind="serverless",
            scaling=Scaling(),
            hardware=Hardware(gpu="a100-40gb"),
        )
        reconciliation.reconcile_deployment(made.pk)
    app.control.purge()  # they were looked at
    rows = Deployment.objects.bulk_create(_resting(number) for number in range(deployments - moving))
    _serve([row for row in rows if row.state == Deployment.State.READY])
    return [f"vf-{row.pk.hex}" for row in rows]


def _resting(number: int) -> Deployment:
    """Nine of ten sleep, the tenth is ready and was not used for long."""
    from django.utils import timezone

    from apps.deployments.models import Deployment

    is_ready = number % 10 < _QUIET_IN_TEN
    return Deployment(
        name=f"resting-{number}",
        engine="cpu",
        provider="verda",
        kind="serverless",
        gpu="a100-40gb",
        state=Deployment.State.READY if is_ready else Deployment.State.ASLEEP,
        state_changed_at=timezone.now() - timedelta(days=1),
        looked_at=timezone.now(),
        min_replicas=0,
        max_replicas=3,
        desired_replicas=int(is_ready),
        capabilities=dict(READINESS),
        worker_token=secrets.token_urlsafe(32),
    )


def _serve(ready: list[Deployment]) -> None:
    """Their workers are known, and what was last told to Verda is what is wanted."""
    from django.conf import settings

    from apps.deployments import wishes
    from apps.deployments.models import Deployment, Worker

    Worker.objects.bulk_create(
        Worker(
            deployment=row,
            provider_id=f"vf-{row.pk.hex}",
            url=f"{settings.VERDA_BASE_URL.removesuffix('/v1')}/data/vf-{row.pk.hex}",
            state=Worker.State.READY,
            capabilities=dict(READINESS),
            token=row.worker_token,
            last_seen_at=row.looked_at,
        )
        for row in ready
    )
    for row in ready:
        row.told = wishes.wanted(row).digest
    Deployment.objects.bulk_update(ready, ["told"])


if __name__ == "__main__":
    django.setup()
    Path(sys.argv[1]).write_text(json.dumps(make(**json.load(sys.stdin))))
