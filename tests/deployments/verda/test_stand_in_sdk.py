"""The official SDK works against the stand-in of Verda, unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from verda import VerdaClient  # type: ignore[import-untyped, unused-ignore]
from verda import containers as sdk
from verda.containers import _containers as shapes  # type: ignore[import-untyped, unused-ignore]
from verda.exceptions import APIException  # type: ignore[import-untyped, unused-ignore]

from tests.deployments.verda.stand_in_steps import Worker, eventually
from tests.fakes.verda import FakeVerda
from tests.fakes.verda.specs import scaling_spec


@pytest.fixture
def verda() -> Iterator[FakeVerda]:
    with FakeVerda() as fake:
        yield fake


@pytest.fixture
def worker(verda: FakeVerda) -> Iterator[Worker]:
    with Worker() as worker:
        verda.backend = worker.url
        yield worker


@pytest.fixture
def client(verda: FakeVerda) -> VerdaClient:
    return VerdaClient(verda.client_id, verda.client_secret, verda.base_url, verda.inference_key)


def sdk_deployment() -> sdk.Deployment:
    return sdk.Deployment(
        name="vf-tts",
        is_spot=True,
        compute=sdk.ComputeResource(name="V100 16GB", size=1),
        container_registry_settings=sdk.ContainerRegistrySettings(
            is_private=True, credentials=shapes.ContainerRegistryCredentials("ghcr")
        ),
        containers=[
            sdk.Container(
                image="ghcr.io/acme/chatterbox-tts:v1.1.0",
                exposed_port=8000,
                healthcheck=sdk.HealthcheckSettings(port=8000, path="/health"),
                env=[sdk.EnvVar("HF_TOKEN", "hf-token", sdk.EnvVarType.SECRET)],
                volume_mounts=[shapes.GeneralStorageMount("/data")],
            )
        ],
        scaling=sdk.ScalingOptions.from_dict(scaling_spec()),
    )


def test_the_sdk_runs_a_container(verda: FakeVerda, client: VerdaClient, worker: Worker) -> None:
    containers = client.containers
    containers.create_secret("hf-token", "hf_secret")
    containers.add_registry_credentials(sdk.GithubCredentials("ghcr", "acme", "ghp_x"))
    made = containers.create_deployment(sdk_deployment())
    assert made.endpoint_base_url == f"{verda.url}/data/vf-tts"
    assert made.scaling is None
    statuses = [containers.get_deployment_status("vf-tts").value]
    for seconds in (6, 60):
        verda.clock.advance(seconds)
        statuses.append(containers.get_deployment_status("vf-tts").value)
    assert statuses == ["initializing", "image_pulling", "healthy"]
    assert containers.get_deployment_replicas("vf-tts") == []
    assert made.run_sync({"text": "hi"}, path="v1/speak").output(is_text=True).startswith("one,two")
    assert [replica.status for replica in containers.get_deployment_replicas("vf-tts")] == ["running"]
    containers.pause_deployment("vf-tts")
    assert containers.get_deployment_status("vf-tts").value == "paused"
    containers.resume_deployment("vf-tts")
    assert containers.get_deployment_status("vf-tts").value == "initializing"
    containers.delete_deployment("vf-tts")
    with pytest.raises(APIException, match="not_found"):
        containers.get_deployment("vf-tts")


def test_the_sdk_changes_a_container(verda: FakeVerda, client: VerdaClient) -> None:
    containers = client.containers
    containers.create_secret("hf-token", "hf_secret")
    containers.add_registry_credentials(sdk.GithubCredentials("ghcr", "acme", "ghp_x"))
    made = containers.create_deployment(sdk_deployment())
    verda.clock.advance(65)
    name = made.containers[0].name
    changed = sdk_deployment()
    changed.containers[0].name, changed.containers[0].image = name, "ghcr.io/acme/chatterbox-tts:v1.2.0"
    containers.update_deployment("vf-tts", changed)
    assert containers.get_deployment_status("vf-tts").value == "version_updating"
    options = containers.get_deployment_scaling_options("vf-tts")
    options.max_replica_count = 7
    assert containers.update_deployment_scaling_options("vf-tts", options).max_replica_count == 7
    plain = sdk.EnvVar("ENGINE", "chatterbox", sdk.EnvVarType.PLAIN)
    assert len(containers.add_deployment_environment_variables("vf-tts", name, [plain])[name]) == 2
    plain.value_or_reference_to_secret = "hibari"
    assert len(containers.update_deployment_environment_variables("vf-tts", name, [plain])[name]) == 2
    assert verda.containers["vf-tts"].environment() == {"HF_TOKEN": "hf-token", "ENGINE": "hibari"}
    assert len(containers.delete_deployment_environment_variables("vf-tts", name, ["ENGINE"])[name]) == 1
    verda.clock.advance(30)
    assert containers.get_deployment_status("vf-tts").value == "healthy"
    containers.restart_deployment("vf-tts")
    containers.purge_deployment_queue("vf-tts")
    with pytest.raises(APIException, match="in use"):
        containers.delete_secret("hf-token")
    containers.delete_secret("hf-token", force=True)


def test_the_sdk_rents_a_machine(verda: FakeVerda, client: VerdaClient) -> None:
    key = client.ssh_keys.create("ops", "ssh-ed25519 AAAA")
    script = client.startup_scripts.create("boot", "#!/bin/sh")
    assert client.ssh_keys.get_by_id(key.id).name == "ops"
    assert client.startup_scripts.get_by_id(script.id).script == "#!/bin/sh"
    rented = client.instances.create(
        "1V100.6V",
        "ubuntu-24.04-cuda-12.8-open-docker",
        "vf-1",
        "d",
        [key.id],
        startup_script_id=script.id,
        is_spot=True,
        contract="SPOT",
        wait_for_status=None,
    )
    seen = [rented.status]
    for seconds in (6, 60, 20):
        verda.clock.advance(seconds)
        seen.append(client.instances.get_by_id(rented.id).status)
    assert seen == ["ordered", "provisioning", "validating", "running"]
    assert client.instances.get_by_id(rented.id).ip == "127.0.0.1"
    client.instances.action(rented.id, client.constants.instance_actions.DELETE)
    assert client.instances.get_by_id(rented.id).status == "deleting"
    verda.clock.advance(10)
    with pytest.raises(APIException, match="not_found"):
        client.instances.get_by_id(rented.id)
    assert client.volumes.get() == []
    assert verda.bill() == Decimal("0.002533")


def test_the_sdk_reads_the_catalogue(client: VerdaClient) -> None:
    prices = {kind.instance_type: kind.spot_price_per_hour for kind in client.instance_types.get()}
    assert prices["1V100.6V"] == 0.076
    assert prices["1H100.80S.32V"] == 0.85
    assert {kind.serverless_spot_price for kind in client.container_types.get()} == set(prices.values())
    assert client.instances.is_available("1V100.6V", is_spot=True, location_code="FIN-03") is True
    assert client.instances.is_available("1V100.6V", location_code="ICE-01") is False
    assert client.instances.get_availabilities()[0]["location_code"] == "FIN-01"
    assert {place["code"] for place in client.locations.get()} == {"FIN-01", "FIN-02", "FIN-03", "ICE-01"}
    assert client.images.get()[0].image_type == "ubuntu-24.04-cuda-12.8-open-docker"
    assert client.volume_types.get()[0].type == "NVMe"
    assert client.balance.get().amount == 100
    assert {gpu.name for gpu in client.containers.get_compute_resources(is_available=True)} >= {"V100 16GB"}


def test_the_sdk_keeps_volumes(client: VerdaClient) -> None:
    volume = client.volumes.create("NVMe", "data", 50)
    client.volumes.rename(volume.id, "models")
    client.volumes.increase_size(volume.id, 80)
    kept = client.volumes.get_by_id(volume.id)
    assert (kept.name, kept.size, kept.status) == ("models", 80, "detached")
    client.volumes.delete_by_id(volume.id)
    assert [gone.name for gone in client.volumes.get_in_trash()] == ["models"]


def test_the_sdk_asks_for_a_result_later(verda: FakeVerda, client: VerdaClient, worker: Worker) -> None:
    client.containers.create_secret("hf-token", "hf_secret")
    client.containers.add_registry_credentials(sdk.GithubCredentials("ghcr", "acme", "ghp_x"))
    made = client.containers.create_deployment(sdk_deployment())
    run = made.run({"text": "hi"}, path="v1/speak")
    assert run.status_json()["Status"] == "Inference"
    verda.clock.advance(65)
    eventually(lambda: run.status_json()["Status"] == "Completed")
    assert run.result()["result"].startswith("one,two")
