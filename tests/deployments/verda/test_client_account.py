"""The balance, and what the account keeps, against the stand-in."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.deployments.providers.verda import VerdaClient
from apps.deployments.providers.verda.errors import Conflict, InvalidRequest, NotUnderstood, VerdaError
from apps.deployments.providers.verda.types import Balance, ContainerSpec, EnvironmentVariable
from tests.deployments.verda.conftest import Make
from tests.deployments.verda.scripted import Reply, Scripted
from tests.fakes.verda import FakeVerda

TOKEN = b'{"access_token": "one", "expires_in": 100}'


def test_the_balance_is_exact(client: VerdaClient, verda: FakeVerda) -> None:
    verda.balance = Decimal("12.34")
    assert client.balance() == Balance(Decimal("12.34"), "usd")


@pytest.mark.parametrize("body", [b"{}", b'{"amount": true}', b'{"amount": "much"}', b"[]"])
def test_a_strange_balance_is_not_understood(make: Make, body: bytes) -> None:
    with Scripted(Reply(body=TOKEN), Reply(body=body)) as server, pytest.raises(NotUnderstood):
        make(base_url=server.url).balance()


def test_secrets_come_and_go(client: VerdaClient) -> None:
    client.create_secret("hf-token", "hf_abcdef")
    [secret] = client.list_secrets()
    assert (secret.name, secret.created_at is not None) == ("hf-token", True)
    assert client.find_secret("hf-token") == secret
    with pytest.raises(Conflict):
        client.create_secret("hf-token", "hf_other")
    client.delete_secret("hf-token")
    client.delete_secret("hf-token")
    assert client.find_secret("hf-token") is None


def test_a_secret_in_use_is_deleted_by_force_only(client: VerdaClient, spec: ContainerSpec) -> None:
    client.create_secret("hf-token", "hf_abcdef")
    variable = EnvironmentVariable("HF_TOKEN", "hf-token", is_secret=True)
    client.create_container_deployment(replace(spec, environment=(variable,)))
    with pytest.raises(InvalidRequest, match="in use"):
        client.delete_secret("hf-token")
    client.delete_secret("hf-token", force=True)
    assert client.list_secrets() == []


def test_a_secret_is_in_no_message(make: Make) -> None:
    refusal = Reply(400, b'{"message":"hf_abcdef is too short"}')
    with Scripted(Reply(body=TOKEN), refusal) as server, pytest.raises(VerdaError) as caught:
        make(base_url=server.url).create_secret("hf-token", "hf_abcdef")
    assert "hf_abcdef" not in str(caught.value)


def test_an_empty_secret_is_not_sent(client: VerdaClient, verda: FakeVerda) -> None:
    with pytest.raises(InvalidRequest):
        client.create_secret("hf-token", "")
    assert not verda.calls


def test_registry_credentials_are_listed(client: VerdaClient, verda: FakeVerda) -> None:
    verda.state.kept["container-registry-credentials"]["ghcr"] = {
        "name": "ghcr",
        "created_at": "2027-01-15T08:00:00Z",
    }
    [credential] = client.list_registry_credentials()
    assert credential.name == "ghcr"


def test_ssh_keys(client: VerdaClient, verda: FakeVerda) -> None:
    made = client.create_ssh_key("ops", "ssh-ed25519 AAAA ops@example")
    [key] = client.list_ssh_keys()
    assert (key.id, key.name, key.public_key) == (made, "ops", "ssh-ed25519 AAAA ops@example")
    assert client.find_ssh_key("ops") == key
    assert client.find_ssh_key("other") is None
    verda.faults.add("/sshkeys", "POST", kind="json_id")
    assert client.create_ssh_key("ops", "ssh-ed25519 BBBB") != made


def test_startup_scripts_come_and_go(client: VerdaClient) -> None:
    made = client.create_startup_script("start", "#!/bin/sh\nTOKEN=hunter22")
    found = client.find_startup_script("start")
    assert found is not None
    assert (found.id, found.script) == (made, "#!/bin/sh\nTOKEN=hunter22")
    assert client.list_startup_scripts() == [found]
    assert "hunter22" not in repr(found)
    client.delete_startup_script(made)
    client.delete_startup_script(made)
    assert client.find_startup_script("start") is None
