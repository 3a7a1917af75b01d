"""The samples of the docs that make endpoints and send again, run as they stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.webhooks.models import Delivery, Endpoint, EndpointSecret
from tests.e2e.docs_samples import run_sample
from tests.e2e.test_deployment_samples import cases
from tests.platform import Tenant
from tests.webhooks.rows import cause, delivery, endpoint


@pytest.mark.parametrize("language", cases("webhooks"))
def test_an_endpoint_is_made_and_tried(acme: Tenant, tmp_path: Path, language: str) -> None:
    printed = run_sample(acme, "webhooks", language, folder=tmp_path)
    made = Endpoint.objects.get(organization=acme.organization)
    assert (made.url, made.events) == ("https://example.com/webhooks", ["job.*", "deployment.failed"])
    assert EndpointSecret.objects.get(endpoint=made).secret in printed
    if language != "curl":
        sent = Delivery.objects.get(endpoint=made)
        assert (sent.event_type, sent.event.is_test) == ("job.completed", True)
        assert f"job.completed {sent.state}" in printed


@pytest.mark.parametrize("language", cases("recovering"))
def test_what_failed_is_sent_again(acme: Tenant, tmp_path: Path, language: str) -> None:
    Endpoint.objects.all().delete()
    made = endpoint(acme.organization, events=["key.revoked"]).endpoint
    failed = delivery(made, state="failed", last_status=500, last_problem="status")
    Endpoint.objects.update(disabled_at=failed.created_at, disabled_because="by_person")
    cause(acme.organization, "key.revoked")
    Endpoint.objects.update(disabled_at=None, disabled_because="")
    printed = run_sample(acme, "recovering", language, folder=tmp_path)
    assert "key.created 500 status" in printed
    assert f"2 sent again to {made.url}" in printed
    assert set(Delivery.objects.values_list("state", flat=True)) == {"pending"}
