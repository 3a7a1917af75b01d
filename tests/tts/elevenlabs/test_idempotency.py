"""Idempotency-Key and history under /elevenlabs: every call that speaks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from apps.accounts.services import set_history_days
from apps.deployments.models import Worker
from apps.tts.models import HistoryItem
from tests.platform import Tenant, until

CALLS = pytest.mark.parametrize("call", ["", "/stream", "/with-timestamps", "/stream/with-timestamps"])
KEY = "order-4711"


def speak(tenant: Tenant, call: str, text: str = "Hello there.", query: str = "") -> httpx.Response:
    body: dict[str, Any] = {"text": text}
    headers = {"xi-api-key": tenant.live, "Idempotency-Key": KEY}
    path = f"/elevenlabs/v1/text-to-speech/heart{call}{query}"
    return tenant.client.post(path, json=body, headers=headers)


@CALLS
def test_the_same_call_again_gets_the_same_answer(acme: Tenant, cpu: Worker, call: str) -> None:
    first, again = speak(acme, call), speak(acme, call)
    assert first.status_code == 200, first.text
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    for name in ("Content-Type", "character-cost"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["request-id"] == again.headers["X-Request-Id"] != first.headers["request-id"]
    assert len(acme.records()) == 1


def test_another_call_is_a_conflict_in_their_words(acme: Tenant, cpu: Worker) -> None:
    speak(acme, "")
    for other in (
        speak(acme, "", "Another."),
        speak(acme, "/stream"),
        speak(acme, "", query="?enable_logging=true"),
    ):
        assert other.status_code == 409
        assert other.json()["detail"]["status"] == "idempotency_mismatch"
    assert len(acme.records()) == 1


@CALLS
def test_the_history_keeps_the_audio_whatever_it_came_in(acme: Tenant, cpu: Worker, call: str) -> None:
    set_history_days(organization=acme.organization, days=1)
    assert speak(acme, call).status_code == 200
    until(HistoryItem.objects.exists, what="the history")
    item = HistoryItem.objects.get()
    assert (item.surface, item.format, item.text) == ("elevenlabs", "mp3", "Hello there.")
    audio = (acme.server.folder / "media" / item.media_key).read_bytes()
    assert audio[0] == 0xFF or audio[:3] == b"ID3"
    assert len(audio) == item.size_bytes
