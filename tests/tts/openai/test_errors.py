"""Every error of OpenAI's SDK, and how often it asked before it raised it."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from apps.accounts.services import set_suspended
from apps.deployments.models import Worker
from apps.keys.services import issue_key
from apps.usage.services import set_limits
from tests.platform import Tenant
from tests.tts.openai.conftest import Trace


def speak(client: openai.OpenAI, trace: Trace, **fields: Any) -> Any:
    asked: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": "Hi.", **fields}
    headers = trace.headers | asked.pop("extra_headers", {})
    return client.audio.speech.create(extra_headers=headers, **asked)


def told(error: openai.APIStatusError) -> tuple[str | None, str | None, str | None]:
    assert error.request_id
    assert error.request_id.startswith("trace-")
    assert error.message
    return error.type, error.code, error.param


def limit(acme: Tenant, **limits: Any) -> None:
    names = ("requests_per_minute", "concurrent_requests", "characters_per_request")
    set_limits(organization=acme.organization, **dict.fromkeys(names) | limits)


def test_what_is_wrong_is_said_once(acme: Tenant, cpu: Worker, client: openai.OpenAI, trace: Trace) -> None:
    with pytest.raises(openai.BadRequestError) as bad:
        speak(client, trace, speed=9)
    assert told(bad.value) == ("invalid_request_error", None, "speed")
    with pytest.raises(openai.BadRequestError) as long:
        speak(client, trace, input="x" * 4097)
    assert told(long.value) == ("invalid_request_error", "string_above_max_length", "input")
    with pytest.raises(openai.NotFoundError) as model:
        speak(client, trace, model="gpt-5")
    assert told(model.value) == ("invalid_request_error", "model_not_found", "model")
    assert "hibari" in model.value.message
    with pytest.raises(openai.NotFoundError) as voice:
        speak(client, trace, voice="nobody")
    assert told(voice.value) == ("invalid_request_error", "voice_not_found", "voice")
    with pytest.raises(openai.UnprocessableEntityError) as mute:
        speak(client, trace, input="👋👋")
    assert told(mute.value) == ("invalid_request_error", "cannot_speak", "input")
    trace.attempts(5)


def test_a_text_over_the_organizations_limit(
    acme: Tenant, cpu: Worker, client: openai.OpenAI, trace: Trace
) -> None:
    limit(acme, characters_per_request=10)
    acme.generate("Hi.")  # admission finds what is cached to be stale
    with pytest.raises(openai.BadRequestError) as refused:
        speak(client, trace, input="Eleven char")
    assert told(refused.value) == ("invalid_request_error", "string_above_max_length", "input")


def test_keys(acme: Tenant, cpu: Worker, client: openai.OpenAI, trace: Trace) -> None:
    with pytest.raises(openai.AuthenticationError) as unknown:
        speak(client.with_options(api_key="sk-nonsense"), trace)
    assert told(unknown.value) == ("authentication_error", "invalid_api_key", None)
    manager = issue_key(
        organization=acme.organization, name="m", mode="live", scopes=["manage"], created_by=None
    )
    with pytest.raises(openai.PermissionDeniedError) as scope:
        speak(client.with_options(api_key=manager.secret), trace)
    assert told(scope.value) == ("permission_error", "missing_scope", None)
    set_suspended(organization=acme.organization, suspended=True)
    with pytest.raises(openai.PermissionDeniedError) as suspended:
        speak(client, trace)
    assert told(suspended.value) == ("permission_error", "organization_suspended", None)
    trace.attempts(3)


def test_an_idempotency_key_with_another_body_is_not_asked_again(
    acme: Tenant, cpu: Worker, client: openai.OpenAI, trace: Trace
) -> None:
    once = {"Idempotency-Key": "order-4711"}
    first = speak(client, trace, extra_headers=once)
    again = speak(client, trace, extra_headers=once)
    assert again.content == first.content
    assert again.response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(openai.ConflictError) as refused:
        speak(client, trace, input="Something else.", extra_headers=once)
    assert told(refused.value)[0] == "invalid_request_error"
    assert refused.value.response.headers["x-should-retry"] == "false"
    trace.attempts(3)
    assert len(acme.records()) == 1


def test_too_many_at_once_is_asked_again_and_then_raised(
    acme: Tenant, tone: Worker, client: openai.OpenAI, trace: Trace
) -> None:
    limit(acme, concurrent_requests=1)
    held = client.audio.speech.with_streaming_response.create(
        model="tone", voice="tone", input="A tone of some length. " * 80, response_format="pcm"
    )
    with held, pytest.raises(openai.RateLimitError) as refused:
        speak(client, trace, model="tone", voice="tone")
    assert told(refused.value) == ("requests", "rate_limit_exceeded", None)
    assert "at once" in refused.value.message
    assert float(refused.value.response.headers["retry-after-ms"]) > 0
    trace.attempts(3)


def test_over_the_rate_the_sdk_waits_as_long_as_it_is_told_and_gets_in(
    acme: Tenant, cpu: Worker, client: openai.OpenAI, trace: Trace
) -> None:
    limit(acme, requests_per_minute=30)
    impatient = client.with_options(max_retries=0)
    with pytest.raises(openai.RateLimitError) as refused:
        [speak(impatient, Trace(acme.server)) for _ in range(60)]
    assert told(refused.value) == ("requests", "rate_limit_exceeded", None)
    headers = refused.value.response.headers
    assert 0 < float(headers["retry-after-ms"]) <= 2000
    assert float(headers["retry-after"]) * 1000 >= float(headers["retry-after-ms"])
    assert headers["x-ratelimit-limit-requests"] == "30"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert speak(client, trace).content
    trace.attempts(2)


def test_a_quota_that_is_used_up_is_not_asked_again(
    acme: Tenant, cpu: Worker, client: openai.OpenAI, trace: Trace
) -> None:
    limit(acme, characters_per_month=20)
    with pytest.raises(openai.RateLimitError) as refused:
        speak(client, trace, input="This is longer than twenty characters.")
    assert told(refused.value) == ("insufficient_quota", "insufficient_quota", None)
    headers = refused.value.response.headers
    assert headers["x-should-retry"] == "false"
    assert not {"retry-after", "retry-after-ms"} & set(headers)
    trace.attempts(1)
    assert acme.records() == []


def test_nobody_there_to_speak_is_asked_again_after_the_time_that_it_says(
    acme: Tenant, client: openai.OpenAI, trace: Trace
) -> None:
    with pytest.raises(openai.InternalServerError) as refused:
        speak(client, trace)
    assert told(refused.value) == ("server_error", "no_worker_ready", None)
    assert refused.value.status_code == 503
    headers = refused.value.response.headers
    assert headers["x-should-retry"] == "true"
    assert float(headers["retry-after-ms"]) == float(headers["retry-after"]) * 1000
    assert headers["connection"] == "close"
    trace.attempts(3)
    assert acme.records() == []


def test_a_plan_without_the_shared_pool_is_not_asked_again(
    acme: Tenant, cpu: Worker, client: openai.OpenAI, trace: Trace
) -> None:
    limit(acme, may_use_shared_pool=False)
    acme.generate("Hi.")  # as above
    with pytest.raises(openai.InternalServerError) as refused:
        speak(client, trace)
    assert told(refused.value) == ("server_error", "no_deployment_for_model", None)
    assert refused.value.response.headers["x-should-retry"] == "false"
    trace.attempts(1)


async def test_async(cpu: Worker, async_client: openai.AsyncOpenAI, trace: Trace) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        await async_client.audio.speech.create(
            model="gpt-5", voice="alloy", input="Hi.", extra_headers=trace.headers
        )
    assert told(refused.value) == ("invalid_request_error", "model_not_found", "model")
