"""Tokens: when they are fetched, renewed, and fetched anew."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from verda.authentication import AuthenticationService  # type: ignore[import-untyped, unused-ignore]

from apps.deployments.providers.verda import Bounds, VerdaClient
from apps.deployments.providers.verda.auth import Authentication
from apps.deployments.providers.verda.errors import (
    InvalidRequest,
    NotFound,
    NotUnderstood,
    ServerError,
    Unauthorized,
)
from apps.deployments.providers.verda.transport import Transport
from tests.deployments.verda.conftest import Make, Time
from tests.deployments.verda.scripted import Reply, Scripted
from tests.fakes.verda import FakeVerda


def grants(verda: FakeVerda) -> list[str]:
    return [call.body["grant_type"] for call in verda.calls.to("/oauth2/token")]


def test_nothing_is_sent_before_the_first_call(client: VerdaClient, verda: FakeVerda) -> None:
    assert not verda.calls


def test_one_token_serves_many_calls(client: VerdaClient, verda: FakeVerda) -> None:
    client.authenticate()
    client.balance()
    client.balance()
    assert grants(verda) == ["client_credentials"]


def test_it_is_the_sdks_keeper() -> None:
    assert issubclass(Authentication, AuthenticationService)


def test_wrong_credentials_are_told_once(make: Make, verda: FakeVerda) -> None:
    with pytest.raises(Unauthorized) as caught:
        make(client_secret="wrong-secret").balance()
    assert caught.value.permanent
    assert "Invalid client id or client secret" in str(caught.value)
    assert "wrong-secret" not in str(caught.value)
    assert grants(verda) == ["client_credentials"]


def test_missing_credentials_are_told_before_any_call(make: Make) -> None:
    with pytest.raises(InvalidRequest):
        make(client_secret="")


@pytest.mark.parametrize(
    "url", ["", "api.verda.com/v1", "ftp://api.verda.com", "https://me:pw@api.verda.com"]
)
def test_a_wrong_address_is_told_before_any_call(make: Make, url: str) -> None:
    with pytest.raises(InvalidRequest):
        make(base_url=url)


def test_the_token_is_renewed_half_a_minute_early(client: VerdaClient, verda: FakeVerda) -> None:
    client.balance()
    verda.clock.advance(3600 - 31)
    client.balance()
    assert grants(verda) == ["client_credentials"]
    verda.clock.advance(1)
    client.balance()
    assert grants(verda) == ["client_credentials", "refresh_token"]


def test_a_dead_refresh_token_is_no_end(client: VerdaClient, verda: FakeVerda) -> None:
    client.balance()
    verda.tokens.kill_refresh()
    verda.clock.advance(4000)
    client.balance()
    assert grants(verda) == ["client_credentials", "refresh_token", "client_credentials"]


def test_the_fault_of_a_dead_refresh_token_is_no_end(client: VerdaClient, verda: FakeVerda) -> None:
    client.balance()
    verda.faults.add("/oauth2/token", kind="dead_refresh_token")
    verda.clock.advance(4000)
    client.balance()
    assert grants(verda) == ["client_credentials", "refresh_token", "client_credentials"]


def test_a_token_that_dies_early_is_renewed_and_the_call_repeated(
    client: VerdaClient, verda: FakeVerda
) -> None:
    client.balance()
    verda.faults.add("/balance", kind="expired_token")
    verda.faults.add("/container-deployments/vf/restart", kind="expired_token")
    client.balance()
    with pytest.raises(NotFound):
        client.restart("vf")
    assert verda.calls.count("/container-deployments/vf/restart") == 2
    assert grants(verda) == ["client_credentials", "refresh_token", "refresh_token"]


def test_everything_revoked_is_no_end(client: VerdaClient, verda: FakeVerda) -> None:
    client.balance()
    verda.tokens.revoke_all()
    client.balance()
    assert grants(verda) == ["client_credentials", "refresh_token", "client_credentials"]


def test_a_second_refusal_is_told(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add("/balance", kind="expired_token", times=9)
    with pytest.raises(Unauthorized) as caught:
        client.balance()
    assert caught.value.status == 401
    assert verda.calls.count("/balance") == 2


def test_the_token_endpoint_is_asked_again(client: VerdaClient, verda: FakeVerda, time: Time) -> None:
    verda.faults.add("/oauth2/token", kind="unavailable", times=2)
    verda.faults.add("/oauth2/token", kind="dropped_before")
    client.balance()
    assert len(grants(verda)) == 3
    assert len(time.slept) == 2


def test_a_token_endpoint_that_stays_away_is_told(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add("/oauth2/token", kind="bad_gateway", times=9)
    with pytest.raises(ServerError) as caught:
        client.balance()
    assert caught.value.retryable


def test_a_refresh_that_fails_for_now_keeps_the_refresh_token(client: VerdaClient, verda: FakeVerda) -> None:
    client.balance()
    verda.clock.advance(4000)
    verda.faults.add("/oauth2/token", kind="server_error", times=5)
    with pytest.raises(ServerError):
        client.balance()
    client.balance()
    assert grants(verda) == ["client_credentials", *["refresh_token"] * 6]


def test_threads_share_one_renewal(client: VerdaClient, verda: FakeVerda) -> None:
    client.balance()
    verda.tokens.expire_access()
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        client.balance()

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(ask) for _ in range(8)]:
            done.result()
    assert grants(verda) == ["client_credentials", "refresh_token"]


def test_fields_that_are_new_are_passed_over(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add("/oauth2/token", kind="extra_fields")
    client.balance()


def test_a_missing_lifetime_is_assumed(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add("/oauth2/token", kind="missing_fields", names=("expires_in", "scope", "refresh_token"))
    client.balance()
    verda.clock.advance(301)
    client.balance()
    assert grants(verda) == ["client_credentials", "client_credentials"]


def test_a_missing_token_is_not_understood(client: VerdaClient, verda: FakeVerda) -> None:
    verda.faults.add("/oauth2/token", kind="missing_fields", names=("access_token",), times=9)
    with pytest.raises(NotUnderstood, match="access_token"):
        client.balance()


def test_a_token_for_no_header_is_not_understood(make: Make) -> None:
    body = b'{"access_token": "one\\ntwo", "expires_in": 100}'
    with Scripted(Reply(body=body)) as server, pytest.raises(NotUnderstood):
        make(base_url=server.url).balance()


def test_a_short_life_is_not_renewed_at_every_call(make: Make, verda: FakeVerda) -> None:
    verda.tokens.expires_in = 20
    client = make()
    client.balance()
    client.balance()
    verda.clock.advance(11)
    client.balance()
    assert grants(verda) == ["client_credentials", "refresh_token"]


def test_how_long_the_answer_took_is_off_its_life() -> None:
    at = [0.0]
    body = b'{"access_token": "one", "expires_in": 100}'
    with Scripted(Reply(body=body)) as server:

        def pass_time() -> None:
            at[0] += 50

        server.on_reply = pass_time
        bounds = Bounds(budget_seconds=200.0)
        keeper = Authentication(
            "id", "secret", server.url, Transport(bounds, clock=lambda: at[0]), clock=lambda: at[0]
        )
        keeper.authenticate()
    at[0] = 69.0
    assert not keeper.is_expired()
    at[0] = 70.0
    assert keeper.is_expired()


def test_secrets_are_in_no_repr(client: VerdaClient, verda: FakeVerda) -> None:
    client.balance()
    shown = repr(client) + repr(client._auth) + str(client._auth)
    assert verda.client_secret not in shown
    assert verda.client_id not in shown
    assert client._auth.token() not in shown
