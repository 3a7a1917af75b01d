"""What a test can let go wrong at the stand-in of Verda."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.deployments.verda.stand_in_steps import Api, token, up, with_token
from tests.fakes.verda import FakeVerda
from tests.fakes.verda.faults import Kind
from tests.fakes.verda.specs import deployment_spec, instance_spec, scaling_spec


@pytest.fixture
def verda() -> Iterator[FakeVerda]:
    with FakeVerda() as fake:
        yield fake


@pytest.fixture
def api(verda: FakeVerda) -> Iterator[Api]:
    with with_token(verda) as api:
        yield api


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("expired_token", 401, "unauthorized_request"),
        ("insufficient_funds", 402, "insufficient_funds"),
        ("forbidden", 403, "forbidden_action"),
        ("not_found", 404, "not_found"),
        ("conflict", 409, "invalid_request"),
        ("rate_limited", 429, "too_many_requests"),
        ("server_error", 500, "server_error"),
        ("unavailable", 503, "service_unavailable"),
        ("message_only", 400, None),
    ],
)
def test_an_error_comes_as_often_as_it_was_asked_for(
    verda: FakeVerda, api: Api, kind: Kind, status: int, code: str | None
) -> None:
    verda.faults.add("/balance", times=2, kind=kind)
    for _ in range(2):
        answer = api("GET", "/balance")
        assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert api("GET", "/balance").status_code == 200


def test_a_fault_befalls_only_its_path_and_method(verda: FakeVerda, api: Api) -> None:
    verda.faults.add("/container-deployments*", "POST", kind="rate_limited", seconds=7)
    assert api("GET", "/container-deployments").status_code == 200
    refused = api("POST", "/container-deployments", deployment_spec())
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert verda.containers == {}
    with pytest.raises(ValueError, match="no fault"):
        verda.faults.add("/x", kind="gremlins")  # type: ignore[arg-type]


def test_a_refresh_token_dies(verda: FakeVerda) -> None:
    verda.faults.add("/oauth2/token", kind="dead_refresh_token")
    refresh = token(verda).json()["refresh_token"]
    assert token(verda, grant_type="refresh_token", refresh_token=refresh).status_code == 401
    assert token(verda, grant_type="refresh_token", refresh_token=refresh).status_code == 200


def test_a_gateway_answers_in_html(verda: FakeVerda, api: Api) -> None:
    verda.faults.add("/balance", kind="bad_gateway")
    answer = api("GET", "/balance")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert answer.text.startswith("<html>")


def test_a_connection_is_dropped_before_or_after_the_work(verda: FakeVerda, api: Api) -> None:
    for kind, made in (("dropped_before", []), ("dropped_after", ["vf-tts"])):
        verda.faults.add("/container-deployments", "POST", kind=kind)  # type: ignore[arg-type]
        with pytest.raises(requests.ConnectionError):
            api("POST", "/container-deployments", deployment_spec())
        assert list(verda.containers) == made
    assert [call.status for call in verda.calls.to("/container-deployments", "POST")] == [None, None]


def test_an_answer_is_slow(verda: FakeVerda, api: Api) -> None:
    verda.faults.add("/balance", kind="slow", seconds=0.02)
    assert api("GET", "/balance").elapsed.total_seconds() >= 0.02


def test_an_answer_is_not_as_expected(verda: FakeVerda, api: Api) -> None:
    up(verda, api)
    path = "/container-deployments/vf-tts"
    verda.faults.add(path + "/status", kind="unknown_status", value="pondering")
    assert api("GET", path + "/status").json() == {"status": "pondering"}
    verda.faults.add(path, kind="extra_fields")
    assert "brand_new_field" in api("GET", path).json()
    verda.faults.add("/container-deployments", kind="missing_fields", names=("endpoint_base_url",))
    assert "endpoint_base_url" not in api("GET", "/container-deployments").json()[0]
    verda.faults.add("/instances", "POST", kind="json_id")
    made = api("POST", "/instances", instance_spec()).json()
    assert made == {"id": next(iter(verda.instances))}


def test_what_was_deleted_may_cost_on(verda: FakeVerda, api: Api) -> None:
    up(verda, api, scaling=scaling_spec(min_replica_count=1))
    id = api("POST", "/instances", instance_spec()).text
    verda.clock.advance(90)
    verda.faults.add("/container-deployments/*", "DELETE", kind="bills_on")
    verda.faults.add("/instances", "PUT", kind="bills_on")
    assert api("DELETE", "/container-deployments/vf-tts").status_code == 204
    assert api("PUT", "/instances", {"id": id, "action": "delete"}).status_code == 204
    verda.clock.advance(60)
    assert (verda.containers, verda.instances) == ({}, {})
    bill, balance = verda.bill(), verda.balance
    verda.clock.advance(600)
    assert verda.bill() - bill == balance - verda.balance > 0


def test_a_deletion_may_be_ignored(verda: FakeVerda, api: Api) -> None:
    up(verda, api)
    verda.faults.add("/container-deployments/*", kind="delete_ignored")
    assert api("DELETE", "/container-deployments/vf-tts").status_code == 204
    assert list(verda.containers) == ["vf-tts"]


def test_calls_are_counted(verda: FakeVerda, api: Api) -> None:
    up(verda, api)
    for _ in range(3):
        api("GET", "/container-deployments/vf-tts/status")
    assert verda.calls.count("/container-deployments/*", "GET") == 3
    assert verda.calls.counts()["POST /container-deployments"] == 1
    assert verda.calls.to("/container-deployments", "POST")[0].body["name"] == "vf-tts"
