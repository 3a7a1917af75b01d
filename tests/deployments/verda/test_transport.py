"""Timeouts, retries and bounds, against a server that answers anything."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from apps.deployments.providers.verda.errors import (
    NotFound,
    NotUnderstood,
    RateLimited,
    ServerError,
    Unreachable,
    VerdaError,
)
from apps.deployments.providers.verda.transport import Bounds, Transport
from tests.deployments.verda.scripted import Reply, Scripted
from tests.deployments.verda.sending import TOKEN, Time, call, transport


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_get_and_delete_are_repeated_on_what_passes(method: str, status: int) -> None:
    time = Time()
    with Scripted(Reply(status), Reply(status), Reply(body=b'{"a":1}')) as server:
        assert transport(time).send(call(server, method)).json() == {"a": 1}
    assert len(server.seen) == 3
    assert time.slept == [0.5, 1.0]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_what_has_effects_is_not_repeated(method: str) -> None:
    with Scripted(Reply(503), Reply()) as server, pytest.raises(ServerError) as caught:
        transport(Time()).send(call(server, method))
    assert len(server.seen) == 1
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("status", [400, 402, 404, 409, 422])
def test_a_refusal_is_not_repeated(status: int) -> None:
    with Scripted(Reply(status)) as server, pytest.raises(VerdaError) as caught:
        transport(Time()).send(call(server))
    assert len(server.seen) == 1
    assert caught.value.permanent
    assert not caught.value.retryable
    assert not caught.value.outcome_unknown


def test_a_dropped_connection_is_repeated() -> None:
    with Scripted(Reply(drops=True), Reply()) as server:
        assert transport(Time()).send(call(server)).status == 200
    assert len(server.seen) == 2


def test_a_post_whose_connection_drops_may_have_been_done() -> None:
    with Scripted(Reply(drops=True)) as server, pytest.raises(Unreachable) as caught:
        transport(Time()).send(call(server, "POST"))
    assert caught.value.outcome_unknown
    assert caught.value.retryable
    assert caught.value.status is None


def test_a_post_that_reaches_nobody_was_not_done() -> None:
    with Scripted() as server:
        pass
    with pytest.raises(Unreachable) as caught:
        transport(Time()).send(call(server, "POST"))
    assert not caught.value.outcome_unknown


def test_attempts_are_bounded() -> None:
    time = Time()
    with Scripted(Reply(503)) as server, pytest.raises(ServerError):
        transport(time).send(call(server))
    assert len(server.seen) == Bounds().attempts
    assert time.slept == [0.5, 1.0, 2.0, 4.0]


def test_the_budget_spans_all_attempts() -> None:
    time = Time()
    with Scripted(Reply(503)) as server, pytest.raises(ServerError):
        transport(time, budget_seconds=3.0).send(call(server))
    assert sum(time.slept) < 3.0
    assert len(server.seen) == 3


@pytest.mark.parametrize(("jitter", "first"), [(0.0, 0.25), (1.0, 0.75)])
def test_pauses_vary_by_half(jitter: float, first: float) -> None:
    time = Time()
    with Scripted(Reply(503), Reply()) as server:
        transport(time, jitter=jitter).send(call(server))
    assert time.slept == [first]


def test_pauses_stay_below_half_a_minute() -> None:
    time = Time()
    with Scripted(Reply(503)) as server, pytest.raises(ServerError):
        transport(time, jitter=1.0, attempts=12, budget_seconds=10_000.0).send(call(server))
    assert max(time.slept) == 30.0


@pytest.mark.parametrize("value", ["7", "Sun, 06 Nov 1994 08:49:44 GMT"])
def test_retry_after_is_honoured_by_the_servers_clock(value: str) -> None:
    time = Time()
    with Scripted(Reply(429, headers={"Retry-After": value}), Reply()) as server:
        server.date = "Sun, 06 Nov 1994 08:49:37 GMT"
        transport(time).send(call(server))
    assert time.slept == [7.0]


def test_a_wait_longer_than_the_budget_is_left_to_the_caller() -> None:
    time = Time()
    with (
        Scripted(Reply(429, headers={"Retry-After": "3600"})) as server,
        pytest.raises(RateLimited) as caught,
    ):
        transport(time).send(call(server))
    assert not time.slept
    assert caught.value.retry_after_seconds == 3600.0


@pytest.mark.parametrize("value", ["soon", "-1", "Sun, 99 Nov", ""])
def test_a_senseless_retry_after_is_passed_over(value: str) -> None:
    time = Time()
    with Scripted(Reply(503, headers={"Retry-After": value}), Reply()) as server:
        transport(time).send(call(server))
    assert time.slept == [0.5]


def test_a_read_times_out() -> None:
    with Scripted(Reply(body=b"....", drips_seconds=0.3)) as server, pytest.raises(Unreachable):
        transport(Time(), read_timeout_seconds=0.1, attempts=1).send(call(server))


def test_an_answer_that_drips_ends_with_the_budget() -> None:
    time = Time()

    def pass_a_minute() -> None:
        time.at += 60.0

    with Scripted(Reply(body=b"." * 4, drips_seconds=0.01)) as server:
        server.on_reply = pass_a_minute
        with pytest.raises(Unreachable, match="did not end in time"):
            transport(time, budget_seconds=50.0).send(call(server))


def test_a_long_answer_is_cut_off() -> None:
    with Scripted(Reply(body=b"x" * 2000)) as server, pytest.raises(NotUnderstood, match="longer than 1000"):
        transport(Time(), body_bytes=1000).send(call(server))


def test_a_long_answer_hidden_in_a_short_one_is_cut_off() -> None:
    packed = gzip.compress(b"x" * 3_000_000)
    with (
        Scripted(Reply(body=packed, headers={"Content-Encoding": "gzip"})) as server,
        pytest.raises(NotUnderstood, match="longer than"),
    ):
        transport(Time(), body_bytes=1_000_000).send(call(server))


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("size", [2, 300_000])
def test_whole_answers_arrive_whole(size: int, is_chunked: bool) -> None:
    body = b'"' + b"x" * size + b'"'
    with Scripted(Reply(body=body, is_chunked=is_chunked)) as server:
        assert transport(Time()).send(call(server)).json() == "x" * size


def test_half_an_answer_is_none() -> None:
    with Scripted(Reply(body=b'{"a":', claims=100), Reply(body=b'{"a":1}')) as server:
        assert transport(Time()).send(call(server)).json() == {"a": 1}
    assert len(server.seen) == 2


def test_the_token_is_stronger_than_a_netrc(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password mischief\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with Scripted() as server:
        transport(Time()).send(call(server))
    assert server.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_cookies_are_not_kept() -> None:
    with Scripted(Reply(headers={"Set-Cookie": "a=b; Path=/"})) as server:
        sender = transport(Time())
        sender.send(call(server))
        sender.send(call(server))
    assert "Cookie" not in server.seen[1].headers


def test_connections_are_used_again() -> None:
    with Scripted(Reply(503), Reply(status=204, body=b""), Reply(404), Reply()) as server:
        sender = transport(Time())
        sender.send(call(server))
        with pytest.raises(NotFound):
            sender.send(call(server))
        sender.send(call(server))
        assert len({seen.port for seen in server.seen}) == 1


def test_the_limiter_is_asked_before_every_attempt() -> None:
    asked: list[int] = []

    class Limiter:
        def acquire(self) -> None:
            asked.append(1)

    time = Time()
    with Scripted(Reply(503), Reply()) as server:
        Transport(Bounds(), limiter=Limiter(), sleep=time.sleep, clock=time.now).send(call(server))
    assert len(asked) == 2


def test_an_accepted_status_is_an_answer() -> None:
    with Scripted(Reply(408)) as server:
        answer = transport(Time()).send(call(server, "DELETE", accept=frozenset({408})))
    assert answer.status == 408
