"""Every fault of the stand-in at every call of a deployment's life, at each step that makes that call.

Afterwards the deployment is where it was going, or has failed in Verda's words and leaves nothing; there
never are more containers or machines than wanted, and what was written down is what it cost, within the
bound of `Life.is_charged_fairly`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from apps.deployments.states import State
from tests.deployments.fake_worker import FakeWorker
from tests.deployments.verda.life import Life, lived, shape
from tests.fakes.verda.faults import Kind

pytestmark = pytest.mark.django_db

# What a whole life asks of Verda; `test_these_are_all_calls` holds it to that.
OF_BOTH = {
    ("POST", "/oauth2/token"),
    ("GET", "/container-deployments"),
    ("GET", "/instances"),
    ("GET", "/container-types"),
    ("GET", "/instance-types"),
    ("GET", "/serverless-compute-resources"),
    ("GET", "/instance-availability"),
    ("GET", "/secrets"),
    ("GET", "/scripts"),
    ("GET", "/container-deployments/*"),
    ("DELETE", "/container-deployments/*"),
}
CALLS = {
    "serverless": OF_BOTH
    | {
        ("POST", "/container-deployments"),
        ("PATCH", "/container-deployments/*"),
        ("GET", "/container-deployments/*/status"),
        ("GET", "/container-deployments/*/replicas"),
        ("GET", "/container-deployments/*/scaling"),
        ("PATCH", "/container-deployments/*/scaling"),
        ("GET", "/container-deployments/*/environment-variables"),
        ("PATCH", "/container-deployments/*/environment-variables"),
        ("POST", "/container-deployments/*/environment-variables"),
        ("DELETE", "/container-deployments/*/environment-variables"),
        ("POST", "/container-deployments/*/pause"),
        ("POST", "/container-deployments/*/resume"),
        ("POST", "/secrets"),
        ("DELETE", "/secrets/*"),
    },
    "dedicated": OF_BOTH
    | {
        ("POST", "/instances"),
        ("PUT", "/instances"),
        ("GET", "/instance-availability/*"),
        ("GET", "/sshkeys"),
        ("POST", "/scripts"),
        ("DELETE", "/scripts/*"),
    },
}
ANSWERS_TEXT = {("POST", "/instances"), ("POST", "/scripts")}
ANSWERS_NOTHING = {
    ("POST", "/secrets"),
    ("POST", "/container-deployments/*/pause"),
    ("POST", "/container-deployments/*/resume"),
    ("PUT", "/instances"),
}
# What only an endpoint acts out, or has to say: which calls it befalls.
BEFALLS: dict[str, set[tuple[str, str]]] = {
    "unknown_status": {("GET", "/instances"), ("GET", "/container-deployments/*/status")},
    "json_id": ANSWERS_TEXT,
    "partial_failure": {("PUT", "/instances")},
}
# What an answer is without: what says whose it is, how it is, and all that is written in it.
MISSING: tuple[tuple[str, ...], ...] = (("id", "name"), ("hostname", "status"), ("list", "containers", "env"))
# Calls that go wrong in one life: each of them once in each step.
AT_ONCE = 4
Call = tuple[str, str]


def befalls(kind: Kind, call: Call) -> bool:
    method, _ = call
    if kind in BEFALLS:
        return call in BEFALLS[kind]
    if kind in ("extra_fields", "missing_fields"):
        return method != "DELETE" and call not in ANSWERS_TEXT | ANSWERS_NOTHING
    # `bills_on` is what `test_bad_days` is about: no platform could write down what nobody tells.
    return kind != "bills_on" and (kind != "delete_ignored" or method in ("DELETE", "PUT"))


def cases() -> list[Any]:
    return [
        pytest.param(of, kind, set(some), id=f"{of}-{kind}-{number}")
        for of in CALLS
        for kind in get_args(Kind)
        for number, some in enumerate(batched([one for one in sorted(CALLS[of]) if befalls(kind, one)]))
    ]


def batched(calls: list[Call]) -> list[list[Call]]:
    """Far apart, so that one does not keep another from being made."""
    lives = -(-len(calls) // AT_ONCE)
    return [calls[first::lives] for first in range(lives)]


@pytest.fixture
def life(of: str, settings: Any, fake_worker: FakeWorker) -> Iterator[Life]:
    with lived(settings, fake_worker, of) as made:
        yield made


def arm(life: Life, kind: Kind, calls: set[Call], number: int = 0) -> None:
    """Once at each of the calls."""
    for method, path in sorted(calls):
        where = path.replace("/container-deployments/*", f"/container-deployments/{life.name}")
        names = MISSING[number % len(MISSING)]
        if kind == "dead_refresh_token":
            # Refreshed is what has expired.
            life.verda.faults.add("/oauth2/token", kind=kind)
            kind = "expired_token"
        life.verda.faults.add(where, method, kind=kind, names=names, seconds=0.2 if kind == "slow" else 1)


def live(life: Life, kind: Kind, calls: set[Call]) -> None:
    life.keeps_lists = kind == "dead_refresh_token"
    for number, step in enumerate(life.steps):
        life.begin(step)
        arm(life, kind, calls, number)
        life.finish(step)
    if life.deployment.state != State.FAILED:
        assert life.deployment.state == State.STOPPED
        life.leaves_nothing()
    life.is_charged_fairly(unseen_looks=life.blind_looks)


@pytest.mark.parametrize("of", CALLS)
def test_these_are_all_calls(life: Life) -> None:
    for step in life.steps:
        life.begin(step)
        life.finish(step)
    life.leaves_nothing()
    assert life.failures == []
    assert {(call.method, shape(call.path)) for call in life.verda.calls} == CALLS[life.kind]
    life.is_charged_fairly(unseen_looks=0)


@pytest.mark.parametrize("of", CALLS)
def test_a_day_when_every_call_is_cut_off_once(life: Life) -> None:
    """Each was done, and nobody was told."""
    live(life, "dropped_after", CALLS[life.kind])


@pytest.mark.slow
@pytest.mark.parametrize(("of", "kind", "calls"), cases())
def test_each_fault_at_each_call(life: Life, kind: Kind, calls: set[Call]) -> None:
    live(life, kind, calls)
