"""Doing in admin what a person does with checkboxes."""

from __future__ import annotations

from typing import Any

from django.test import Client


def act(client: Client, url: str, action: str, *rows: Any) -> str:
    """Runs an action on chosen rows of a list and answers the page that follows."""
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    response = client.post(url, body, follow=True)
    assert response.status_code == 200
    return response.content.decode()
