"""What a worker's `/ready` is taken for."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from apps.deployments.probing import Address, Probe, probe_all, read_answer
from gpu_worker.protocol import PROTOCOL
from tests.deployments.fake_worker import FakeWorker, readiness


def ask(worker: FakeWorker, token: str = "") -> Probe:
    [probe] = probe_all([Address(worker.url, token)])
    return probe


def test_a_worker_that_is_ready(fake_worker: FakeWorker) -> None:
    fake_worker.says(queue={"active": 2, "waiting": 3, "capacity": 8})
    probe = ask(fake_worker, token="t0ken")
    assert (probe.is_ready, probe.message, probe.in_flight) == (True, "", 5)
    assert probe.capabilities["voices"] == ["heart"]
    assert fake_worker.headers["X-Worker-Token"] == "t0ken"


@pytest.mark.parametrize("status", ["loading", "draining"])
def test_a_worker_that_is_not_ready_says_so(fake_worker: FakeWorker, status: str) -> None:
    fake_worker.says(503, status=status)
    probe = ask(fake_worker)
    assert (probe.is_ready, probe.answered, probe.message) == (False, True, f"It is {status}.")


@pytest.mark.parametrize("status", [200, 503])
def test_another_protocol_is_incompatible_whatever_else_it_says(fake_worker: FakeWorker, status: int) -> None:
    fake_worker.says(status, protocol=PROTOCOL + 1, models=None)
    probe = ask(fake_worker)
    assert (probe.is_ready, probe.is_compatible) == (False, False)
    assert f"protocol {PROTOCOL + 1}, this platform protocol {PROTOCOL}" in probe.message


def test_nobody_listens() -> None:
    with FakeWorker() as gone:
        pass
    probe = ask(gone)
    assert (probe.is_ready, probe.answered, probe.timed_out) == (False, False, False)
    assert "could not be reached" in probe.message


@pytest.mark.slow
def test_one_that_hangs_holds_no_other_back(fake_worker: FakeWorker) -> None:
    fake_worker.may_answer.clear()
    with FakeWorker() as healthy:
        hanging, well = probe_all([Address(fake_worker.url), Address(healthy.url)])
    assert hanging.timed_out
    assert well.is_ready


BROKEN: list[Any] = [
    b"",
    b"OK",
    b"[]",
    b'"ready"',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"protocol": true}',
    b'{"protocol": "1"}',
    {"models": []},
    {"voices": []},
    {"voices": "heart"},
    {"models": [1]},
    {"features": None},
    {"max_batch": 0},
    {"max_batch": True},
    {"max_batch": "4"},
    {"queue": None},
    {"queue": {"active": -1, "waiting": 0}},
    {"queue": {"active": 2**31, "waiting": 0}},
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: str(broken)[:40])
def test_an_answer_that_breaks_the_contract_is_not_ready(fake_worker: FakeWorker, broken: Any) -> None:
    if isinstance(broken, dict):
        fake_worker.says(**broken)
    else:
        fake_worker.body = broken
    probe = ask(fake_worker)
    assert not probe.is_ready
    assert probe.message


def test_fields_of_a_later_release_are_left_aside() -> None:
    body = str(readiness(mood="fine")).replace("'", '"').encode()
    assert "mood" not in read_answer(timezone.now(), 200, body).capabilities


@pytest.mark.parametrize("status", [301, 404, 500])
def test_other_statuses_are_not_ready(status: int) -> None:
    assert f"with {status}" in read_answer(timezone.now(), status, b"").message
