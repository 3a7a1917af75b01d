from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.keys.services import issue_key
from tests.cast import signed_in
from tests.console.deployed import deployed
from tests.usage.rows import record


def page(user: User) -> str:
    return signed_in(user).get("/").content.decode()


@pytest.mark.django_db
def test_signed_out_goes_to_sign_in() -> None:
    assert Client().get("/").url == "/accounts/login/?next=/"


def test_without_requests_it_teaches_the_first_one(alice: User, acme: Organization) -> None:
    html = page(alice)
    assert "curl http://testserver/generate" in html
    assert "YOUR_API_KEY" in html
    assert 'href="/keys/new"' in html


def test_a_member_is_told_who_can_create_a_key(bob: User) -> None:
    html = page(bob)
    assert 'href="/keys/new"' not in html
    assert "An owner or an admin of Acme can create one for you." in html


def test_figures_of_the_last_30_days(alice: User, acme: Organization) -> None:
    for first_audio_ms in (40.0, 59.0, 80.0):
        record(acme, characters=4000, characters_charged=4000, audio_ms=120_000, ttfb_ms=first_audio_ms)
    record(acme, at=timezone.now() - timedelta(days=31), characters=9_000_000)
    html = page(alice)
    assert "12\u202f000" in html
    assert '<span class="stat-value">6.0 <span class="stat-unit">min</span>' in html
    assert '<span class="stat-value">59 <span class="stat-unit">ms</span>' in html
    assert "all completed" in html
    assert "9\u202f000\u202f000" not in html.split("Last requests")[0]


def test_only_requests_of_ones_own_organization(
    alice: User, acme: Organization, globex: Organization
) -> None:
    record(acme, voice="heart")
    record(globex, voice="kore", request_id="req_globex")
    html = page(alice)
    assert "heart" in html
    assert "kore" not in html
    assert "req_globex" not in html


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("ready", "Speech is ready."),
        ("starting", "Speech is starting."),
        ("asleep", "Speech is asleep; the first request wakes it."),
        ("failed", "No deployment can speak at the moment."),
    ],
)
def test_it_says_whether_speech_works(alice: User, acme: Organization, state: str, sentence: str) -> None:
    deployment = deployed("shared-cpu", model="hibari", voices=["heart"], state="ready")
    deployment.workers.update(state="ready" if state == "ready" else "lost")
    deployment.error_code = deployment.error_message = "gone"
    deployment.state = state
    deployment.save()
    html = page(alice)
    assert sentence in html
    assert "shared-cpu" in html


def test_a_key_that_ends_within_a_week_asks_to_be_rotated(alice: User, acme: Organization) -> None:
    record(acme)
    soon = timezone.now() + timedelta(days=3)
    late = timezone.now() + timedelta(days=30)
    for name, expires_at in (("Ends soon", soon), ("Ends late", late)):
        issue_key(
            organization=acme,
            name=name,
            mode="live",
            scopes=["speech"],
            created_by=alice,
            expires_at=expires_at,
        )
    html = page(alice)
    assert "Ends soon" in html
    assert "Rotate it" in html
    assert "Ends late" not in html


def test_queries_do_not_grow_with_rows(
    alice: User, acme: Organization, django_assert_num_queries: object
) -> None:
    client = signed_in(alice)
    for count in range(1, 7):
        issued = issue_key(
            organization=acme, name=f"Key {count}", mode="live", scopes=["speech"], created_by=alice
        )
        record(acme, key=issued.key)
        deployed(f"cpu-{count}", model="hibari", voices=["heart"])
    with django_assert_num_queries(10):  # type: ignore[operator]
        client.get("/")
