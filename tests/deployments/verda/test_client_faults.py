"""What goes wrong with deployments: each fault of the stand-in, and what the client makes of it."""

from __future__ import annotations

import pytest

from apps.deployments.providers.verda import Bounds, VerdaClient
from apps.deployments.providers.verda.errors import (
    Forbidden,
    InvalidRequest,
    NotUnderstood,
    ServerError,
)
from apps.deployments.providers.verda.types import ContainerSpec
from tests.deployments.verda.conftest import Make, Time
from tests.deployments.verda.scripted import Reply, Scripted
from tests.fakes.verda import FakeVerda
from tests.fakes.verda.faults import Kind

BASE = "/container-deployments"


@pytest.mark.parametrize("kind", ["dropped_after", "dropped_before", "server_error", "rate_limited"])
def test_a_deletion_is_sent_again(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec, kind: Kind
) -> None:
    client.create_container_deployment(spec)
    verda.faults.add(BASE + "/vf-tts", "DELETE", kind=kind)
    client.delete_container_deployment("vf-tts")
    assert verda.calls.count(BASE + "/vf-tts", "DELETE") == 2
    assert not verda.containers


def test_a_deletion_that_did_nothing_is_seen(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec
) -> None:
    client.create_container_deployment(spec)
    verda.faults.add(BASE + "/vf-tts", "DELETE", kind="delete_ignored")
    client.delete_container_deployment("vf-tts")
    assert client.get_container_deployment("vf-tts") is not None


def test_a_deletion_that_outlasts_the_wait_is_no_error(make: Make) -> None:
    token = Reply(body=b'{"access_token": "one", "expires_in": 100}')
    with Scripted(token, Reply(408, b'{"message":"still deleting"}')) as server:
        make(base_url=server.url).delete_container_deployment("vf-tts")
    assert [seen.method for seen in server.seen] == ["POST", "DELETE"]


def test_a_forbidden_call_is_told(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add(BASE, kind="forbidden")
    with pytest.raises(Forbidden) as caught:
        client.list_container_deployments()
    assert (caught.value.status, caught.value.code, caught.value.permanent) == (403, "forbidden_action", True)
    assert verda.calls.count(BASE) == 1


@pytest.mark.parametrize("kind", ["server_error", "unavailable", "bad_gateway", "rate_limited"])
def test_reading_outlives_a_bad_moment(client: VerdaClient, verda: FakeVerda, kind: Kind) -> None:
    verda.faults.add(BASE, "GET", times=2, kind=kind)
    assert client.list_container_deployments() == []


def test_a_bad_hour_is_told_in_words(client: VerdaClient, verda: FakeVerda, time: Time) -> None:
    verda.faults.add(BASE, "GET", times=9, kind="unavailable")
    with pytest.raises(ServerError, match="Injected: unavailable") as caught:
        client.list_container_deployments()
    assert (caught.value.status, caught.value.code) == (503, "service_unavailable")
    assert caught.value.retryable


def test_a_slow_answer_is_not_waited_for(make: Make, verda: FakeVerda) -> None:
    client = make(bounds=Bounds(read_timeout_seconds=0.1, attempts=2))
    verda.faults.add(BASE, "GET", kind="slow", seconds=0.5)
    assert client.list_container_deployments() == []
    assert verda.calls.count(BASE, "GET") == 2


def test_a_message_without_a_code_is_told(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add(BASE, kind="message_only")
    with pytest.raises(InvalidRequest, match="Something about this is not right") as caught:
        client.list_container_deployments()
    assert (caught.value.status, caught.value.code) == (400, "invalid_request")


def test_new_fields_are_passed_over(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    verda.faults.add(BASE + "*", kind="extra_fields", times=2)
    made = client.create_container_deployment(spec)
    assert client.get_container_deployment("vf-tts") == made


def test_missing_details_are_borne(client: VerdaClient, verda: FakeVerda, spec: ContainerSpec) -> None:
    client.create_container_deployment(spec)
    names = ("containers", "compute", "created_at", "endpoint_base_url", "is_spot")
    verda.faults.add(BASE + "/vf-tts", kind="missing_fields", names=names)
    found = client.get_container_deployment("vf-tts")
    assert found is not None
    assert (found.name, found.image, found.created_at) == ("vf-tts", "", None)


def test_a_deployment_without_a_name_is_not_understood(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec
) -> None:
    verda.faults.add(BASE, kind="missing_fields", names=("name",))
    with pytest.raises(NotUnderstood, match="name") as caught:
        client.create_container_deployment(spec)
    assert caught.value.outcome_unknown


def test_a_status_that_is_missing_is_not_understood(
    client: VerdaClient, verda: FakeVerda, spec: ContainerSpec
) -> None:
    client.create_container_deployment(spec)
    verda.faults.add(BASE + "/vf-tts/status", kind="missing_fields", names=("status",))
    with pytest.raises(NotUnderstood):
        client.container_status("vf-tts")
