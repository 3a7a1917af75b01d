"""What a key and its organization are bound to, as a caller meets it: addresses, voices, rates, months."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.deployments.models import Worker
from apps.keys.models import ApiKey
from apps.keys.services import restrict_key
from apps.usage.services import set_limits
from tests.gpu_worker.worker_process import running_worker
from tests.platform import Tenant, deploy, until, wait_for_route
from tests.tts.test_bad_days import LONG, streaming

TEXT = "Hello there."


def restrict(tenant: Tenant, mode: str = "live", **restrictions: Any) -> None:
    key = ApiKey.objects.get(organization=tenant.organization, mode=mode)
    restrict_key(key=key, by=None, **restrictions)


def limit(tenant: Tenant, **limits: Any) -> None:
    unset: dict[str, Any] = dict.fromkeys(
        ["requests_per_minute", "concurrent_requests", "characters_per_request"]
    )
    set_limits(organization=tenant.organization, **unset | limits)


def bind(tenant: Tenant, whose: str, **bounds: Any) -> None:
    (restrict if whose == "key" else limit)(tenant, **bounds)


@pytest.mark.parametrize("whose", ["key", "organization"])
def test_from_an_address_that_is_not_listed_nothing_is_let_in(acme: Tenant, cpu: Worker, whose: str) -> None:
    bind(acme, whose, allowed_ips=["127.0.0.0/8"])
    assert acme.generate(TEXT).status_code == 200
    assert acme.api("GET", "/api/keys").status_code == 200
    bind(acme, whose, allowed_ips=["203.0.113.7"])
    # Nobody of ours stands in between: what the caller says of itself counts for nothing.
    spoofed = acme.post({"text": TEXT}, **{"X-Forwarded-For": "203.0.113.7"})
    for refused in (acme.generate(TEXT), spoofed):
        assert refused.status_code == 403
        error = refused.json()["error"]
        assert error["code"] == "address_not_allowed"
        assert "127.0.0.1" in error["message"]
    # The management API trusts what it knows of a key for a second.
    managed = until(
        lambda: (answer := acme.api("GET", "/api/keys")).status_code == 403 and answer, what="the refusal"
    )
    assert managed.json()["error"]["code"] == "address_not_allowed"
    assert len(acme.records()) == 1


@pytest.mark.parametrize("whose", ["key", "organization"])
def test_a_voice_that_is_not_listed_is_not_spoken(acme: Tenant, cpu: Worker, whose: str) -> None:
    bind(acme, whose, allowed_voices=["heart"])
    assert acme.generate(TEXT).status_code == 200
    bind(acme, whose, allowed_voices=["somebody"])
    for body in ({}, {"voice": "heart"}):
        refused = acme.generate(TEXT, **body)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "voice_not_allowed"
        assert refused.json()["error"]["param"] == "voice"
    bind(acme, whose, allowed_voices=[])
    assert acme.generate(TEXT).status_code == 200
    acme.settled()
    assert [record.state for record in acme.records()] == ["ok", "ok"]


def test_a_key_may_say_less_at_once_than_its_organization(acme: Tenant, cpu: Worker) -> None:
    restrict(acme, characters_per_request=5)
    until(lambda: acme.generate("Hello there.").status_code == 400, seconds=2, what="the limit")
    assert acme.generate("Hello there.").json()["error"]["code"] == "text_too_long"
    assert acme.generate("Hello").status_code == 200


def test_a_rate_says_where_the_caller_stands_and_when_to_come_back(acme: Tenant, cpu: Worker) -> None:
    restrict(acme, requests_per_minute=2)
    first, second, refused = (acme.generate(TEXT) for _ in range(3))
    told = [
        (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"])
        for answer in (first, second, refused)
    ]
    assert told == [("2", "1"), ("2", "0"), ("2", "0")]
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert 30 <= int(refused.headers["X-RateLimit-Reset"]) <= 60


def test_a_month_that_is_used_up_is_no_reason_to_try_again(acme: Tenant, cpu: Worker) -> None:
    limit(acme, characters_per_month=20)
    answer = acme.generate(TEXT)
    assert (answer.headers["X-Quota-Limit"], answer.headers["X-Quota-Remaining"]) == ("20", "8")
    acme.settled()
    refused = acme.generate(TEXT)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "quota_exceeded"
    assert "12 are used" in refused.json()["error"]["message"]
    assert refused.headers["x-should-retry"] == "false"
    assert "Retry-After" not in refused.headers
    assert (refused.headers["X-Quota-Limit"], refused.headers["X-Quota-Remaining"]) == ("20", "8")
    assert acme.generate("Hi.").status_code == 200
    assert acme.generate(TEXT, key=acme.test).status_code == 200


def test_the_retry_of_a_stream_that_broke_pays_for_the_rest(acme: Tenant, tmp_path: Path) -> None:
    settings = {"ENGINE": "tone", "THREADS": "2", "TONE_REAL_TIME_FACTOR": "0.1"}
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
    with running_worker(tmp_path / "first", **settings) as worker:
        deploy(worker, name="fragile")
        wait_for_route(acme, model="tone")
        with streaming(acme) as response:
            chunks = response.iter_raw()
            received = 0
            while received < 300_000:
                received += len(next(chunks))
            worker.stop()
            with pytest.raises(httpx.RemoteProtocolError):
                list(chunks)
        cut = acme.settled()
    assert cut.state == "cut"
    assert 0 < cut.characters_charged < len(LONG)
    with running_worker(tmp_path / "second", **settings) as worker:
        deploy(worker, name="sound")
        until(lambda: acme.generate("Hi.", model="tone").status_code == 200, what="the second worker")
        other = acme.settled()
        assert (other.characters_credited, other.characters_charged) == (0, 3)
        with streaming(acme) as response:
            assert sum(map(len, response.iter_raw())) > received
        retry = acme.settled()
    assert (retry.characters_charged, retry.characters_credited) == (
        len(LONG) - cut.characters_charged,
        cut.characters_charged,
    )
    cut.refresh_from_db()
    assert cut.credited_to == retry.id
