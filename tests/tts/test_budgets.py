"""A budget for deployments that is used up: each surface says so in its words, and no client comes back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest
from django.utils import timezone
from elevenlabs.core.api_error import ApiError

from apps.deployments.models import Budget, Worker
from tests.gpu_worker.worker_process import WorkerProcess
from tests.platform import Tenant, deploy, forget_usage, until, wait_for_route
from tests.tts.elevenlabs.conftest import client_of
from tests.tts.openai.conftest import Trace, trace

__all__ = ["trace"]

WORDS = "budget for deployments is used up this month"
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "generate": ("/generate", {"text": "Hi."}),
    "openai": ("/v1/audio/speech", {"input": "Hi.", "model": "tts-1", "voice": "alloy"}),
    "elevenlabs": ("/elevenlabs/v1/text-to-speech/heart", {"text": "Hi."}),
}


@pytest.fixture
def used_up(acme: Tenant, cpu_worker: WorkerProcess) -> Worker:
    """A deployment of acme's own, and nothing left to pay for it."""
    worker = deploy(cpu_worker, name="own", organization=acme.organization)
    wait_for_route(acme, model="hibari")
    Budget.objects.create(
        organization=acme.organization,
        monthly_usd=Decimal(1),
        stops=True,
        exhausted_at=timezone.now(),
    )
    until(lambda: acme.generate("Hi.").status_code == 402, what="the server to know it")
    forget_usage(acme)
    return worker


def told(surface: str, response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    return body["detail"] if surface == "elevenlabs" else body["error"]


@pytest.mark.parametrize("surface", CALLS)
def test_it_is_refused_in_the_words_of_each_surface(acme: Tenant, used_up: Worker, surface: str) -> None:
    path, body = CALLS[surface]
    response = acme.api("POST", path, json=body)
    assert response.status_code == 402
    assert response.headers["x-should-retry"] == "false"
    assert not {"retry-after", "retry-after-ms"} & set(response.headers)
    error = told(surface, response)
    assert WORDS in error.pop("message")
    request_id = response.headers["X-Request-Id"]
    assert (
        error
        == {
            "generate": {"code": "budget_exhausted", "param": None, "request_id": request_id},
            "openai": {"type": "insufficient_quota", "code": "budget_exhausted", "param": None},
            "elevenlabs": {"status": "budget_exhausted", "param": None, "request_id": request_id},
        }[surface]
    )
    assert acme.records() == []


def test_no_sdk_comes_back_by_itself(acme: Tenant, used_up: Worker, trace: Trace) -> None:
    client = openai.OpenAI(base_url=f"{acme.server.url}/v1", api_key=acme.live)
    with client, pytest.raises(openai.APIStatusError) as refused:
        client.audio.speech.create(model="tts-1", voice="alloy", input="Hi.", extra_headers=trace.headers)
    assert (refused.value.status_code, refused.value.code) == (402, "budget_exhausted")
    trace.attempts(1)
    with httpx.Client() as http, pytest.raises(ApiError) as theirs:
        b"".join(client_of(acme, http).text_to_speech.convert("heart", text="Hi."))
    assert (theirs.value.status_code, theirs.value.body["detail"]["status"]) == (402, "budget_exhausted")


def test_what_the_shared_ones_speak_goes_on(acme: Tenant, used_up: Worker, cpu_worker: WorkerProcess) -> None:
    shared = deploy(cpu_worker, name="shared-cpu")
    until(lambda: acme.generate("Hi.").status_code == 200, what="the server to know it")
    assert acme.settled().deployment_id == shared.deployment_id


def test_a_job_is_refused_before_it_begins(acme: Tenant, used_up: Worker) -> None:
    response = acme.api("POST", "/api/jobs", json={"text": "Hi."})
    assert (response.status_code, response.json()["error"]["code"]) == (402, "budget_exhausted")
    assert response.headers["x-should-retry"] == "false"
