"""What Verda refuses, its stand-in refuses; what happens there by time, happens here by the virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.deployments.verda.stand_in_steps import Api, eventually, token, up, with_token
from tests.fakes.verda import FakeVerda
from tests.fakes.verda.specs import container_spec, deployment_spec, instance_spec, scaling_spec


@pytest.fixture
def verda() -> Iterator[FakeVerda]:
    with FakeVerda() as fake:
        yield fake


@pytest.fixture
def api(verda: FakeVerda) -> Iterator[Api]:
    with with_token(verda) as api:
        yield api


# ---- tokens -----------------------------------------------------------------------------------------------
def test_a_token_expires_and_a_refresh_token_works_once(verda: FakeVerda, api: Api) -> None:
    assert api("GET", "/balance").json() == {"amount": 100.0, "currency": "usd"}
    refresh = token(verda).json()["refresh_token"]
    verda.clock.advance(3600)
    stale = api("GET", "/balance")
    assert (stale.status_code, stale.json()["code"]) == (401, "unauthorized_request")
    assert token(verda, grant_type="refresh_token", refresh_token=refresh).status_code == 200
    assert token(verda, grant_type="refresh_token", refresh_token=refresh).status_code == 401


def test_tokens_can_be_taken_away(verda: FakeVerda, api: Api) -> None:
    refresh = token(verda).json()["refresh_token"]
    verda.tokens.revoke_all()
    assert api("GET", "/balance").status_code == 401
    assert token(verda, grant_type="refresh_token", refresh_token=refresh).status_code == 401
    assert token(verda, grant_type="client_credentials", client_id="x", client_secret="y").status_code == 401
    assert requests.get(f"{verda.base_url}/balance", timeout=5).status_code == 401


# ---- what is refused --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "changes",
    [
        {"name": "VF"},
        {"name": "-vf"},
        {"name": "v" * 64},
        {"compute": {"name": "Abacus", "size": 1}},
        {"surprise": 1},
        {"containers": []},
        {"containers": [container_spec(image="ghcr.io/acme/chatterbox-tts:latest")]},
        {"containers": [container_spec(image="localhost:5000/chatterbox-tts")]},
        {"containers": [container_spec(exposed_port="8000")]},
        {
            "containers": [
                container_spec(volume_mounts=[{"type": "scratch", "mount_path": "/data", "size_in_mb": 9}])
            ]
        },
        {
            "containers": [
                container_spec(env=[{"name": "A", "value_or_reference_to_secret": "none", "type": "secret"}])
            ]
        },
        {"container_registry_settings": {"is_private": True, "credentials": {"name": "unknown"}}},
        {"scaling": scaling_spec(scale_up_policy=None)},
        {"scaling": scaling_spec(scale_down_policy=None)},
        {"scaling": scaling_spec(scaling_triggers={"queue_load": {"threshold": 0.5}})},
        {"scaling": scaling_spec(scaling_triggers={})},
        {"scaling": scaling_spec(max_replica_count=0)},
    ],
    ids=str,
)
def test_a_bad_deployment_is_refused(api: Api, changes: dict[str, Any]) -> None:
    refused = api("POST", "/container-deployments", deployment_spec(**changes))
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert api("GET", "/container-deployments").json() == []


def test_a_change_is_held_to_the_same_rules(verda: FakeVerda, api: Api) -> None:
    up(verda, api)
    path = "/container-deployments/vf-tts"
    assert api("POST", "/container-deployments", deployment_spec()).status_code == 409
    assert api("PATCH", path, {"name": "vf-other"}).status_code == 400
    assert api("PATCH", path, {"containers": [container_spec(image="a/b:v2")]}).status_code == 400
    named = container_spec(name="chatterbox-tts-0", image="a/b:latest")
    assert api("PATCH", path, {"containers": [named]}).status_code == 400
    assert api("PATCH", path, {"containers": [named | {"image": "a/b:v2"}]}).status_code == 200
    assert api("PATCH", path + "/scaling", {"min_replica_count": 9}).status_code == 400
    assert api("DELETE", path + "?timeout=300001").status_code == 400
    assert api("PUT", path).status_code == 405
    assert api("GET", "/container-logs").status_code == 404
    assert api("DELETE", path + "?timeout=300000").status_code == 204
    assert api("DELETE", path).status_code == 404


def test_the_answer_has_the_shape_of_the_contract(api: Api) -> None:
    made = api("POST", "/container-deployments", deployment_spec()).json()
    assert made["containers"][0]["image"].keys() == {"image", "last_updated_at"}
    assert made["containers"][0]["name"] == "chatterbox-tts-0"
    assert "scaling" not in made
    assert made["created_at"].endswith("Z")
    assert api("GET", "/container-deployments/vf-tts").json() == made
    assert api("GET", "/container-deployments/vf-tts/scaling").json() == scaling_spec()


def test_without_money_nothing_is_made(verda: FakeVerda, api: Api) -> None:
    verda.balance = Decimal(0)
    assert api("POST", "/container-deployments", deployment_spec()).json()["code"] == "insufficient_funds"
    assert api("POST", "/instances", instance_spec()).status_code == 402


@pytest.mark.parametrize(
    "changes",
    [
        {"instance_type": "1Z9"},
        {"image": "dos"},
        {"location_code": "MARS-01"},
        {"ssh_key_ids": ["none"]},
        {"startup_script_id": "none"},
        {"contract": "PAY_AS_YOU_GO"},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_bad_machine_is_refused(api: Api, changes: dict[str, Any]) -> None:
    assert api("POST", "/instances", instance_spec(**changes)).status_code == 400


# ---- transitions ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("end", ["unhealthy", "quota_reached"])
def test_a_deployment_may_turn_out_badly(verda: FakeVerda, api: Api, end: str) -> None:
    verda.durations.ends_as = end
    api("POST", "/container-deployments", deployment_spec(scaling=scaling_spec(min_replica_count=1)))
    verda.clock.advance(65)
    assert api("GET", "/container-deployments/vf-tts/status").json() == {"status": end}
    verda.clock.advance(3600)
    assert (verda.bill() > 0) == (end == "unhealthy")


def test_the_clock_may_run_by_itself(verda: FakeVerda, api: Api) -> None:
    api("POST", "/container-deployments", deployment_spec())
    verda.clock.speed = 10_000
    eventually(lambda: verda.containers["vf-tts"].status == "healthy")


@pytest.mark.parametrize("end", ["no_capacity", "error"])
def test_a_machine_may_turn_out_badly(verda: FakeVerda, api: Api, end: str) -> None:
    verda.durations.instances_end_as = end
    id = api("POST", "/instances", instance_spec()).text
    verda.clock.advance(85)
    assert api("GET", f"/instances/{id}").json()["status"] == end
    assert api("GET", f"/instances?status={end}").json()[0]["id"] == id


def test_a_spot_machine_is_reclaimed(verda: FakeVerda, api: Api) -> None:
    id = api("POST", "/instances", instance_spec()).text
    verda.clock.advance(85 + 60)
    verda.reclaim(id)
    bill = verda.bill()
    verda.clock.advance(1800)
    assert verda.instances[id].status == "discontinued"
    assert verda.bill() == bill > 0
    assert api("GET", "/volumes").json() == []


def test_an_action_tells_of_each_machine(verda: FakeVerda, api: Api) -> None:
    ids = [api("POST", "/instances", instance_spec()).text for _ in range(2)]
    verda.clock.advance(85)
    done = api("PUT", "/instances", {"id": ids, "action": "shutdown"})
    assert (done.status_code, {result["status"] for result in done.json()}) == (202, {"success"})
    verda.faults.add("/instances", "PUT", kind="partial_failure")
    half = api("PUT", "/instances", {"id": ids, "action": "delete", "volume_ids": []})
    assert (half.status_code, [result["status"] for result in half.json()]) == (207, ["success", "error"])
    assert [verda.instances[id].status for id in ids] == ["deleting", "running"]
    assert api("PUT", "/instances", {"id": ["none"], "action": "delete"}).status_code == 404
    assert api("PUT", "/instances", {"id": ids[1], "action": "explode"}).status_code == 400
    assert len(api("GET", "/volumes?status=detached").json()) == 1
