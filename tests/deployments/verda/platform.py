"""The platform set up for the stand-in: its settings, and a deployment there step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from apps.accounts.models import Organization
from apps.deployments import prices, services
from apps.deployments.models import Deployment
from apps.deployments.providers import verda_setup
from apps.deployments.specification import Hardware, Scaling
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.steps import look
from tests.fakes.verda import FakeVerda

IMAGE = "ghcr.io/acme/worker:1.0.0"


def set_up(settings: Any, verda: FakeVerda, worker: FakeWorker) -> None:
    """As an operator's environment would; behind every address stands `worker`."""
    settings.DEMO_MODE = False
    settings.VERDA_CLIENT_ID = verda.client_id
    settings.VERDA_CLIENT_SECRET = verda.client_secret
    settings.VERDA_BASE_URL = verda.base_url
    settings.VERDA_INFERENCE_KEY = verda.inference_key
    settings.VERDA_WORKER_PORT = urlsplit(worker.url).port
    settings.VERDA_CALLS_A_SECOND = 1000
    settings.DEFAULT_WORKER_IMAGE = IMAGE
    verda.backend = worker.url
    verda_setup.forget_lists()
    prices.sample()


def deployed(
    kind: str = Deployment.Kind.SERVERLESS,
    *,
    organization: Organization | None = None,
    scaling: Scaling | None = None,
    **hardware: Any,
) -> Deployment:
    fixed = Scaling.fixed(1) if kind == Deployment.Kind.DEDICATED else Scaling()
    return services.create_deployment(
        organization=organization,
        name="speech",
        engine="chatterbox",
        provider="verda",
        kind=kind,
        scaling=scaling or fixed,
        hardware=Hardware(gpu="a100-40gb", **hardware),
    )


def passes(verda: FakeVerda, seconds: float, *looked_at: Deployment) -> None:
    """That long by the stand-in's clock, then a look by a process that keeps no lists yet."""
    verda.clock.advance(seconds)
    verda_setup.forget_lists()
    for deployment in looked_at:
        look(deployment)


def until(verda: FakeVerda, deployment: Deployment, so: Callable[[], object], seconds: float = 20) -> None:
    """Looks again and again, that long apart."""
    for _ in range(30):
        verda_setup.forget_lists()
        look(deployment)
        if so():
            return
        verda.clock.advance(seconds)
    raise AssertionError(f"still {deployment.state}: {deployment.error_message}")
