"""The API against its own schema, with requests that nobody thought of: no 5xx, and only what is promised."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from apps.accounts.models import Organization
from apps.contributions.models import Release
from apps.deployments.budgets import set_budget
from apps.deployments.models import Deployment, Worker
from apps.deployments.states import State
from apps.keys import secrets
from apps.keys.models import ApiKey
from apps.keys.services import issue_key
from apps.tts.jobs.models import SpeechJob
from apps.usage.services import set_limits
from apps.voices import statements
from apps.voices.consents import accept_terms
from apps.voices.models import Voice
from apps.webhooks.models import Endpoint
from tests.contributions import collecting
from tests.gpu_worker.voices.recordings import recording
from tests.platform import Tenant
from tests.tts.history_rows import item
from tests.tts.jobs.rows import job_rows
from tests.usage.rows import record
from tests.voices.recordings import actor, clone
from tests.webhooks.rows import URL, attempt, delivery, endpoint

pytestmark = pytest.mark.slow

OPERATIONS = (
    "budget_get",
    "budget_remove",
    "budget_set",
    "campaigns_get",
    "campaigns_list",
    "campaigns_releases_links",
    "campaigns_releases_list",
    "deployments_change",
    "deployments_create",
    "deployments_delete",
    "deployments_events",
    "deployments_get",
    "deployments_list",
    "deployments_metrics",
    "deployments_pause",
    "deployments_restart",
    "deployments_resume",
    "deployments_sleep",
    "deployments_start",
    "deployments_stop",
    "deployments_wake",
    "elevenlabs_add_voice",
    "elevenlabs_convert",
    "elevenlabs_convert_with_timestamps",
    "elevenlabs_delete_voice",
    "elevenlabs_get_subscription",
    "elevenlabs_get_user",
    "elevenlabs_get_voice",
    "elevenlabs_list_models",
    "elevenlabs_list_voices",
    "elevenlabs_search_voices",
    "elevenlabs_stream",
    "elevenlabs_stream_with_timestamps",
    "generate",
    "gpus",
    "history_delete",
    "history_delete_all",
    "history_get",
    "history_list",
    "jobs_cancel",
    "jobs_create",
    "jobs_delete",
    "jobs_get",
    "jobs_list",
    "jobs_result",
    "jobs_resume",
    "keys_change",
    "keys_create",
    "keys_get",
    "keys_list",
    "keys_revoke",
    "keys_rotate",
    "normalize",
    "openai_create_speech",
    "openai_list_models",
    "openai_retrieve_model",
    "spending",
    "spending_resume",
    "stats",
    "usage_list",
    "voices_consent",
    "voices_create",
    "voices_delete",
    "voices_get",
    "voices_list",
    "voices_update",
    "voices_withdraw",
    "webhooks_cancel",
    "webhooks_change",
    "webhooks_create",
    "webhooks_delete",
    "webhooks_deliveries",
    "webhooks_delivery",
    "webhooks_disable",
    "webhooks_enable",
    "webhooks_events",
    "webhooks_get",
    "webhooks_list",
    "webhooks_recover",
    "webhooks_resend",
    "webhooks_rotate",
    "webhooks_test",
)
NEW_VOICE = {
    "file": recording(),
    "consent": "true",
    "consent_version": statements.current_consent().version,
}
# Their answer depends on how far the job or the release is that is asked for.
NOT_NOW = {"campaigns_releases_links", "jobs_result", "jobs_resume"}
# They take nothing that could be wrong.
WITHOUT_INPUT = {
    "budget_get",
    "budget_remove",
    "elevenlabs_get_subscription",
    "elevenlabs_get_user",
    "elevenlabs_list_models",
    "elevenlabs_list_voices",
    "gpus",
    "spending",
    "spending_resume",
    "voices_consent",
    "webhooks_events",
}
# From where a deployment can take the step; all others it can take while it is ready.
STATES = {"start": State.STOPPED, "resume": State.PAUSED, "wake": State.ASLEEP}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
def schema(acme: Tenant) -> Any:
    return schemathesis.openapi.from_url(f"{acme.server.url}/api/schema")


@pytest.fixture
def generous(acme: Tenant) -> Tenant:
    """A tenant that the limits do not stop; its texts are short, so that speech takes no time."""
    set_limits(
        organization=acme.organization,
        requests_per_minute=1_000_000,
        concurrent_requests=100,
        characters_per_request=40,
    )
    for name in ("one", "two"):
        issue_key(
            organization=acme.organization, name=name, mode="live", scopes=["speech"], created_by=acme.owner
        )
        record(acme.organization, key=ApiKey.objects.get(name=name), ttfb_ms=12.0, total_ms=40.0)
    set_budget(acme.organization, monthly_usd=Decimal(1000), stops=False)
    clone(acme.organization, acme.owner)
    for _ in range(30):
        job_rows(acme.organization, ApiKey.objects.get(name="one"))
    accept_terms(
        organization=acme.organization, version=statements.current_terms().version, by=actor(acme.owner)
    )
    return acme


def test_every_operation_is_fuzzed(schema: Any) -> None:
    found = {result.ok().definition.raw["operationId"] for result in schema.get_all_operations()}
    by_people = {name for name in found if name.startswith("contributions_")}  # test_fuzz_people.py
    assert found - by_people == set(OPERATIONS)


def deployment_in(organization: Organization, state: State) -> Deployment:
    made = Deployment(organization=organization, name=f"made-{uuid4()}", engine="cpu", state=state)
    made.keep_secrets({"HIDDEN": "value"})
    made.save(force_insert=True)
    return made


def make_real(case: Any, key_id: str) -> None:
    """What nobody guesses: an id that is there, a text that can be spoken by a voice that is there."""
    if "key_id" in (case.path_parameters or {}):
        case.path_parameters["key_id"] = key_id
    if "voice_id" in (case.path_parameters or {}):
        case.path_parameters["voice_id"] = str(Voice.objects.get(category="cloned").pk)
    if "item_id" in (case.path_parameters or {}):
        organization = ApiKey.objects.get(pk=key_id).organization
        case.path_parameters["item_id"] = str(item(organization).pk)
    if "deployment_id" in (case.path_parameters or {}):
        state = STATES.get(case.operation.path.rpartition("/")[2], State.READY)
        made = deployment_in(ApiKey.objects.get(pk=key_id).organization, state)
        case.path_parameters["deployment_id"] = str(made.pk)
    if "campaign_id" in (case.path_parameters or {}):
        campaign = collecting.campaign(ApiKey.objects.get(pk=key_id).organization)
        case.path_parameters["campaign_id"] = str(campaign.pk)
        if "version" in case.path_parameters:
            Release.objects.create(campaign=campaign, version=1, seed="0" * 64, frozen_at=timezone.now())
            case.path_parameters["version"] = 1
    if "/api/webhooks" in case.operation.path:
        make_real_webhook(case, ApiKey.objects.get(pk=key_id).organization)
    if case.operation.label == "PUT /api/budget" and isinstance(case.body, dict):
        case.body |= {"monthly_usd": "1000.00"}
    if case.operation.label == "POST /api/deployments" and isinstance(case.body, dict):
        case.body = {"name": f"fuzzed-{uuid4()}", "engine": "cpu"}
    if case.operation.label == "POST /api/voices":
        case.body = NEW_VOICE | {"name": f"Voice {uuid4()}"}
    if "job_id" in (case.path_parameters or {}):
        case.path_parameters["job_id"] = str(SpeechJob.objects.present().latest("id").pk)
    if case.operation.path == "/elevenlabs/v1/voices/add":
        case.body = {"files": [recording()], "name": f"Voice {uuid4()}"}
    if case.operation.path in {"/generate", "/api/jobs"} and isinstance(case.body, dict):
        case.body |= {"text": "Hello there.", "model": None, "voice": None}
    if case.operation.path == "/v1/audio/speech" and isinstance(case.body, dict):
        case.body |= {"input": "Hello there.", "model": "tts-1", "voice": "alloy"}
    if "/text-to-speech/" in case.operation.path and isinstance(case.body, dict):
        case.path_parameters["voice_id"] = "heart"
        case.body |= {
            "text": "Hello there.",
            "model_id": "eleven_v3",
            "language_code": None,
            "voice_settings": {},
        }
    if "model" in (case.path_parameters or {}):
        case.path_parameters["model"] = "hibari"


def make_real_webhook(case: Any, organization: Organization) -> None:
    Endpoint.objects.all().delete()  # there may be so many and no more
    made = endpoint(organization).endpoint
    waiting = delivery(made)
    attempt(waiting)
    real = {"endpoint_id": str(made.pk), "delivery_id": str(waiting.pk)}
    case.path_parameters = {name: real[name] for name in case.path_parameters or {}}
    if isinstance(case.body, dict):
        told = {"url": URL, "events": ["key.*"], "headers": {"X-Route": "blue"}, "description": "Fuzzed"}
        case.body |= {name: value for name, value in told.items() if name in case.body}
        case.body |= {"type": "key.created"} if "type" in case.body else {}
        case.body |= {"since": "2026-01-01T00:00:00Z"} if "since" in case.body else {}
    if "type" in (case.query or {}):
        case.query["type"] = "key.*"


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_answers_are_those_of_the_schema(
    generous: Tenant, cpu: Worker, schema: Any, operation_id: str, mode: GenerationMode
) -> None:
    if mode is GenerationMode.NEGATIVE and operation_id in WITHOUT_INPUT:
        return
    operation = schema.find_operation_by_id(operation_id)
    statuses: set[int] = set()
    real_ids = [str(key.pk) for key in ApiKey.objects.filter(name__in=["one", "two"])]

    @settings(
        max_examples=16,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), real_id=st.sampled_from([None, *real_ids]))
    def fuzz(case: Any, real_id: str | None) -> None:
        if real_id:
            make_real(case, real_id)
        response = case.call(headers={"X-API-Key": generous.live}, timeout=20)
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    fuzz()
    if mode is GenerationMode.POSITIVE:
        wanted = {409} if operation_id in NOT_NOW else {200, 201, 202, 204}
        assert statuses & wanted, "nothing was let in, so nothing was tried"


@pytest.mark.parametrize(
    "key",
    ["nonsense", "vf_live_" + "0" * 36, secrets.generate("live")],
    ids=["nonsense", "checksum", "unknown"],
)
def test_no_key_gets_past(generous: Tenant, schema: Any, key: str) -> None:
    for operation_id in OPERATIONS:
        operation = schema.find_operation_by_id(operation_id)
        path = operation.path.replace("{version}", "1")
        path = re.sub(r"{\w+}", str(generous.organization.pk), path)
        response = generous.client.request(operation.method, path, json={}, headers={"X-API-Key": key})
        assert response.status_code == 401, operation_id
