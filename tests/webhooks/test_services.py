"""Endpoints added, changed, rotated, disabled and removed: limits, secrets, and two at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Organization
from apps.core.errors import AppError, Conflict, InvalidRequest, NotFound
from apps.core.ids import uuid7_floor
from apps.webhooks import attempts, claims, services, signing
from apps.webhooks.models import Delivery, Endpoint, EndpointSecret, Lane
from apps.webhooks.services import MAX_ENDPOINTS, MAX_SECRETS, IssuedSecret
from tests.keys.test_services_at_once import at_once
from tests.webhooks.rows import URL, cause, delivery, endpoint

TOKEN = "Bearer token-of-acme"


@pytest.fixture
def one(acme: Organization) -> IssuedSecret:
    return endpoint(acme, headers={"Authorization": TOKEN})


def signed_with(of: Endpoint, now: datetime) -> list[str]:
    """The signatures that a delivery would carry at that moment."""
    known = Endpoint.objects.prefetch_related("secrets").get(pk=of.pk)
    zero = uuid7_floor(now)
    claim = claims.Claim(zero, zero, "key.created", "{}", 1, now, zero, of.pk)
    return attempts.headers_of(known, claim)["webhook-signature"].split()


def expected(secret: str, now: datetime) -> str:
    return signing.headers(f"evt_{uuid7_floor(now).hex}", moment=now, body="{}", secrets=[secret])[
        "webhook-signature"
    ]


# ---- limits ------------------------------------------------------------------------------------------


def test_so_many_endpoints_and_no_more(acme: Organization, globex: Organization) -> None:
    made = [endpoint(acme).endpoint for _ in range(MAX_ENDPOINTS)]
    with pytest.raises(Conflict):
        endpoint(acme)
    services.disable_endpoint(endpoint=made[0])
    with pytest.raises(Conflict):
        endpoint(acme)
    endpoint(globex)
    services.delete_endpoint(endpoint=made[0])
    assert endpoint(acme).endpoint.lanes.count() == Lane.objects.filter(endpoint=made[1]).count() > 0


@pytest.mark.django_db(transaction=True)
def test_the_last_place_is_given_once(acme: Organization) -> None:
    for _ in range(MAX_ENDPOINTS - 1):
        endpoint(acme)
    answers = at_once(2, lambda: endpoint(acme))
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    assert Endpoint.objects.count() == EndpointSecret.objects.count() == MAX_ENDPOINTS


@pytest.mark.parametrize(
    "headers",
    [
        *({name: "v"} for name in ("a\r\nb", "a b", "", "a:", "ü", "x" * 65)),
        *({"a": value} for value in ("v\r\nb: c", "a\nb", "\r", "ü", "", " ", "\x00", "x" * 1001, 5, None)),
        *(
            {name: "v"}
            for name in ("host", "Content-Type", "CONTENT-LENGTH", "transfer-encoding", "user-agent")
        ),
        *({name: "v"} for name in ("webhook-id", "Webhook-Signature", "webhook-anything", "connection")),
        {"x": "1", "X": "2"},
        {f"x-{number}": "v" for number in range(21)},
    ],
)
def test_headers_that_cannot_be_sent(acme: Organization, headers: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        endpoint(acme, headers=headers)
    assert refused.value.param == "headers"
    assert not Endpoint.objects.exists()


def test_headers_that_can(acme: Organization) -> None:
    made = endpoint(acme, headers={f"X-{number}": f" a\tb {number} " for number in range(20)}).endpoint
    assert made.own_headers["x-7"] == "a\tb 7"


@pytest.mark.parametrize("per_minute", [0, -1, services.MAX_RATE_PER_MINUTE + 1])
def test_a_rate_out_of_bounds(acme: Organization, one: IssuedSecret, per_minute: int) -> None:
    for ask in (
        lambda: endpoint(acme, rate_limit_per_minute=per_minute),
        lambda: services.change_endpoint(endpoint=one.endpoint, rate_limit_per_minute=per_minute),
    ):
        with pytest.raises(InvalidRequest) as refused:
            ask()
        assert refused.value.param == "rate_limit_per_minute"
    assert endpoint(acme, rate_limit_per_minute=1).endpoint.rate_limit_per_minute == 1


def test_only_what_is_named_changes(one: IssuedSecret) -> None:
    services.change_endpoint(endpoint=one.endpoint, rate_limit_per_minute=5)
    services.change_endpoint(endpoint=one.endpoint, description="Second", events=["key.*"])
    changed = Endpoint.objects.get()
    assert (changed.url, changed.rate_limit_per_minute, changed.description) == (URL, 5, "Second")
    assert (changed.events, changed.own_headers) == (["key.*"], {"authorization": TOKEN})
    assert one.endpoint.description == "Second"
    services.change_endpoint(endpoint=one.endpoint, rate_limit_per_minute=None, headers={})
    changed = Endpoint.objects.get()
    assert (changed.rate_limit_per_minute, changed.own_headers) == (None, {})


# ---- at rest -----------------------------------------------------------------------------------------


def test_secrets_and_headers_are_encrypted_at_rest(one: IssuedSecret) -> None:
    services.rotate_secret(endpoint=one.endpoint)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM webhooks_endpoint AS e")
        rows = cursor.fetchall()
        cursor.execute("SELECT secret FROM webhooks_endpointsecret")
        rows += cursor.fetchall()
    kept = "".join(row[0] for row in rows)
    assert "gAAAA" in kept
    for secret in (TOKEN, "authorization", "whsec_", one.secret.removeprefix("whsec_")):
        assert secret not in kept


# ---- rotation ----------------------------------------------------------------------------------------


def test_both_secrets_sign_until_the_overlap_is_over(one: IssuedSecret) -> None:
    new = services.rotate_secret(endpoint=one.endpoint, overlap_seconds=3600)
    now = timezone.now()
    assert signed_with(one.endpoint, now) == [expected(new.secret, now), expected(one.secret, now)]
    later = now + timedelta(seconds=3601)
    assert signed_with(one.endpoint, later) == [expected(new.secret, later)]


def test_without_an_overlap_the_old_one_is_gone(one: IssuedSecret) -> None:
    services.rotate_secret(endpoint=one.endpoint, overlap_seconds=3600)
    new = services.rotate_secret(endpoint=one.endpoint, overlap_seconds=0)
    now = timezone.now()
    assert signed_with(one.endpoint, now) == [expected(new.secret, now)]
    assert [row.secret for row in EndpointSecret.objects.all()] == [new.secret]


def test_a_shorter_overlap_shortens_those_before(one: IssuedSecret) -> None:
    services.rotate_secret(endpoint=one.endpoint, overlap_seconds=services.MAX_OVERLAP_SECONDS)
    services.rotate_secret(endpoint=one.endpoint, overlap_seconds=60)
    soon = timezone.now() + timedelta(seconds=61)
    ends = EndpointSecret.objects.exclude(expires_at=None).values_list("expires_at", flat=True)
    assert len(ends) == 2
    assert all(end is not None and end < soon for end in ends)


def test_a_longer_one_does_not_lengthen_those_before(one: IssuedSecret) -> None:
    services.rotate_secret(endpoint=one.endpoint, overlap_seconds=60)
    services.rotate_secret(endpoint=one.endpoint, overlap_seconds=3600)
    later = timezone.now() + timedelta(seconds=120)
    assert len(signed_with(one.endpoint, timezone.now())) == 3
    assert expected(one.secret, later) not in signed_with(one.endpoint, later)


def test_a_request_carries_so_many_signatures_at_most(one: IssuedSecret) -> None:
    secrets = [one.secret]
    secrets += [services.rotate_secret(endpoint=one.endpoint).secret for _ in range(MAX_SECRETS + 2)]
    now = timezone.now()
    newest = [expected(secret, now) for secret in secrets[: -MAX_SECRETS - 1 : -1]]
    assert signed_with(one.endpoint, now) == newest
    assert EndpointSecret.objects.count() == MAX_SECRETS


def test_expired_secrets_go_with_the_next_rotation(one: IssuedSecret) -> None:
    services.rotate_secret(endpoint=one.endpoint, overlap_seconds=60)
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        services.rotate_secret(endpoint=one.endpoint, overlap_seconds=60)
    assert EndpointSecret.objects.count() == 2


@pytest.mark.parametrize("overlap", [-1, services.MAX_OVERLAP_SECONDS + 1])
def test_an_overlap_out_of_bounds(one: IssuedSecret, overlap: int) -> None:
    with pytest.raises(InvalidRequest):
        services.rotate_secret(endpoint=one.endpoint, overlap_seconds=overlap)
    assert EndpointSecret.objects.get().secret == one.secret


@pytest.mark.django_db(transaction=True)
def test_rotations_at_once_leave_one_secret_in_use(acme: Organization) -> None:
    made = endpoint(acme).endpoint
    answers = at_once(3, lambda: services.rotate_secret(endpoint=Endpoint.objects.get(pk=made.pk)))
    assert not any(isinstance(answer, AppError) for answer in answers)
    assert EndpointSecret.objects.filter(expires_at=None).count() == 1
    assert EndpointSecret.objects.count() == 4


# ---- disabled, enabled, deleted ----------------------------------------------------------------------


def test_what_waits_is_kept_and_what_happens_is_not_queued(acme: Organization, one: IssuedSecret) -> None:
    waiting = delivery(one.endpoint)
    services.disable_endpoint(endpoint=one.endpoint)
    services.disable_endpoint(endpoint=one.endpoint, because=Endpoint.Disabled.BY_STAFF)
    assert one.endpoint.state == Endpoint.State.DISABLED
    assert one.endpoint.disabled_because == Endpoint.Disabled.BY_PERSON
    cause(acme)
    assert Delivery.objects.get() == waiting
    assert claims.claim_next(one.endpoint.pk) is None


def test_enabling_sends_what_waited_and_forgets_the_failures(
    one: IssuedSecret, django_capture_on_commit_callbacks: Any
) -> None:
    waiting = delivery(one.endpoint, due_at=timezone.now() - timedelta(minutes=1))
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=5))
    services.disable_endpoint(endpoint=one.endpoint, because=Endpoint.Disabled.FAILING)
    with django_capture_on_commit_callbacks() as called:
        services.enable_endpoint(endpoint=one.endpoint)
        services.enable_endpoint(endpoint=one.endpoint)
    assert len(called) == 1
    assert one.endpoint.state == Endpoint.State.ENABLED
    claim = claims.claim_next(one.endpoint.pk)
    assert claim is not None
    assert claim.delivery_id == waiting.pk


def test_nothing_can_be_done_to_a_deleted_one(acme: Organization, one: IssuedSecret) -> None:
    services.delete_endpoint(endpoint=one.endpoint)
    for ask in (
        lambda: services.delete_endpoint(endpoint=one.endpoint),
        lambda: services.change_endpoint(endpoint=one.endpoint, description="n"),
        lambda: services.rotate_secret(endpoint=one.endpoint),
        lambda: services.enable_endpoint(endpoint=one.endpoint),
        lambda: services.disable_endpoint(endpoint=one.endpoint),
        lambda: services.endpoint_of(acme, one.endpoint.pk),
    ):
        with pytest.raises(NotFound):
            ask()
    kept = Endpoint.objects.get()
    assert (kept.headers, kept.secrets.count()) == ("", 0)
    cause(acme)
    assert not Delivery.objects.exists()


def test_another_organizations_is_not_found(globex: Organization, one: IssuedSecret) -> None:
    with pytest.raises(NotFound):
        services.endpoint_of(globex, one.endpoint.pk)
