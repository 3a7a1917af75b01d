"""`python -m bench.seed FILE`: an empty database becomes one with an organization, a key and two workers.

Standard input names the workers that run: a JSON list of `{"name", "engine", "url", "token"}`. FILE gets the
key's secret. Django reads its settings from the environment.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from apps.accounts.models import Organization

# Far above what one machine can ask, so that admission does its work and never refuses.
_GENEROUS = {"requests_per_minute": 10_000_000, "concurrent_requests": 10_000}


def seed(workers: list[dict[str, str]]) -> str:
    """The secret of a live key whose requests the workers may speak."""
    organization = make_organization()
    for worker in workers:
        _deploy(**worker)
    return make_key(organization, ["speech"])


def make_organization() -> Organization:
    """In a database that is empty before."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    from apps.accounts.models import User
    from apps.accounts.services import create_organization
    from apps.usage.models import OrganizationLimits

    owner = User.objects.create_user("bench@example.com", name="Bench")
    organization = create_organization(name="Bench", owner=owner)
    OrganizationLimits.objects.create(organization=organization, **_GENEROUS)
    return organization


def make_key(organization: Organization, scopes: list[str]) -> str:
    """The secret of a live key."""
    from apps.keys.services import issue_key

    owner = organization.memberships.get().user
    return issue_key(
        organization=organization, name="bench", mode="live", scopes=scopes, created_by=owner
    ).secret


def _deploy(*, name: str, engine: str, url: str, token: str) -> None:
    """Rows as deploying leaves them, for a worker that is ready."""
    from django.utils import timezone

    from apps.deployments.models import Deployment, Worker

    with urllib.request.urlopen(f"{url}/ready", timeout=5) as answer:  # noqa: S310 - loopback, by our own port
        capabilities: dict[str, Any] = json.load(answer)
    deployment = Deployment.objects.create(
        name=name, engine=engine, capabilities=capabilities, state=Deployment.State.READY
    )
    Worker.objects.create(
        deployment=deployment,
        provider_id=name,
        url=url,
        token=token,
        state=Worker.State.READY,
        capabilities=capabilities,
        last_seen_at=timezone.now(),
    )


if __name__ == "__main__":
    django.setup()
    Path(sys.argv[1]).write_text(seed(json.load(sys.stdin)))
