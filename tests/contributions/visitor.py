"""A contributor in front of the pages and the API: a client that is signed in."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID, uuid4

from django.test import Client

from apps.contributions.models import Contributor, Prompt
from tests.cast import signed_in

API = "/api/contributions"


def client_of(contributor: Contributor) -> Client:
    assert contributor.user is not None
    return signed_in(contributor.user)


def send(
    client: Client,
    prompt: Prompt | UUID,
    *,
    upload_id: Any = None,
    content: bytes | None = None,
    duration_ms: Any = 4_000,
    **changed: Any,
) -> Any:
    """A recording of which nobody looks what is in it: checking is the pipeline's."""
    sent = uuid4().bytes * 50 if content is None else content
    form = {
        "upload_id": str(upload_id or uuid4()),
        "prompt_id": str(prompt.pk if isinstance(prompt, Prompt) else prompt),
        "duration_ms": str(duration_ms),
        "recording": io.BytesIO(sent),
    }
    form["recording"].name = "take.webm"  # type: ignore[attr-defined]
    return client.post(f"{API}/clips", {**form, **changed})
