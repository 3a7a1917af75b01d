"""`python -m bench.deployments_seed FILE`: an organization that may manage, with a paced deployment.

The engine `tone` is nothing that customers may choose, so its deployment is made here, and stopped: whoever
wants it starts it. FILE gets the key's secret and the deployment's id as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django

from bench.seed import make_key, make_organization


def seed(scale_up_delay_seconds: int) -> dict[str, str]:
    organization = make_organization()
    from apps.deployments import services, shared
    from apps.deployments.models import Deployment
    from apps.deployments.specification import Scaling
    from apps.deployments.states import State

    # There from the first start on, it would speak what the others are to be woken for.
    Deployment.objects.create(
        name=shared.SHARED_NAME, engine=shared.SHARED_ENGINE, state=State.STOPPED, desired_replicas=0
    )
    one = Scaling(1, 1, scale_up_delay_seconds=scale_up_delay_seconds, concurrent_per_replica=1)
    tone = services.create_deployment(
        organization=organization, name="tone", engine=Deployment.Engine.TONE, scaling=one
    )
    services.stop_deployment(tone)
    return {"key": make_key(organization, ["speech", "manage"]), "tone": str(tone.pk)}


if __name__ == "__main__":
    django.setup()
    Path(sys.argv[1]).write_text(json.dumps(seed(**json.load(sys.stdin))))
