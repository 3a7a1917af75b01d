"""Models, subscription and user with ElevenLabs' own clients; keys, scopes and paths that are nobody's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from elevenlabs import AsyncElevenLabs, ElevenLabs
from elevenlabs.core.api_error import ApiError

from apps.accounts.services import set_suspended
from apps.deployments.models import Worker
from apps.keys.services import issue_key
from apps.usage.services import set_limits
from apps.voices import statements
from apps.voices.consents import accept_terms
from tests.platform import SENTENCES, Tenant
from tests.tts.elevenlabs.conftest import client_of
from tests.voices.recordings import actor, clone

CALLS = [
    ("GET", "/v1/voices"),
    ("GET", "/v2/voices"),
    ("GET", "/v1/voices/heart"),
    ("DELETE", "/v1/voices/heart"),
    ("POST", "/v1/voices/add"),
    ("GET", "/v1/models"),
    ("GET", "/v1/user"),
    ("GET", "/v1/user/subscription"),
    ("POST", "/v1/text-to-speech/heart"),
    ("POST", "/v1/text-to-speech/heart/stream"),
    ("POST", "/v1/text-to-speech/heart/with-timestamps"),
    ("POST", "/v1/text-to-speech/heart/stream/with-timestamps"),
]


def call(tenant: Tenant, method: str, path: str, *, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"xi-api-key": key}
    return tenant.client.request(method, f"/elevenlabs{path}", headers=headers)


def test_models_are_a_bare_array(acme: Tenant, cpu: Worker, tone: Worker, client: ElevenLabs) -> None:
    models = {model.model_id: model for model in client.models.list()}
    assert set(models) == {"hibari", "tone"}
    hibari = models["hibari"]
    assert hibari.can_do_text_to_speech
    assert hibari.languages is not None
    assert [(language.language_id, language.name) for language in hibari.languages] == [("en", "English")]
    assert hibari.maximum_text_length_per_request == 5000
    with httpx.Client() as http:
        tests = client_of(acme, http, key=acme.test).models.list()
    assert [model.model_id for model in tests] == ["hibari"]


def test_the_subscription_tells_what_is_used_up(acme: Tenant, cpu: Worker, client: ElevenLabs) -> None:
    set_limits(
        organization=acme.organization,
        requests_per_minute=None,
        concurrent_requests=None,
        characters_per_request=None,
        characters_per_month=10_000,
    )
    b"".join(client.text_to_speech.convert("heart", text=SENTENCES))
    acme.settled()
    clone(acme.organization, acme.owner)
    told = client.user.subscription.get()
    assert (told.character_count, told.character_limit) == (len(SENTENCES), 10_000)
    assert (told.voice_slots_used, told.voice_limit) == (1, 10)
    assert (told.tier, told.status) == ("standard", "active")
    assert told.can_use_instant_voice_cloning is False
    resets = datetime.fromtimestamp(told.next_character_count_reset_unix or 0, UTC)
    assert (resets.day, resets.hour) == (1, 0)
    assert resets > datetime.now(UTC)
    accept_terms(
        organization=acme.organization, version=statements.current_terms().version, by=actor(acme.owner)
    )
    assert client.user.subscription.get().can_use_instant_voice_cloning is True


def test_a_keys_own_quota_counts_where_it_is_nearer(acme: Tenant, cpu: Worker, client: ElevenLabs) -> None:
    b"".join(client.text_to_speech.convert("heart", text="Hi."))
    acme.settled()
    key = issue_key(
        organization=acme.organization,
        name="small",
        mode="live",
        scopes=["speech"],
        created_by=acme.owner,
        characters_per_month=50,
    ).secret
    with httpx.Client() as http:
        own = client_of(acme, http, key=key).user.subscription.get()
    assert (own.character_count, own.character_limit) == (0, 50)


def test_a_used_up_quota_is_theirs_to_read(acme: Tenant, cpu: Worker, client: ElevenLabs) -> None:
    set_limits(
        organization=acme.organization,
        requests_per_minute=None,
        concurrent_requests=None,
        characters_per_request=None,
        characters_per_month=10,
    )
    with pytest.raises(ApiError) as caught:
        b"".join(client.text_to_speech.convert("heart", text=SENTENCES))
    assert (caught.value.status_code, caught.value.body["detail"]["status"]) == (401, "quota_exceeded")


def test_the_user_is_the_organization(acme: Tenant, client: ElevenLabs) -> None:
    user = client.user.get()
    assert user.user_id == user.workspace_id == str(acme.organization.pk)
    assert user.first_name == acme.organization.name
    assert user.subscription.character_count == 0
    assert acme.live.startswith(user.xi_api_key_preview or "nothing")
    assert acme.live not in str(user)


async def test_the_asynchronous_client_reads_the_account(
    acme: Tenant, cpu: Worker, async_client: AsyncElevenLabs
) -> None:
    assert [model.model_id for model in await async_client.models.list()] == ["hibari"]
    assert (await async_client.user.subscription.get()).tier == "standard"
    assert (await async_client.user.get()).is_new_user is False


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_no_call_goes_without_a_key(acme: Tenant, method: str, path: str) -> None:
    for key, word in ((None, "needs_authorization"), ("nonsense", "invalid_api_key")):
        response = call(acme, method, path, key=key)
        assert response.status_code == 401
        assert response.json()["detail"]["status"] == word
        assert response.headers["request-id"] == response.json()["detail"]["request_id"]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_suspended_organization_does_nothing(acme: Tenant, method: str, path: str) -> None:
    set_suspended(organization=acme.organization, suspended=True)
    response = call(acme, method, path, key=acme.live)
    assert (response.status_code, response.json()["detail"]["status"]) == (403, "organization_suspended")


def test_scopes(acme: Tenant, cpu: Worker) -> None:
    keys = {
        scope: issue_key(
            organization=acme.organization, name=scope, mode="live", scopes=[scope], created_by=acme.owner
        ).secret
        for scope in ("speech", "manage")
    }
    for method, path in CALLS:
        changes = path == "/v1/voices/add" or method == "DELETE"
        speaks = "text-to-speech" in path or path == "/v1/models"
        for scope, key in keys.items():
            response = call(acme, method, path, key=key)
            refused = response.status_code == 401
            assert refused is ((changes and scope == "speech") or (speaks and scope == "manage")), path
            if refused:
                assert response.json()["detail"]["status"] == "missing_permissions"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/history", 404),
        ("POST", "/", 404),
        ("GET", "/v1/voices/", 404),
        ("GET", "/v1/text-to-speech/heart", 405),
        ("PUT", "/v1/text-to-speech/heart/stream", 405),
        ("POST", "/v1/models", 405),
        ("POST", "/v1/voices", 405),
        ("PATCH", "/v1/user", 405),
        ("GET", "/%F0%9F%91%8B%0A", 404),
    ],
)
def test_what_is_nobodys_is_refused_in_their_shape(acme: Tenant, method: str, path: str, status: int) -> None:
    response = call(acme, method, path, key=acme.live)
    assert response.status_code == status
    detail: dict[str, Any] = response.json()["detail"]
    assert detail["status"] == {404: "not_found", 405: "method_not_allowed"}[status]
    assert response.headers["request-id"] == detail["request_id"]


def test_a_body_that_is_too_large_is_refused_in_their_shape(acme: Tenant) -> None:
    response = acme.client.post(
        "/elevenlabs/v1/text-to-speech/heart",
        json={"text": "x" * 1_100_000},
        headers={"xi-api-key": acme.live},
    )
    assert response.status_code == 413
    assert response.json()["detail"]["status"] == "payload_too_large"


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"text"', b"\xff", b"[" * 100_000, b'{"text": NaN}'])
def test_a_body_that_is_no_object_is_unprocessable(acme: Tenant, cpu: Worker, body: bytes) -> None:
    response = acme.client.post(
        "/elevenlabs/v1/text-to-speech/heart",
        content=body,
        headers={"xi-api-key": acme.live, "Content-Type": "application/json"},
    )
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][0] == "body"
