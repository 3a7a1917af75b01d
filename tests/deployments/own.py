"""What tests of the deployment pages share."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Organization
from apps.deployments.models import Deployment
from tests.deployments.tables import deployment as row

NEW = {
    "name": "reader",
    "engine": "cpu",
    "kind": "serverless",
    "gpu": "a6000-48gb",
    "gpu_count": "2",
    "is_spot": "yes",
    "min_replicas": "0",
    "max_replicas": "4",
    "scale_up_delay_seconds": "20",
    "scale_down_delay_seconds": "600",
    "concurrent_per_replica": "",
}
SCALES = {"kind": "serverless", "min_replicas": 0, "max_replicas": 3}


@pytest.fixture(autouse=True)
def demo_mode(settings: Any) -> None:
    settings.DEMO_MODE = True
    settings.LOCAL_CHATTERBOX_PYTHON = ""


def own(organization: Organization, **fields: Any) -> Deployment:
    """A deployment of an organization, ready without a worker."""
    return row(**{"name": "reader", "organization": organization} | SCALES | fields)
