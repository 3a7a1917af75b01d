"""/metrics is for Prometheus and for staff."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-at-least-sixteen"


def test_prometheus_reads_it_with_the_token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert "voiceflow_deployments_active 0.0" in answer.content.decode()


@pytest.mark.parametrize("sent", [None, "Bearer wrong", f"Basic {TOKEN}", "Bearer ", "Bearer ünï"])
@pytest.mark.parametrize("token", [TOKEN, ""])
def test_for_others_there_is_no_such_page(settings: Any, token: str, sent: str | None) -> None:
    settings.METRICS_TOKEN = token
    headers = {} if sent is None else {"Authorization": sent}
    assert Client().get("/metrics", headers=headers).status_code == 404


def test_staff_read_it_and_customers_do_not() -> None:
    client = Client()
    client.force_login(User.objects.create_user("carla@acme.example"))
    assert client.get("/metrics").status_code == 404
    client.force_login(User.objects.create_superuser("staff@example.com"))
    assert client.get("/metrics").status_code == 200
    assert client.post("/metrics").status_code == 405
