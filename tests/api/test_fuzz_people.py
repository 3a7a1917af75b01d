"""The contributors' API against its own schema: as `test_fuzz.py`, for whom no key opens it but a session."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from apps.accounts.models import User
from apps.contributions import people
from apps.contributions.models import Campaign, Clip, ConsentRecord
from tests.api.test_fuzz import CHECKS
from tests.contributions import collecting
from tests.platform import Tenant

pytestmark = pytest.mark.slow

OPERATIONS = [
    "contributions_balance",
    "contributions_campaigns_get",
    "contributions_campaigns_list",
    "contributions_clips_audio",
    "contributions_clips_create",
    "contributions_clips_delete",
    "contributions_clips_get",
    "contributions_clips_list",
    "contributions_consent_give",
    "contributions_consent_texts",
    "contributions_consents_list",
    "contributions_consents_withdraw",
    "contributions_earnings_list",
    "contributions_erase",
    "contributions_export",
    "contributions_listen_audio",
    "contributions_listen_list",
    "contributions_listen_report",
    "contributions_listen_vote",
    "contributions_payouts_list",
    "contributions_profile_get",
    "contributions_profile_update",
    "contributions_prompts_list",
    "contributions_prompts_report",
]


@pytest.fixture
def schema(acme: Tenant) -> Any:
    return schemathesis.openapi.from_url(f"{acme.server.url}/api/schema")


@pytest.fixture
def campaign(acme: Tenant) -> Campaign:
    return collecting.campaign(acme.organization)


def real_ids(user: User, campaign: Campaign, path: str) -> dict[str, str]:
    """Of what this person may reach, made anew where an earlier call may have ended it."""
    person, other = people.contributor_of(user), collecting.speaker()
    for contributor in (person, other):
        collecting.agree(contributor, campaign)
    prompt = campaign.prompts.all()[0]
    owner = other if "/listen/" in path else person
    Clip.objects.filter(contributor=owner).update(state=Clip.State.REJECTED)
    clip = collecting.clip(owner, prompt, flac_key="clips/none.flac")
    consent = ConsentRecord.objects.filter(contributor=person, withdrawal=None)[0]
    found = {"campaign_id": campaign, "prompt_id": prompt, "clip_id": clip, "consent_id": consent}
    return {name: str(row.pk) for name, row in found.items()}


def test_every_operation_of_people_is_fuzzed(schema: Any) -> None:
    found = {result.ok().definition.raw["operationId"] for result in schema.get_all_operations()}
    assert {name for name in found if name.startswith("contributions_")} == set(OPERATIONS)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_answers_are_those_of_the_schema(
    acme: Tenant, campaign: Campaign, schema: Any, operation_id: str
) -> None:
    operation = schema.find_operation_by_id(operation_id)
    user = User.objects.create_user("ada@speaker.example")
    browser = Client()
    browser.force_login(user)
    token = secrets.token_hex(16)
    cookies = {"csrftoken": token, "sessionid": browser.cookies["sessionid"].value}

    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(*map(_cases(operation), GenerationMode)), is_real=st.booleans())
    def fuzz(case: Any, is_real: bool) -> None:
        if is_real and case.path_parameters:
            ids = real_ids(user, campaign, operation.path)
            case.path_parameters = {name: ids[name] for name in case.path_parameters}
        response = case.call(cookies=cookies, headers={"X-CSRFToken": token}, timeout=20)
        case.validate_response(response, checks=CHECKS)

    fuzz()


def _cases(operation: Any) -> Any:
    return lambda mode: operation.as_strategy(generation_mode=mode)
