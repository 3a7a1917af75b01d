"""Idempotency-Key on /v1/audio/speech: OpenAI's client sends it where told to, and reads our answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
import pytest

from apps.accounts.services import set_history_days
from apps.deployments.models import Worker
from apps.tts.models import HistoryItem, IdempotentAnswer
from tests.gpu_worker.worker_process import running_worker
from tests.platform import Tenant, deploy, until, wait_for_route
from tests.tts.openai.conftest import Trace

KEY = {"Idempotency-Key": "order-4711"}
SPEECH: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": "Hello there."}


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
def test_the_same_call_again_gets_the_same_answer(
    acme: Tenant, cpu: Worker, client: openai.OpenAI, stream_format: Any
) -> None:
    answers = [
        client.audio.speech.with_raw_response.create(**SPEECH, stream_format=stream_format, extra_headers=KEY)
        for _ in range(2)
    ]
    first, again = (answer.content for answer in answers)
    assert again == first
    assert len(first) > 1000
    assert "Idempotent-Replayed" not in answers[0].headers
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert answers[1].headers["Content-Type"] == answers[0].headers["Content-Type"]
    assert len(acme.records()) == 1


def test_another_call_is_a_conflict_that_is_not_retried(
    acme: Tenant, cpu: Worker, client: openai.OpenAI, trace: Trace
) -> None:
    client.audio.speech.create(**SPEECH, extra_headers=KEY)
    with pytest.raises(openai.ConflictError) as refused:
        client.audio.speech.create(**SPEECH | {"input": "Another."}, extra_headers=KEY | trace.headers)
    assert refused.value.code == "idempotency_mismatch"
    trace.attempts(1)
    assert refused.value.response.headers["x-should-retry"] == "false"


def test_events_that_end_in_an_error_free_the_key(acme: Tenant, tmp_path: Path) -> None:
    """To HTTP such an answer is whole."""
    set_history_days(organization=acme.organization, days=1)
    body = {"model": "tone", "voice": "tone", "input": "A tone of some length. " * 40, "stream_format": "sse"}
    with running_worker(tmp_path, ENGINE="tone", THREADS="1", TONE_REAL_TIME_FACTOR="0.2") as fragile:
        deploy(fragile, name="fragile")
        wait_for_route(acme, model="tone")
        headers = {"X-API-Key": acme.live, **KEY}
        with acme.client.stream("POST", "/v1/audio/speech", json=body, headers=headers) as response:
            assert response.status_code == 200, response.read()
            lines = response.iter_lines()
            next(lines)
            fragile.stop()
            assert any('"error"' in line for line in lines)
    until(lambda: not IdempotentAnswer.objects.exists(), what="the key to be free")
    assert acme.settled().state == "cut"
    assert not HistoryItem.objects.filter(surface="openai").exists()


def test_of_events_the_history_keeps_the_audio(acme: Tenant, cpu: Worker, client: openai.OpenAI) -> None:
    set_history_days(organization=acme.organization, days=1)
    client.audio.speech.create(**SPEECH, stream_format="sse")
    until(HistoryItem.objects.exists, what="the history")
    item = HistoryItem.objects.get()
    audio = (acme.server.folder / "media" / item.media_key).read_bytes()
    assert (item.surface, item.format, item.text) == ("openai", "mp3", "Hello there.")
    assert audio[0] == 0xFF or audio[:3] == b"ID3"
