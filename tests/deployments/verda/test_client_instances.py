"""Machines, against the stand-in."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.deployments.providers.verda import VerdaClient
from apps.deployments.providers.verda.errors import (
    InsufficientFunds,
    InvalidRequest,
    NotFound,
    NotUnderstood,
    Unreachable,
)
from apps.deployments.providers.verda.instances import ActionFailed
from apps.deployments.providers.verda.types import InstanceAction, InstanceSpec
from tests.deployments.verda.conftest import Make
from tests.deployments.verda.scripted import Reply, Scripted
from tests.fakes.verda import FakeVerda

TOKEN = b'{"access_token": "one", "expires_in": 100}'


def test_a_new_machine_is_told(client: VerdaClient, verda: FakeVerda, machine: InstanceSpec) -> None:
    made = client.get_instance(client.create_instance(machine))
    assert made is not None
    assert (made.status, made.hostname, made.location_code) == ("ordered", "vf-1", "FIN-03")
    assert (made.is_spot, made.price_per_hour, made.ip) == (True, Decimal("0.076"), "")
    verda.clock.advance(200)
    [running] = client.list_instances("running")
    assert (running.id, running.ip) == (made.id, "127.0.0.1")
    assert client.list_instances("offline") == []


def test_what_is_sent_is_what_the_contract_shows(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec
) -> None:
    key = client.create_ssh_key("ops", "ssh-ed25519 AAAA")
    script = client.create_startup_script("start", "#!/bin/sh")
    client.create_instance(replace(machine, ssh_key_ids=(key,), startup_script_id=script))
    assert verda.calls.to("/instances", "POST")[0].body == {
        "instance_type": "1V100.6V",
        "image": "ubuntu-24.04-cuda-12.8-open-docker",
        "ssh_key_ids": [key],
        "startup_script_id": script,
        "hostname": "vf-1",
        "description": "speech worker",
        "location_code": "FIN-03",
        "os_volume": {"name": "os", "size": 50, "on_spot_discontinue": "delete_permanently"},
        "volumes": [],
        "existing_volumes": [],
        "is_spot": True,
        "contract": "SPOT",
        "pricing": "FIXED_PRICE",
    }


def test_a_machine_on_demand_has_no_spot_fields(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec
) -> None:
    client.create_instance(replace(machine, is_spot=False))
    body = verda.calls.to("/instances", "POST")[0].body
    assert body["os_volume"] == {"name": "os", "size": 50}
    assert body["contract"] == "PAY_AS_YOU_GO"


def test_the_id_may_come_as_json(client: VerdaClient, verda: FakeVerda, machine: InstanceSpec) -> None:
    verda.faults.add("/instances", "POST", kind="json_id")
    assert client.create_instance(machine) in verda.instances


@pytest.mark.parametrize(
    "body", [b"3f2c-1", b" 3f2c-1\n", b'"3f2c-1"', b'{"id": "3f2c-1"}', b'{"id": "3f2c-1", "more": {}}']
)
def test_ids_in_any_dress(make: Make, machine: InstanceSpec, body: bytes) -> None:
    with Scripted(Reply(body=TOKEN), Reply(202, body, "text/plain")) as server:
        assert make(base_url=server.url).create_instance(machine) == "3f2c-1"


@pytest.mark.parametrize(
    "body", [b"", b"<html></html>", b"{}", b'{"id": 3}', b'"', b"{", b"two words", b'{"id":""}']
)
def test_what_is_no_id_leaves_it_open_what_was_done(make: Make, machine: InstanceSpec, body: bytes) -> None:
    with Scripted(Reply(body=TOKEN), Reply(202, body)) as server, pytest.raises(NotUnderstood) as caught:
        make(base_url=server.url).create_instance(machine)
    assert caught.value.outcome_unknown


def test_a_creation_whose_answer_is_lost_is_found_by_hostname(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec
) -> None:
    verda.faults.add("/instances", "POST", kind="dropped_after")
    with pytest.raises(Unreachable) as caught:
        client.create_instance(machine)
    assert caught.value.outcome_unknown
    client.create_instance(replace(machine, hostname="vf-2"))
    assert [found.id for found in client.find_instances("vf-1")] == [next(iter(verda.instances))]
    assert client.find_instances("vf-3") == []


def test_of_two_of_a_name_the_newest_comes_first(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec
) -> None:
    older = client.create_instance(machine)
    verda.clock.advance(10)
    newer = client.create_instance(machine)
    assert [found.id for found in client.find_instances("vf-1")] == [newer, older]


def test_no_money_no_machine(client: VerdaClient, verda: FakeVerda, machine: InstanceSpec) -> None:
    verda.balance = Decimal(0)
    with pytest.raises(InsufficientFunds):
        client.create_instance(machine)


@pytest.mark.parametrize("status", ["no_capacity", "error"])
def test_a_machine_that_does_not_come_is_seen(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec, status: str
) -> None:
    verda.durations.instances_end_as = status
    made = client.create_instance(machine)
    verda.clock.advance(200)
    found = client.get_instance(made)
    assert found is not None
    assert found.status == status


def test_a_machine_reclaimed_is_seen(client: VerdaClient, verda: FakeVerda, machine: InstanceSpec) -> None:
    made = client.create_instance(machine)
    verda.clock.advance(200)
    verda.reclaim(made)
    found = client.get_instance(made)
    assert found is not None
    assert found.status == "discontinued"


def test_none_means_that_there_is_none(client: VerdaClient) -> None:
    assert client.get_instance("3f2c") is None
    assert client.list_instances() == []


def test_a_deletion_by_one_id(client: VerdaClient, verda: FakeVerda, machine: InstanceSpec) -> None:
    made = client.create_instance(machine)
    [result] = client.instance_action(made, "delete")
    assert (result.instance_id, result.action, result.ok) == (made, "delete", True)
    assert verda.calls.to("/instances", "PUT")[0].body == {"id": [made], "action": "delete"}
    verda.clock.advance(60)
    assert client.get_instance(made) is None
    [again] = client.instance_action(made, InstanceAction.DELETE)
    assert (again.ok, again.status) == (True, "not_found")


def test_machines_are_shut_down_and_started(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec
) -> None:
    ids = [client.create_instance(machine), client.create_instance(machine)]
    verda.clock.advance(200)
    results = client.instance_action(ids, InstanceAction.SHUTDOWN)
    assert [result.instance_id for result in results] == ids
    assert all(result.ok for result in results)
    verda.clock.advance(60)
    assert {verda.instances[one].status for one in ids} == {"offline"}
    client.instance_action(ids[0], "start")
    client.instance_action(ids[1], "boot")
    client.instance_action(ids, "force_shutdown")


def test_volumes_are_named_only_where_given(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec
) -> None:
    made = client.create_instance(machine)
    client.instance_action(made, "delete", volume_ids=[], delete_permanently=True)
    assert verda.calls.to("/instances", "PUT")[0].body == {
        "id": [made],
        "action": "delete",
        "volume_ids": [],
        "delete_permanently": True,
    }


def test_a_partial_failure_tells_of_each(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec
) -> None:
    ids = [client.create_instance(machine), client.create_instance(machine)]
    verda.faults.add("/instances", "PUT", kind="partial_failure")
    with pytest.raises(ActionFailed, match="1 of 2 machines") as caught:
        client.instance_action(ids, "delete")
    error = caught.value
    assert [result.ok for result in error.results] == [True, False]
    assert [result.instance_id for result in error.failed] == [ids[1]]
    assert "Action could not be performed" in str(error)
    assert (error.code, error.status, error.permanent) == ("partial_failure", 207, True)


def test_of_several_to_delete_one_gone_is_no_failure(client: VerdaClient, machine: InstanceSpec) -> None:
    made = client.create_instance(machine)
    results = client.instance_action([made, "3f2c"], "delete")
    assert [result.ok for result in results] == [True, True]


def test_of_several_to_start_one_gone_is_a_failure(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec
) -> None:
    made = client.create_instance(machine)
    verda.instances[made].becomes("offline")
    with pytest.raises(ActionFailed) as caught:
        client.instance_action([made, "3f2c"], "start")
    assert [result.status_code for result in caught.value.failed] == [404]


def test_one_to_start_that_is_gone_is_told(client: VerdaClient) -> None:
    with pytest.raises(NotFound):
        client.instance_action("3f2c", "start")


def test_a_machine_that_verda_is_silent_about_counts_as_failed(make: Make) -> None:
    body = b'[{"action":"start","instanceId":"a","status":"success"}]'
    with (
        Scripted(Reply(body=TOKEN), Reply(202, body)) as server,
        pytest.raises(ActionFailed, match="says nothing") as caught,
    ):
        make(base_url=server.url).instance_action(["a", "b"], "start")
    assert [result.ok for result in caught.value.results] == [True, False]
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("told", "permanent"),
    [
        ('"statusCode":503', False),
        ('"statusCode":403', True),
        ('"status":"failed"', False),
        ('"error":"no"', False),
    ],
)
def test_a_failure_may_be_told_by_one_field(make: Make, told: str, permanent: bool) -> None:
    body = f'[{{"action":"start","instanceId":"a",{told}}}]'.encode()
    with Scripted(Reply(body=TOKEN), Reply(207, body)) as server, pytest.raises(ActionFailed) as caught:
        make(base_url=server.url).instance_action("a", "start")
    assert caught.value.permanent is permanent


def test_an_action_is_not_sent_twice(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add("/instances", "PUT", kind="dropped_after")
    with pytest.raises(Unreachable) as caught:
        client.instance_action(["a", "a"], "start")
    assert caught.value.outcome_unknown
    [call] = verda.calls.to("/instances", "PUT")
    assert call.body["id"] == ["a"]


def test_nothing_that_breaks_a_rule_is_sent(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec
) -> None:
    for ids, action in (([], "start"), ("a", "explode"), ("a/b", "start")):
        with pytest.raises(InvalidRequest):
            client.instance_action(ids, action)
    for broken in ({"hostname": "VF 1"}, {"description": ""}, {"os_volume_size_gb": 0}):
        with pytest.raises(InvalidRequest):
            client.create_instance(replace(machine, **broken))
    assert not verda.calls


def test_strange_machines_are_borne_or_told(
    client: VerdaClient, verda: FakeVerda, machine: InstanceSpec
) -> None:
    made = client.create_instance(machine)
    verda.faults.add("/instances", kind="extra_fields")
    assert len(client.list_instances()) == 1
    bearable = ("status", "ip", "price_per_hour", "ssh_key_ids", "volume_ids", "created_at", "location")
    verda.faults.add("/instances/*", kind="missing_fields", names=bearable)
    found = client.get_instance(made)
    assert found is not None
    assert (found.status, found.price_per_hour) == ("unknown", None)
    verda.faults.add("/instances", kind="missing_fields", names=("id",))
    with pytest.raises(NotUnderstood):
        client.list_instances()
