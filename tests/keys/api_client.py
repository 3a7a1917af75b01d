"""A caller of the management API, in process."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from apps.accounts.models import Organization
from apps.keys.services import IssuedKey, issue_key


def issue(organization: Organization, **fields: Any) -> IssuedKey:
    asked = {"name": "Server", "mode": "live", "scopes": ["manage"], "created_by": None} | fields
    return issue_key(organization=organization, **asked)


class ApiClient:
    """Sends a key with each request; `acme_api = ApiClient(acme)` has one of its own that manages."""

    def __init__(self, organization: Organization, **fields: Any) -> None:
        self.issued = issue(organization, **fields)
        self._client = Client()
        self._headers = {"X-API-Key": self.issued.secret}

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(path, query, headers=self._headers)

    def post(self, path: str, body: Any) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._client.post(path, sent, content_type="application/json", headers=self._headers)

    def patch(self, path: str, body: Any) -> Any:
        return self._client.patch(
            path, json.dumps(body).encode(), content_type="application/json", headers=self._headers
        )

    def put(self, path: str, body: Any) -> Any:
        return self._client.put(
            path, json.dumps(body).encode(), content_type="application/json", headers=self._headers
        )

    def delete(self, path: str) -> Any:
        return self._client.delete(path, headers=self._headers)


def error_of(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"code", "message", "param", "request_id"}
    assert error["request_id"] == response["X-Request-Id"]
    return error
