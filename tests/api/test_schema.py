"""The OpenAPI schema and its page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from apps.webhooks.catalogue import every_type

# Of a path or query that is too long: the server's own, before it asks us.
TOO_LONG = "414"
ERROR = "#/components/schemas/Error"
ERROR_OF_TAG = {
    "OpenAI": "#/components/schemas/OpenAIError",
    "ElevenLabs": "#/components/schemas/ElevenLabsError",
    "ElevenLabs account": "#/components/schemas/ElevenLabsError",
}
KEYS_OF_TAG = {
    "OpenAI": ["BearerKey", "ApiKey"],
    "ElevenLabs": ["XiApiKey", "ApiKey"],
    "ElevenLabs account": ["XiApiKey", "ApiKey"],
    "contributions": ["ConsoleSession"],
}


@pytest.fixture(autouse=True)
def static_root(settings: Any) -> None:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where it is missing


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def answers(operation: dict[str, Any]) -> dict[str, Any]:
    """Ours, by status."""
    return {status: answer for status, answer in operation["responses"].items() if status != TOO_LONG}


def test_it_is_valid_and_made_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yml"))
    assert (tmp_path / "schema.yml").read_text().startswith("openapi: 3")


def test_it_holds_every_path_of_the_api(schema: dict[str, Any]) -> None:
    assert set(schema["paths"]) >= {
        "/generate",
        "/api/jobs",
        "/api/jobs/{job_id}",
        "/api/jobs/{job_id}/cancel",
        "/api/jobs/{job_id}/resume",
        "/api/jobs/{job_id}/result",
        "/api/normalize",
        "/api/history",
        "/api/history/{item_id}",
        "/api/keys",
        "/api/keys/{key_id}",
        "/api/keys/{key_id}/rotate",
        "/api/deployments",
        "/api/deployments/{deployment_id}",
        "/api/deployments/{deployment_id}/start",
        "/api/deployments/{deployment_id}/stop",
        "/api/deployments/{deployment_id}/pause",
        "/api/deployments/{deployment_id}/resume",
        "/api/deployments/{deployment_id}/restart",
        "/api/deployments/{deployment_id}/sleep",
        "/api/deployments/{deployment_id}/wake",
        "/api/deployments/{deployment_id}/events",
        "/api/deployments/{deployment_id}/metrics",
        "/api/budget",
        "/api/spending",
        "/api/spending/resume",
        "/api/gpus",
        "/api/usage",
        "/api/stats",
        "/api/webhooks",
        "/api/webhooks/events",
        "/api/webhooks/{endpoint_id}",
        "/api/webhooks/{endpoint_id}/enable",
        "/api/webhooks/{endpoint_id}/disable",
        "/api/webhooks/{endpoint_id}/rotate",
        "/api/webhooks/{endpoint_id}/test",
        "/api/webhooks/{endpoint_id}/recover",
        "/api/webhooks/{endpoint_id}/deliveries",
        "/api/webhooks/deliveries/{delivery_id}",
        "/api/webhooks/deliveries/{delivery_id}/resend",
        "/api/webhooks/deliveries/{delivery_id}/cancel",
        "/v1/audio/speech",
        "/v1/models",
        "/v1/models/{model}",
        "/api/voices",
        "/api/voices/{voice_id}",
        "/api/voices/consent",
        "/api/voices/{voice_id}/consent/withdraw",
        "/elevenlabs/v1/text-to-speech/{voice_id}",
        "/elevenlabs/v1/text-to-speech/{voice_id}/stream",
        "/elevenlabs/v1/text-to-speech/{voice_id}/with-timestamps",
        "/elevenlabs/v1/text-to-speech/{voice_id}/stream/with-timestamps",
        "/elevenlabs/v1/models",
        "/elevenlabs/v1/user",
        "/elevenlabs/v1/user/subscription",
        "/elevenlabs/v1/voices",
        "/elevenlabs/v1/voices/add",
        "/elevenlabs/v1/voices/{voice_id}",
        "/elevenlabs/v2/voices",
    }


def test_every_operation_says_how_it_refuses(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        refusals = {status: answer for status, answer in answers(operation).items() if status >= "400"}
        assert {"401", "403", "503"} <= set(refusals), name
        for answer in refusals.values():
            assert answer["description"]
            shape = answer["content"]["application/json"]["schema"]["$ref"]
            assert shape == ERROR_OF_TAG.get(operation["tags"][0], ERROR), name


def test_every_answer_carries_its_request_id(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        for answer in answers(operation).values():
            assert "X-Request-Id" in answer["headers"], name


def test_each_kind_of_operation_has_its_own_refusals(schema: dict[str, Any]) -> None:
    found = {name: set(answers(operation)) for name, operation in operations(schema)}
    assert found["post /generate"] == {
        *("200", "400", "401", "402", "403", "404", "409", "413", "415", "422", "429", "502", "503")
    }
    assert found["post /v1/audio/speech"] == found["post /generate"]
    assert found["post /elevenlabs/v1/text-to-speech/{voice_id}"] == found["post /generate"]
    assert found["get /elevenlabs/v2/voices"] == {"200", "400", "401", "403", "422", "503"}
    assert found["post /elevenlabs/v1/voices/add"] == {
        *("200", "400", "401", "403", "413", "415", "422", "503")
    }
    assert found["get /v1/models"] == {"200", "401", "403", "503"}
    assert found["get /v1/models/{model}"] == {"200", "401", "403", "404", "503"}
    assert found["post /api/normalize"] == {"200", "400", "401", "403", "413", "415", "503"}
    assert found["post /api/jobs"] == {
        *("200", "201", "400", "401", "402", "403", "404", "409", "413", "415", "422", "429", "503")
    }
    assert found["post /api/jobs/{job_id}/cancel"] == {"200", "401", "403", "404", "409", "503"}
    assert found["delete /api/keys/{key_id}"] == {"204", "401", "403", "404", "503"}
    stopping = found["post /api/deployments/{deployment_id}/stop"]
    assert stopping == {"200", "401", "403", "404", "409", "503"}
    starting = found["post /api/deployments/{deployment_id}/start"]
    assert starting == {"200", "401", "402", "403", "404", "409", "503"}
    assert "402" in found["post /api/deployments"]
    assert found["get /api/budget"] == {"200", "401", "403", "404", "503"}
    assert found["put /api/budget"] == {"200", "400", "401", "403", "409", "413", "415", "503"}
    assert found["delete /api/budget"] == {"204", "401", "403", "503"}
    assert found["get /api/spending"] == {"200", "401", "403", "503"}
    assert found["get /api/stats"] == {"200", "400", "401", "403", "503"}
    one, its = "/api/webhooks/{endpoint_id}", "/api/webhooks/deliveries/{delivery_id}"
    assert found["get /api/webhooks/events"] == {"200", "401", "403", "503"}
    assert found[f"post {one}/enable"] == found[f"post {one}/disable"] == {"200", "401", "403", "404", "503"}
    assert found[f"post {one}/test"] == {*("202", "400", "401", "403", "404", "409", "413", "415", "503")}
    assert found[f"get {one}/deliveries"] == {"200", "400", "401", "403", "404", "503"}
    assert found[f"post {its}/resend"] == {"200", "401", "403", "404", "409", "503"}
    assert found["post /api/keys"] == {"201", "400", "401", "403", "409", "413", "415", "503"}


def test_what_has_a_path_or_query_to_fill_may_be_too_long(schema: dict[str, Any]) -> None:
    named = {name for name, operation in operations(schema) if TOO_LONG in operation["responses"]}
    assert {"get /api/stats", "get /elevenlabs/v2/voices", "delete /api/keys/{key_id}"} <= named
    assert not {"post /generate", "post /api/keys", "get /v1/models"} & named


def test_speech_takes_an_idempotency_key(schema: dict[str, Any]) -> None:
    operation = schema["paths"]["/generate"]["post"]
    names = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"}
    assert "Idempotency-Key" in names
    assert "Idempotent-Replayed" in operation["responses"]["200"]["headers"]


def test_security(schema: dict[str, Any]) -> None:
    assert schema["components"]["securitySchemes"]["ApiKey"] == {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
    }
    assert schema["components"]["securitySchemes"]["BearerKey"] == {"type": "http", "scheme": "bearer"}
    assert schema["components"]["securitySchemes"]["XiApiKey"] == {
        "type": "apiKey",
        "in": "header",
        "name": "xi-api-key",
    }
    by_key_alone = {"post /generate", "post /api/normalize"}
    for name, operation in operations(schema):
        kinds = [next(iter(scheme)) for scheme in operation["security"]]
        usual = ["ApiKey"] if name in by_key_alone else ["ApiKey", "ConsoleSession"]
        assert kinds == KEYS_OF_TAG.get(operation["tags"][0], usual), name


def test_what_is_sent_to_webhooks_is_in_it(schema: dict[str, Any]) -> None:
    sent = schema["x-webhooks"]
    assert list(sent) == [kind.name for kind in every_type()]
    operation = sent["key.created"]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    assert body["schema"]["properties"]["type"] == {"const": "key.created"}
    assert body["example"]["data"]["mode"] == "live"
    assert [header["name"] for header in operation["parameters"]] == [
        *("webhook-id", "webhook-timestamp", "webhook-signature")
    ]


def test_an_answered_error_is_of_the_shape_it_promises(client: Client, schema: dict[str, Any]) -> None:
    answer = client.get("/api/keys").json()
    promised = schema["components"]["schemas"]["Error"]["properties"]["error"]
    assert set(answer["error"]) == set(promised["required"]) == set(promised["properties"])


def test_it_is_served_to_everybody(client: Client) -> None:
    response = client.get("/api/schema")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/vnd.oai.openapi")


def test_its_page_needs_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs").content.decode()
    assert "/api/schema" in page
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) >= 3
    for file in files:
        assert file.startswith("/static/")
        assert finders.find(file.removeprefix("/static/")), file
