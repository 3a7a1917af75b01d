"""What tests of webhooks' pages share."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Organization, User
from apps.webhooks import recovery
from apps.webhooks.models import Attempt, Delivery, Endpoint
from apps.webhooks.services import IssuedSecret, create_endpoint

NEW = {"url": "https://hooks.example.com/voice", "description": "Production", "which": "all"}
HOSTILE = "</code></pre><script>alert(1)</script><img src=x onerror=alert(2)>\u202e&lt;"
TABS = ("deliveries", "test", "recover", "secret", "settings")


@pytest.fixture
def issued(acme: Organization, alice: User) -> IssuedSecret:
    return create_endpoint(
        organization=acme,
        url="https://hooks.example.com/voice",
        description="Production",
        created_by=alice,
        headers={"authorization": "Bearer s3cret-of-theirs"},
    )


@pytest.fixture
def endpoint(issued: IssuedSecret) -> Endpoint:
    return issued.endpoint


def sent(endpoint: Endpoint, name: str = "job.completed", **change: Any) -> Delivery:
    """A delivery with one attempt."""
    delivery = recovery.send_test(endpoint, name)
    Attempt.objects.create(
        delivery_id=delivery.pk,
        number=1,
        **{
            "outcome": "delivered",
            "status": 200,
            "duration_ms": 84,
            "request_headers": {"webhook-id": "evt_1", "authorization": "•••"},
            "response_headers": {"server": "nginx"},
            "response_body": "ok",
            **change,
        },
    )
    state = "delivered" if change.get("outcome", "delivered") == "delivered" else "failed"
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state, attempts=1, last_status=change.get("status", 200), last_problem=change.get("problem", "")
    )
    delivery.refresh_from_db()
    return delivery


def page(client: Client, path: str, **query: str) -> str:
    response = client.get(path, query)
    assert response.status_code == 200, response.content.decode()
    return response.content.decode()


def secret_in(html: str) -> str:
    found = re.search(r'<code class="copy-value"[^>]*>(whsec_[^<]+)</code>', html)
    assert found, "no secret on this page"
    return found[1]


def log_of(html: str) -> list[str]:
    return re.findall(r'id="delivery-[^"]+" href="[^"]+">([\w.]+)</a>', html)
