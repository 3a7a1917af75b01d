"""Figures of usage: by UTC day, by key, in percentiles, one organization's only, a query each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.models import Organization
from apps.deployments.models import Deployment
from apps.keys.models import ApiKey
from apps.keys.services import issue_key
from apps.usage import reports
from apps.usage.histogram import RELATIVE_ERROR
from apps.usage.reports import Period
from apps.usage.rollups import roll_up
from apps.voices.models import Voice
from tests.usage.rows import record

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ONE_DAY = Period(DAY, DAY)


def key_of(organization: Organization, name: str) -> ApiKey:
    return issue_key(
        organization=organization, name=name, mode="live", scopes=["speech"], created_by=None
    ).key


def test_a_period_of_days_ends_today() -> None:
    assert Period.days(7, today=DAY) == Period(date(2026, 11, 14), DAY)
    assert Period.days(1).last == timezone.now().date()
    assert len(Period.days(30, today=DAY).each_day()) == 30


def test_a_day_begins_and_ends_at_midnight_utc(acme: Organization) -> None:
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    millisecond = timedelta(milliseconds=1)
    record(acme, at=midnight - millisecond)
    inside = {record(acme, at=midnight).pk, record(acme, at=midnight + timedelta(days=1) - millisecond).pk}
    record(acme, at=midnight + timedelta(days=1))
    assert {row.pk for row in reports.records(acme, ONE_DAY)} == inside
    days = reports.daily(reports.select(acme, Period.days(3, today=date(2026, 11, 21))))
    assert [day.requests for day in days] == [1, 2, 1]


def test_each_day_has_its_entry_also_without_use(acme: Organization) -> None:
    period = Period(date(2026, 11, 19), date(2026, 11, 22))
    record(acme, at=NOON, characters=30, audio_ms=2000)
    record(acme, at=NOON + timedelta(minutes=5), characters=12, audio_ms=800)
    record(acme, at=NOON + timedelta(days=2), characters=1, characters_charged=1, audio_ms=60)
    days = reports.daily(reports.select(acme, period))
    assert [(day.day.day, day.requests, day.characters, day.audio_ms) for day in days] == [
        (19, 0, 0, 0),
        (20, 2, 42, 2800),
        (21, 0, 0, 0),
        (22, 1, 1, 60),
    ]


def test_sums_and_what_became_of_requests(acme: Organization) -> None:
    record(acme, at=NOON, characters=10, characters_charged=10, audio_ms=600, engine_ms=30)
    record(acme, at=NOON, state="cut", characters=20, characters_charged=5, audio_ms=300, engine_ms=10)
    record(acme, at=NOON, state="failed", characters=30, characters_charged=0, audio_ms=0)
    record(acme, at=NOON, state="open", characters=40)
    totals = reports.totals(reports.select(acme, ONE_DAY))
    assert (totals.requests, totals.ok) == (4, 1)
    assert (totals.characters, totals.characters_charged) == (100, 15)
    assert (totals.audio_ms, totals.engine_ms) == (900, 40)
    assert totals.error_rate == 0.75


def test_percentiles_are_of_requests_that_gave_audio(acme: Organization) -> None:
    for ttfb_ms in range(1, 101):
        record(acme, at=NOON, ttfb_ms=float(ttfb_ms))
    record(acme, at=NOON, state="failed", characters_charged=0, ttfb_ms=None)
    totals = reports.totals(reports.select(acme, ONE_DAY))
    assert totals.ttfb_p50_ms == pytest.approx(50.5, rel=RELATIVE_ERROR)
    assert totals.ttfb_p95_ms == pytest.approx(95.05, rel=RELATIVE_ERROR)


def test_nothing_at_all_is_zero_and_not_an_error(acme: Organization) -> None:
    totals = reports.totals(reports.select(acme, ONE_DAY))
    assert (totals.requests, totals.characters, totals.audio_ms) == (0, 0, 0)
    assert (totals.ttfb_p50_ms, totals.error_rate) == (None, 0.0)
    assert reports.by_key(reports.select(acme, ONE_DAY)) == []


def test_by_key_has_most_characters_first_and_the_playground_among_them(acme: Organization) -> None:
    small, large = key_of(acme, "small"), key_of(acme, "large")
    record(acme, at=NOON, key=small, characters=10)
    for _ in range(2):
        record(acme, at=NOON, key=large, characters=50)
    record(acme, at=NOON, surface="playground", characters=20)
    found = reports.by_key(reports.select(acme, ONE_DAY))
    assert [(row.key and row.key.name, row.requests, row.characters) for row in found] == [
        ("large", 2, 100),
        (None, 1, 20),
        ("small", 1, 10),
    ]


def test_one_key_or_one_mode_alone(acme: Organization) -> None:
    key = key_of(acme, "n")
    mine = record(acme, at=NOON, key=key)
    tested = record(acme, at=NOON, mode="test")
    assert list(reports.records(acme, ONE_DAY, key_id=key.pk)) == [mine]
    assert list(reports.records(acme, ONE_DAY, mode="test")) == [tested]
    assert reports.records(acme, ONE_DAY).count() == 2


def test_organizations_are_apart(acme: Organization, globex: Organization) -> None:
    record(acme, at=NOON)
    theirs = record(globex, at=NOON, key=key_of(globex, "theirs"))
    assert theirs not in reports.records(acme, ONE_DAY)
    assert theirs not in reports.recent(acme)
    assert list(reports.records(acme, ONE_DAY, key_id=theirs.key_id)) == []
    assert reports.totals(reports.select(acme, ONE_DAY)).requests == 1


def test_the_last_requests_are_newest_first(acme: Organization) -> None:
    rows = [record(acme, at=NOON + timedelta(minutes=n)) for n in range(5)]
    assert reports.recent(acme, 3) == rows[:1:-1]


def test_by_voice_and_by_model(acme: Organization) -> None:
    record(acme, at=NOON, voice="heart", characters=30, characters_charged=20, characters_credited=10)
    record(acme, at=NOON, voice="kore", model="tone", characters=50, ttfb_ms=20.0)
    record(acme, at=NOON, voice="heart", state="failed", characters=5, characters_charged=0)
    selection = reports.select(acme, ONE_DAY)
    assert [(v.voice, v.requests, v.characters) for v in reports.by_voice(selection)] == [
        ("kore", 1, 50),
        ("heart", 2, 35),
    ]
    (tone, hibari) = reports.by_model(selection)
    assert (tone.model, tone.error_rate, tone.characters_charged, tone.characters_credited) == (
        "tone",
        0,
        10,
        0,
    )
    assert (hibari.model, hibari.error_rate) == ("hibari", 0.5)
    assert (hibari.characters_charged, hibari.characters_credited) == (20, 10)
    assert hibari.ttfb_p50_ms is None
    assert tone.ttfb_p50_ms == pytest.approx(20, rel=RELATIVE_ERROR)


def test_a_cloned_voice_has_the_name_that_its_organization_gave_it(
    acme: Organization, globex: Organization, django_assert_num_queries: Any
) -> None:
    own, theirs = (
        Voice.objects.create(organization=o, category="cloned", name="Narrator", reference_sha256="0" * 64)
        for o in (acme, globex)
    )
    Voice.objects.filter(pk=own.pk).update(state=Voice.State.DELETED)
    gone = str(uuid4())
    for voice, characters in ((str(own.pk), 40), (str(theirs.pk), 30), (gone, 20), ("heart", 10)):
        record(acme, at=NOON, voice=voice, characters=characters)
    selection = reports.select(acme, ONE_DAY)
    with django_assert_num_queries(2):
        found = [(used.voice, used.name) for used in reports.by_voice(selection)]
    assert found == [
        (str(own.pk), "Narrator"),
        (str(theirs.pk), str(theirs.pk)),
        (gone, gone),
        ("heart", "heart"),
    ]


def test_by_deployment_tells_none_from_one_that_is_no_more(acme: Organization) -> None:
    shared = Deployment.objects.create(name="shared-cpu", engine="cpu")
    gone = Deployment.objects.create(name="gone", engine="cpu", organization=acme)
    gone_id = gone.pk
    for deployment, characters in ((shared, 30), (gone, 20), (None, 10)):
        record(acme, at=NOON, deployment=deployment, characters=characters)
    gone.delete()
    found = reports.by_deployment(reports.select(acme, ONE_DAY))
    assert [(row.deployment_id, row.deployment) for row in found] == [
        (shared.pk, shared),
        (gone_id, None),
        (None, None),
    ]


@pytest.mark.parametrize("summed_up", [False, True])
def test_each_figure_is_one_query_whatever_the_number_of_rows(
    acme: Organization, django_assert_num_queries: Any, summed_up: bool
) -> None:
    for _ in range(5):
        record(acme, at=NOON, key=key_of(acme, "n"))
    if summed_up:
        roll_up(now=NOON + timedelta(days=2))
    with django_assert_num_queries(1):
        selection = reports.select(acme, ONE_DAY)
    for figure, queries in (
        (reports.totals, 1),
        (reports.daily, 1),
        (reports.by_voice, 1),
        (reports.by_model, 1),
        (reports.by_key, 2),
        (reports.by_deployment, 1),
    ):
        with django_assert_num_queries(queries):
            figure(selection)
    with django_assert_num_queries(1):
        assert {row.key.name for row in reports.recent(acme) if row.key} == {"n"}
