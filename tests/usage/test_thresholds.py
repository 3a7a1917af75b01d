"""Limits of a month that are nearly or wholly used: noticed once, mailed once, shown while they hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core import mail
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.keys.models import ApiKey
from apps.keys.services import issue_key, revoke_key
from apps.usage import notices, thresholds
from apps.usage.allowances import allowances
from apps.usage.models import UsageNotice, UsageRecord
from apps.usage.services import set_limits
from apps.usage.tasks import mail_notice, roll_up
from apps.usage.thresholds import ThresholdReached
from tests.cast import signed_in
from tests.usage.rows import record

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOVEMBER = date(2026, 11, 1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def told() -> Iterator[list[ThresholdReached]]:
    """What a subscriber hears."""
    events: list[ThresholdReached] = []
    end = thresholds.subscribe(events.append)
    yield events
    end()


def limit(organization: Organization, characters_per_month: int | None) -> None:
    set_limits(
        organization=organization,
        requests_per_minute=None,
        concurrent_requests=None,
        characters_per_request=None,
        characters_per_month=characters_per_month,
    )


def use(organization: Organization, characters: int, **fields: Any) -> UsageRecord:
    at = fields.pop("at", NOW)
    return record(organization, at=at, characters=characters, characters_charged=characters, **fields)


def key_of(organization: Organization, name: str, **restrictions: Any) -> ApiKey:
    return issue_key(
        organization=organization,
        name=name,
        mode=restrictions.pop("mode", "live"),
        scopes=["speech"],
        created_by=None,
        **restrictions,
    ).key


def written() -> list[tuple[UUID | None, int, int, int]]:
    rows = UsageNotice.objects.order_by("id")
    return list(rows.values_list("key_id", "threshold", "characters_used", "characters_limit"))


def minute() -> None:
    """What Celery does each minute, with the tasks that it asks for."""
    roll_up()
    for notice_id in notices.due_for_mail():
        mail_notice(str(notice_id))


def test_each_threshold_is_noticed_once_a_month(acme: Organization, told: list[ThresholdReached]) -> None:
    limit(acme, 1000)
    use(acme, 799, at=NOW - 2 * DAY)
    minute()
    assert written() == []
    use(acme, 1)
    for _ in range(3):
        minute()
    assert written() == [(None, 80, 800, 1000)]
    use(acme, 300)
    for _ in range(3):
        minute()
    assert written() == [(None, 80, 800, 1000), (None, 100, 1100, 1000)]
    notice = UsageNotice.objects.get(threshold=100)
    assert told[-1] == ThresholdReached(
        notice_id=notice.pk,
        organization_id=acme.pk,
        key_id=None,
        month=NOVEMBER,
        threshold=100,
        characters_used=1100,
        characters_limit=1000,
    )
    assert [event.threshold for event in told] == [80, 100]
    assert [message.subject for message in mail.outbox] == [
        "Acme has used 80 % of this month's characters",
        "Acme has used all of this month's characters",
    ]


def test_the_next_month_is_another(acme: Organization, told: list[ThresholdReached]) -> None:
    limit(acme, 100)
    use(acme, 100, at=NOW - 21 * DAY)
    minute()
    assert written() == []
    use(acme, 90)
    minute()
    with time_machine.travel(NOW + 11 * DAY, tick=False):
        minute()
        use(acme, 85, at=NOW + 11 * DAY)
        minute()
    assert [(event.month, event.threshold) for event in told] == [(NOVEMBER, 80), (date(2026, 12, 1), 80)]


def test_test_requests_count_for_no_live_limit(acme: Organization) -> None:
    limit(acme, 100)
    use(acme, 90, mode="test")
    minute()
    assert written() == []


def test_a_key_is_told_by_its_own_limit(acme: Organization, globex: Organization) -> None:
    limited = key_of(acme, "Server", characters_per_month=100)
    tested = key_of(acme, "Tests", mode="test", characters_per_month=50)
    ended = key_of(acme, "Ended", characters_per_month=10)
    for key, mode in ((limited, "live"), (tested, "test"), (ended, "live"), (key_of(acme, "Any"), "live")):
        use(acme, 45, key=key, mode=mode)
    use(globex, 1000)
    revoke_key(key=ended, by=None)
    minute()
    assert written() == [(tested.pk, 80, 45, 50)]
    use(acme, 60, key=limited)
    minute()
    assert written()[1:] == [(limited.pk, 80, 105, 100), (limited.pk, 100, 105, 100)]
    assert "The key Server (vf_live_" in mail.outbox[-1].body
    assert "Requests with this key are refused until 1 December 2026, 00:00 UTC" in mail.outbox[-1].body


def test_both_at_once_are_one_mail(acme: Organization, told: list[ThresholdReached]) -> None:
    limit(acme, 100)
    use(acme, 130)
    minute()
    assert [event.threshold for event in told] == [80, 100]
    assert [message.subject for message in mail.outbox] == ["Acme has used all of this month's characters"]


def test_the_platforms_own_limit_counts_for_all(acme: Organization, settings: Any) -> None:
    use(acme, 90)
    minute()
    settings.LIMIT_CHARACTERS_PER_MONTH = 100
    minute()
    assert written() == [(None, 80, 90, 100)]
    limit(acme, 10_000)
    use(acme, 11)
    minute()
    assert len(written()) == 1


def test_owners_and_admins_are_told(acme: Organization, alice: User, bob: User) -> None:
    admin = User.objects.create_user("ada@acme.example")
    left = User.objects.create_user("lea@acme.example", is_active=False)
    for user in (admin, left):
        Membership.objects.create(organization=acme, user=user, role=Membership.Role.ADMIN)
    limit(acme, 100_000)
    use(acme, 81_200)
    minute()
    (message,) = mail.outbox
    assert sorted(message.to) == ["ada@acme.example", "alice@acme.example"]
    assert message.body.startswith(
        "Acme has used 81\u202f200 of the 100\u202f000 characters that it may use in November 2026.\n"
    )
    assert "/usage\n" in message.body


def test_a_name_is_no_markup_and_no_header(acme: Organization) -> None:
    Organization.objects.filter(pk=acme.pk).update(name="R&D\nBcc: eve@example.com")
    limit(acme, 100)
    use(acme, 90)
    minute()
    assert mail.outbox[0].subject == "R&D Bcc: eve@example.com has used 80 % of this month's characters"


def test_a_mail_that_fails_is_sent_later_and_once(acme: Organization, settings: Any) -> None:
    limit(acme, 100)
    use(acme, 90)
    good, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    roll_up()
    (notice_id,) = notices.due_for_mail()
    with pytest.raises(OSError, match="refused"):
        mail_notice(str(notice_id))
    assert notices.due_for_mail() == [notice_id]
    settings.EMAIL_BACKEND = good
    assert mail_notice(str(notice_id)) is True
    assert mail_notice(str(notice_id)) is False
    assert len(mail.outbox) == 1
    assert notices.due_for_mail() == []


def test_a_subscriber_that_fails_takes_back_its_own_notice_only(
    acme: Organization, globex: Organization, told: list[ThresholdReached]
) -> None:
    for organization in (acme, globex):
        limit(organization, 100)
        use(organization, 100)

    def fail(event: ThresholdReached) -> None:
        if event.organization_id == acme.pk and event.threshold == 100:
            raise ConnectionError

    end = thresholds.subscribe(fail)
    try:
        minute()
    finally:
        end()
    assert set(UsageNotice.objects.values_list("organization_id", flat=True)) == {globex.pk}
    minute()
    assert UsageNotice.objects.filter(organization=acme).count() == 2
    assert [event.threshold for event in told if event.organization_id == globex.pk] == [80, 100]


def test_pages_show_what_still_holds(acme: Organization, alice: User, bob: User) -> None:
    limit(acme, 1000)
    server = key_of(acme, "Server", characters_per_month=100)
    use(acme, 850, key=server)
    minute()
    client = signed_in(bob)
    for path in ("/", "/usage"):
        html = client.get(path).content.decode()
        assert "85\u202f% of this month’s characters are used" in html, path
        assert "All characters of <strong>Server</strong>" in html, path
    limit(acme, 10_000)
    for path in ("/", "/usage"):
        html = client.get(path).content.decode()
        assert "85\u202f%" not in html, path
        assert "Server" in html, path


def test_staff_see_notices(acme: Organization, alice: User) -> None:
    limit(acme, 100)
    use(acme, 90)
    minute()
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client: Client = signed_in(alice)
    listed = client.get("/admin/usage/usagenotice/").content.decode()
    assert "November 2026" in listed
    assert "80 %" in listed
    assert client.get("/admin/usage/usagenotice/add/").status_code == 403


def test_the_number_of_queries_does_not_grow_with_organizations(
    acme: Organization, globex: Organization, django_assert_num_queries: Any
) -> None:
    for organization in (acme, globex):
        limit(organization, 100)
        for name in ("One", "Two"):
            use(organization, 90, key=key_of(organization, name, characters_per_month=50))
    minute()
    assert len(written()) == 2 * (2 + 4)
    with django_assert_num_queries(6):
        thresholds.notice()
    with django_assert_num_queries(4):
        assert len(allowances([acme.pk, globex.pk], NOVEMBER)) == 2 * (2 + 2)
