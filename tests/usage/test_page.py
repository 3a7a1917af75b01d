"""The usage page: alice and bob see what acme asked for, and nothing of globex."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.deployments.models import Deployment
from apps.keys.models import ApiKey
from apps.keys.services import issue_key
from apps.usage.rollups import roll_up
from apps.usage.services import set_limits
from apps.voices.models import Voice
from tests.cast import signed_in
from tests.usage.rows import record


def page(user: User, query: str = "") -> str:
    return signed_in(user).get(f"/usage?{query}").content.decode()


@pytest.fixture
def key(acme: Organization, alice: User) -> ApiKey:
    return issue_key(organization=acme, name="Server", mode="live", scopes=["speech"], created_by=alice).key


def test_without_requests_it_says_what_will_be_here(alice: User, acme: Organization) -> None:
    html = page(alice)
    assert "Nothing in this time" in html
    assert 'href="/playground"' in html


def test_a_member_sees_figures_and_days(bob: User, acme: Organization) -> None:
    record(acme, characters=1500, audio_ms=90_000)
    record(acme, characters=1500, audio_ms=90_000, at=timezone.now() - timedelta(days=1))
    html = page(bob)
    assert "3\u202f000" in html
    assert "2 requests in 30 days" in html
    assert html.count('</th>\n      <td class="number" data-label="Requests">1</td>') == 2


def test_nothing_of_another_organization(alice: User, acme: Organization, globex: Organization) -> None:
    record(globex, request_id="req_of_globex")
    assert "Nothing in this time" in page(alice, "tab=requests")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", "3 requests in 30 days"),
        ("days=7", "2 requests in 7 days"),
        ("days=90", "4 requests in 90 days"),
        ("mode=test", "1 request in 30 days"),
        ("mode=", "3 requests in 30 days"),
    ],
)
def test_the_url_narrows(alice: User, acme: Organization, query: str, count: str) -> None:
    for days_ago, mode in ((0, "live"), (3, "test"), (20, "live"), (60, "live")):
        record(acme, at=timezone.now() - timedelta(days=days_ago), mode=mode)
    assert count in page(alice, query)


def test_days_of_ones_choice_are_whole_utc_days(alice: User, acme: Organization) -> None:
    for day, hour in ((3, 23), (4, 0), (5, 23), (6, 0)):
        record(acme, at=datetime(2026, 3, day, hour, 30, tzinfo=UTC))
    html = page(alice, "start=2026-03-04&end=2026-03-05")
    assert "2 requests in 2 days" in html
    assert "4 Mar 2026 to 5 Mar 2026" in html


@pytest.mark.parametrize(
    "query",
    [
        "start=2026-03-05",
        "start=2026-03-05&end=2026-03-01",
        "days=0",
        "days=many",
        "key_id=7",
        "start=x&end=y",
    ],
)
def test_what_makes_no_sense_is_said_and_the_usual_days_are_shown(
    alice: User, acme: Organization, query: str
) -> None:
    html = page(alice, query)
    assert "Shown are the last 30 days." in html
    assert "requests in 30 days" in html


def test_one_key_alone(alice: User, acme: Organization, key: ApiKey) -> None:
    record(acme, key=key, characters=77)
    record(acme, surface="playground", characters=50)
    assert "1 request in 30 days" in page(alice, f"key_id={key.id}")


def test_by_key_names_keys_and_the_playground(alice: User, acme: Organization, key: ApiKey) -> None:
    record(acme, key=key, characters=700)
    record(acme, surface="playground", characters=50)
    html = page(alice, "tab=keys")
    assert html.index("Server</a>") < html.index("in this console")


def test_by_voice_model_and_deployment(alice: User, acme: Organization) -> None:
    shared = Deployment.objects.create(name="shared-cpu", engine="cpu")
    record(acme, voice="kore", model="tone", deployment=shared, characters=700, characters_charged=700)
    record(acme, voice="heart", state="failed", characters=50, characters_charged=0)
    assert page(alice, "tab=voices").index(">kore<") < page(alice, "tab=voices").index(">heart<")
    assert page(alice, "tab=models").index(">tone<") < page(alice, "tab=models").index(">hibari<")
    html = page(alice, "tab=deployments")
    assert html.index(">shared-cpu<") < html.index("ended before one was reached")
    assert "shared, CPU (hibari)" in html


def test_a_cloned_voice_is_shown_by_its_name(alice: User, acme: Organization) -> None:
    voice = Voice.objects.create(
        organization=acme, category="cloned", name="Night narrator", reference_sha256="0" * 64
    )
    record(acme, voice=str(voice.pk))
    assert f'<code class="cell-sub">{voice.pk}</code>' in page(alice, "tab=voices")
    for html in (
        page(alice, "tab=voices"),
        page(alice, "tab=requests"),
        signed_in(alice).get("/").content.decode(),
    ):
        assert ">Night narrator</span>" in html


def test_charged_and_credited_are_shown_where_they_differ(alice: User, acme: Organization) -> None:
    record(acme, characters=300, characters_charged=300)
    for tab in ("days", "voices", "requests"):
        html = page(alice, f"tab={tab}")
        assert "all charged" in html
        assert "Credited" not in html
        assert "Charged" not in html
    record(acme, characters=200, characters_charged=150, characters_credited=30)
    for tab in ("days", "voices"):
        html = page(alice, f"tab={tab}")
        assert "450 charged, 30 credited" in html
        assert '<td class="number" data-label="Charged">450</td>' in html
        assert '<td class="number" data-label="Credited">30</td>' in html
    assert '<span class="cell-sub">150 charged, 30 credited</span>' in page(alice, "tab=requests")


def test_this_month_shows_what_is_left(alice: User, acme: Organization) -> None:
    record(acme, characters=1234, characters_charged=1200)
    html = page(alice)
    assert "<strong>1\u202f200</strong>" in html
    assert "charged, no monthly limit" in html
    assert "Test characters" not in html
    set_limits(
        organization=acme,
        requests_per_minute=None,
        concurrent_requests=None,
        characters_per_request=None,
        characters_per_month=1500,
    )
    for number in range(6):
        issue_key(
            organization=acme,
            name=f"Limited {number}",
            mode="live",
            scopes=["speech"],
            created_by=alice,
            characters_per_month=100,
        )
    record(acme, mode="test", characters=77, characters_charged=77)
    record(acme, key=ApiKey.objects.get(name="Limited 5"), characters=90, characters_charged=90)
    html = page(alice, "days=7&mode=test")  # the month is the month, whatever is filtered
    assert "of 1\u202f500 · 86\u202f%" in html
    assert "<strong>77</strong>" in html
    assert "of 100 · 90\u202f%" in html
    assert html.index("Limited 5</span>") < html.index("Limited 0</span>")
    assert "2 more limited keys" in html
    following = (timezone.now().replace(day=1) + timedelta(days=31)).replace(day=1)
    assert f'<time datetime="{following:%Y-%m-01}">' in html


def test_a_year_is_shown_in_weeks_and_its_days_are_paged(alice: User, acme: Organization) -> None:
    now = timezone.now()
    for number in range(40):
        record(acme, at=now - timedelta(days=number))
    html = page(alice, "days=365")
    assert "By week" in html
    assert "40 requests in 365 days" in html
    assert "1–31 of 40 days" in html
    assert "32–40 of 40 days" in page(alice, "days=365&page=2")


def test_requests_are_paged_newest_first(alice: User, acme: Organization) -> None:
    now = timezone.now()
    for number in range(30):
        record(acme, at=now - timedelta(minutes=number), request_id=f"req_number_{number:02}")
    first, second = page(alice, "tab=requests"), page(alice, "tab=requests&page=2")
    assert "1–25 of 30 requests" in first
    assert first.index("req_number_00") < first.index("req_number_24")
    assert "req_number_25" not in first
    assert "req_number_29" in second


def test_a_failed_request_tells_why(alice: User, acme: Organization) -> None:
    record(acme, state="cut", error_code="worker_lost")
    html = page(alice, "tab=requests")
    assert "worker_lost" in html
    assert "100\u202f% not completed" in html


@pytest.mark.parametrize(
    ("metric", "summary"),
    [("requests", "1 request in"), ("characters", "10 characters in"), ("audio", "2 minutes in")],
)
def test_the_chart_shows_what_was_chosen(alice: User, acme: Organization, metric: str, summary: str) -> None:
    record(acme, characters=10, audio_ms=120_000)
    assert summary in page(alice, f"metric={metric}")


@pytest.mark.parametrize(
    ("tab", "queries"),
    [
        ("days", 12),
        ("keys", 14),
        ("voices", 13),
        ("models", 13),
        ("deployments", 14),
        ("requests", 13),
    ],
)
def test_queries_do_not_grow_with_rows(
    alice: User, acme: Organization, django_assert_num_queries: object, tab: str, queries: int
) -> None:
    client = signed_in(alice)
    for number in range(6):
        issued = issue_key(
            organization=acme, name=f"Key {number}", mode="live", scopes=["speech"], created_by=alice
        )
        deployment = Deployment.objects.create(name=f"cpu-{number}", engine="cpu")
        record(acme, key=issued.key, deployment=deployment, voice=f"voice-{number}")
        if number == 2:
            roll_up()
    with django_assert_num_queries(queries):  # type: ignore[operator]
        client.get(f"/usage?tab={tab}")
