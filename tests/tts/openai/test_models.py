"""GET /v1/models and /v1/models/{id} through OpenAI's SDK."""

from __future__ import annotations

import time

import openai
import pytest

from apps.deployments.models import Worker
from apps.keys.services import issue_key
from tests.gpu_worker.worker_process import WorkerProcess
from tests.platform import Tenant, deploy, until, wait_for_route

OPENAIS = {"tts-1", "tts-1-hd", "gpt-4o-mini-tts"}


def test_models_are_ours_and_openais_names(cpu: Worker, tone: Worker, client: openai.OpenAI) -> None:
    page = client.models.list()
    assert page.object == "list"
    assert {model.id for model in page} == {"hibari", "tone", *OPENAIS}
    for model in page:
        assert (model.object, model.owned_by) == ("model", "voiceflow")
        assert 0 <= time.time() - model.created < 600


def test_a_model_by_name(cpu: Worker, client: openai.OpenAI) -> None:
    for name in ("hibari", "tts-1", "gpt-4o-mini-tts-2025-12-15"):
        model = client.models.retrieve(name)
        assert (model.id, model.object, model.owned_by) == (name, "model", "voiceflow")


@pytest.mark.parametrize("name", ["gpt-4o", "tts-2", "tts-1-hd-", "a/b", "ä ö", "%"])
def test_a_model_that_is_not_there(cpu: Worker, client: openai.OpenAI, name: str) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve(name)
    assert refused.value.type == "invalid_request_error"
    assert refused.value.code == ("unknown_url" if "/" in name else "model_not_found")


async def test_async(cpu: Worker, async_client: openai.AsyncOpenAI) -> None:
    assert "hibari" in {model.id async for model in async_client.models.list()}


def test_nothing_is_listed_while_nothing_is_there(acme: Tenant, client: openai.OpenAI) -> None:
    until(lambda: client.models.list().data == [], what="the rows of the test before")
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("tts-1")


def test_ones_own_models_are_nobody_elses(
    acme: Tenant, rival: Tenant, cpu: Worker, tone_worker: WorkerProcess, client: openai.OpenAI
) -> None:
    deploy(tone_worker, name="own", organization=acme.organization)
    wait_for_route(acme, model="tone")
    own = {model.id: model.owned_by for model in client.models.list()}
    assert (own["tone"], own["hibari"]) == ("organization", "voiceflow")
    theirs = client.with_options(api_key=rival.live).models.list()
    assert {model.id for model in theirs} == {"hibari", *OPENAIS}
    tester = client.with_options(api_key=acme.test)
    assert "tone" not in {model.id for model in tester.models.list()}


def test_any_key_will_do_and_a_key_it_takes(acme: Tenant, cpu: Worker, client: openai.OpenAI) -> None:
    manager = issue_key(
        organization=acme.organization, name="m", mode="live", scopes=["manage"], created_by=None
    )
    assert client.with_options(api_key=manager.secret).models.list().data
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="nonsense").models.list()
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="nonsense").models.retrieve("tts-1")
    assert acme.client.head("/v1/models", headers={"X-API-Key": acme.live}).status_code == 200
