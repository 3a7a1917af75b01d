"""Container deployments, against the stand-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.deployments.providers.verda import VerdaClient
from apps.deployments.providers.verda.errors import (
    Conflict,
    InsufficientFunds,
    InvalidRequest,
    NotFound,
    Unreachable,
    VerdaError,
)
from apps.deployments.providers.verda.types import (
    ContainerSpec,
    EnvironmentVariable,
    MemoryMount,
    Scaling,
    ScratchMount,
    SharedMount,
)
from tests.deployments.verda.conftest import IMAGE
from tests.fakes.verda import FakeVerda

BASE = "/container-deployments"
NEXT_IMAGE = "ghcr.io/wallscaler/chatterbox-tts:v1.2.0"
ENGINE = EnvironmentVariable("ENGINE", "chatterbox")
HF_TOKEN = EnvironmentVariable("HF_TOKEN", "hf-token", is_secret=True)
AS_SENT = {
    "name": "vf-tts",
    "is_spot": True,
    "compute": {"name": "A100 40GB", "size": 1},
    "container_registry_settings": {"is_private": True, "credentials": {"name": "ghcr"}},
    "containers": [
        {
            "image": IMAGE,
            "exposed_port": 8000,
            "healthcheck": {"enabled": True, "port": 8000, "path": "/health"},
            "entrypoint_overrides": {"enabled": False},
            "env": [
                {"name": "HF_TOKEN", "value_or_reference_to_secret": "hf-token", "type": "secret"},
                {"name": "ENGINE", "value_or_reference_to_secret": "chatterbox", "type": "plain"},
            ],
            "volume_mounts": [{"type": "scratch", "mount_path": "/data"}],
        }
    ],
    "scaling": {
        "min_replica_count": 0,
        "max_replica_count": 3,
        "scale_down_policy": {"delay_seconds": 900},
        "scale_up_policy": {"delay_seconds": 30},
        "queue_message_ttl_seconds": 300,
        "concurrent_requests_per_replica": 1,
        "scaling_triggers": {
            "queue_load": {"threshold": 1},
            "cpu_utilization": {"enabled": False},
            "gpu_utilization": {"enabled": False},
        },
    },
}


def test_a_new_deployment_is_told(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    made = client.create_container_deployment(spec)
    assert (made.name, made.image, made.compute_name, made.compute_size) == ("vf-tts", IMAGE, "A100 40GB", 1)
    assert made.container_name
    assert made.endpoint_base_url == verda.url + "/data/vf-tts"
    assert made.created_at == datetime.fromtimestamp(verda.clock.now(), UTC)
    assert not made.is_spot
    assert client.get_container_deployment("vf-tts") == made
    assert client.list_container_deployments() == [made]


def test_what_is_sent_is_what_the_contract_shows(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec
) -> None:
    client.create_secret("hf-token", "hf_abcdef")
    verda.state.kept["container-registry-credentials"]["ghcr"] = {"name": "ghcr"}
    client.create_container_deployment(
        replace(
            spec,
            is_spot=True,
            registry_credentials="ghcr",
            environment=(HF_TOKEN, ENGINE),
            mounts=(ScratchMount("/data"),),
            scaling=Scaling(max_replicas=3),
        )
    )
    assert verda.calls.to(BASE, "POST")[0].body == AS_SENT


def test_mounts_and_a_command_are_accepted(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec
) -> None:
    verda.state.kept["volumes"]["models"] = {"id": "models"}
    mounts = (ScratchMount("/data"), MemoryMount(2048), SharedMount("/models", "models"))
    client.create_container_deployment(replace(spec, mounts=mounts, command=("serve", "--fast")))
    container = verda.containers["vf-tts"].spec["containers"][0]
    assert container["volume_mounts"] == [
        {"type": "scratch", "mount_path": "/data"},
        {"type": "memory", "mount_path": "/dev/shm", "size_in_mb": 2048},
        {"type": "shared", "mount_path": "/models", "volume_id": "models"},
    ]
    assert container["entrypoint_overrides"] == {"enabled": True, "cmd": ["serve", "--fast"]}


def test_nothing_that_breaks_a_rule_is_sent(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.create_container_deployment(replace(spec, name="VF_TTS"))
    assert caught.value.status is None
    with pytest.raises(InvalidRequest):
        client.update_container_image("vf-tts", "ghcr.io/a/b:latest")
    with pytest.raises(InvalidRequest):
        client.delete_container_deployment("vf-tts", timeout_seconds=301)
    with pytest.raises(InvalidRequest):
        client.get_container_deployment("../balance")
    assert not verda.calls


def test_a_name_in_use_is_a_conflict(client: VerdaClient, spec: ContainerSpec) -> None:
    client.create_container_deployment(spec)
    with pytest.raises(Conflict, match="already exists") as caught:
        client.create_container_deployment(spec)
    assert (caught.value.status, caught.value.code) == (409, "conflict")
    assert not caught.value.outcome_unknown


def test_no_money_no_deployment(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    verda.balance = Decimal(0)
    with pytest.raises(InsufficientFunds) as caught:
        client.create_container_deployment(spec)
    assert (caught.value.status, caught.value.permanent) == (402, True)


def test_a_creation_whose_answer_is_lost_is_found_by_name(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec
) -> None:
    verda.faults.add(BASE, "POST", kind="dropped_after")
    with pytest.raises(Unreachable) as caught:
        client.create_container_deployment(spec)
    assert caught.value.outcome_unknown
    found = client.get_container_deployment("vf-tts")
    assert found is not None
    assert found.image == IMAGE
    assert verda.calls.count(BASE, "POST") == 1


def test_values_of_the_environment_are_in_no_message(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec
) -> None:
    secret = EnvironmentVariable("bad name hunter22", "hunter22")
    with pytest.raises(VerdaError) as caught:
        client.create_container_deployment(replace(spec, environment=(secret,)))
    assert "hunter22" not in str(caught.value)
    assert "value" not in repr(secret)


def test_none_means_that_there_is_none(client: VerdaClient) -> None:
    assert client.get_container_deployment("vf-tts") is None
    assert client.list_container_deployments() == []


@pytest.mark.parametrize(
    "call", ["container_status", "container_replicas", "pause", "restart", "purge_queue", "container_scaling"]
)
def test_what_needs_a_deployment_says_that_there_is_none(client: VerdaClient, call: str) -> None:
    with pytest.raises(NotFound, match="vf-tts not found"):
        getattr(client, call)("vf-tts")


def test_statuses_follow_the_deployment(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(spec)
    assert client.container_status("vf-tts") == "initializing"
    verda.clock.advance(10)
    assert client.container_status("vf-tts") == "image_pulling"
    verda.clock.advance(60)
    assert client.container_status("vf-tts") == "healthy"


def test_an_unknown_status_is_passed_on(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(spec)
    verda.faults.add(BASE + "/vf-tts/status", kind="unknown_status", value="warming_over")
    assert client.container_status("vf-tts") == "warming_over"


def test_replicas_are_listed(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(replace(spec, scaling=Scaling(min_replicas=2, max_replicas=2)))
    verda.clock.advance(120)
    replicas = client.container_replicas("vf-tts")
    assert len({replica.id for replica in replicas}) == 2
    assert all(replica.status and replica.started_at for replica in replicas)


def test_scaling_changes_what_is_given_only(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec
) -> None:
    client.create_container_deployment(spec)
    scaled = client.scale_container_deployment(
        "vf-tts",
        min_replicas=1,
        max_replicas=4,
        scale_down_delay_seconds=60,
        concurrent_requests_per_replica=8,
    )
    expected = replace(
        spec.scaling,
        min_replicas=1,
        max_replicas=4,
        scale_down_delay_seconds=60,
        concurrent_requests_per_replica=8,
    )
    assert scaled == expected == client.container_scaling("vf-tts")


def test_senseless_scaling_is_not_sent(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(spec)
    with pytest.raises(InvalidRequest):
        client.scale_container_deployment("vf-tts", min_replicas=2)
    assert not verda.calls.count(BASE + "/vf-tts/scaling", "PATCH")


def test_a_new_image_keeps_the_rest(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(replace(spec, environment=(ENGINE,)))
    verda.clock.advance(120)
    updated = client.update_container_image("vf-tts", NEXT_IMAGE)
    assert updated.image == NEXT_IMAGE
    assert updated.environment == (ENGINE,)
    assert client.container_status("vf-tts") == "version_updating"
    verda.clock.advance(60)
    assert client.container_status("vf-tts") == "healthy"


def test_an_image_for_nothing_is_told(client: VerdaClient) -> None:
    with pytest.raises(NotFound):
        client.update_container_image("vf-tts", NEXT_IMAGE)


def test_variables_are_set_and_removed(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(replace(spec, environment=(ENGINE,)))
    other, added = EnvironmentVariable("ENGINE", "tone"), EnvironmentVariable("WORKERS", "2")
    client.set_environment_variables("vf-tts", [other, added])
    assert client.environment_variables("vf-tts") == (other, added)
    client.delete_environment_variables("vf-tts", ["WORKERS", "NEVER_THERE"])
    client.delete_environment_variables("vf-tts", ["WORKERS"])
    assert verda.containers["vf-tts"].environment() == {"ENGINE": "tone"}


def test_pause_and_resume(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(spec)
    verda.clock.advance(120)
    client.pause("vf-tts")
    assert client.container_status("vf-tts") == "paused"
    client.resume("vf-tts")
    assert client.container_status("vf-tts") == "initializing"
    with pytest.raises(InvalidRequest, match="Only a paused deployment"):
        client.resume("vf-tts")


def test_restart_and_purge(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(spec)
    verda.clock.advance(120)
    client.purge_queue("vf-tts")
    assert verda.containers["vf-tts"].purges == 1
    client.restart("vf-tts")
    assert client.container_status("vf-tts") == "initializing"


def test_a_deletion_may_be_repeated(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(spec)
    client.delete_container_deployment("vf-tts", timeout_seconds=1.5)
    assert verda.calls.to(BASE + "/vf-tts", "DELETE")[0].query == {"timeout": "1500"}
    assert client.get_container_deployment("vf-tts") is None
    client.delete_container_deployment("vf-tts")


def test_a_deletion_takes_its_time(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    verda.durations.deleting = 30
    client.create_container_deployment(spec)
    client.delete_container_deployment("vf-tts")
    assert client.get_container_deployment("vf-tts") is not None
    verda.clock.advance(30)
    assert client.get_container_deployment("vf-tts") is None
