"""Mails to people who were invited: each once, while the campaign runs, whatever happens to one of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.utils import timezone
from time_machine import travel

from apps.accounts.models import Organization, User
from apps.contributions import campaigns, invitation_mails, leaving, people
from apps.contributions.invitation_mails import send_due
from apps.contributions.models import Campaign, CampaignInvitation
from apps.contributions.models.campaigns import MAX_MAIL_TRIES
from apps.contributions.tasks import mail_invitations, sweep
from apps.core.errors import Conflict
from tests.contributions import collecting
from tests.fakes.smtp import MailServer

pytestmark = pytest.mark.django_db
ENDS = datetime(2031, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def campaign(acme: Organization) -> Campaign:
    return collecting.campaign(acme, name="Winter", access="invited", ends_at=ENDS, language="de-AT")


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 5
        yield server


class Dying(EmailBackend):
    """Its process is killed right after the mail went out."""

    def send_messages(self, messages: Any) -> int:
        super().send_messages(messages)
        raise SystemExit


def invite(campaign: Campaign, *names: str, is_mail_wanted: bool = True) -> None:
    campaigns.invite(campaign, [f"{name}@x.example" for name in names], is_mail_wanted=is_mail_wanted)


def invitation(name: str) -> CampaignInvitation:
    found: CampaignInvitation = CampaignInvitation.objects.get(email=f"{name}@x.example")
    return found


def mailed() -> list[str]:
    return [name.partition("@")[0] for message in mail.outbox for name in message.to]


def move(campaign: Campaign, **fields: Any) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(**fields)


@contextmanager
def asked() -> Iterator[list[str]]:
    """The names of tasks that Celery is asked for."""
    names: list[str] = []

    def note(sender: str, **_told: Any) -> None:
        names.append(sender)

    before_task_publish.connect(note)
    yield names
    before_task_publish.disconnect(note)


# ---- what is written -----------------------------------------------------------------------------------
def test_each_gets_a_mail_of_their_own_once(campaign: Campaign) -> None:
    invite(campaign, "a", "b")
    assert not mail.outbox
    mail_invitations()
    mail_invitations()
    assert mailed() == ["a", "b"]
    [first, second] = mail.outbox
    assert (first.to, second.to, first.cc, first.bcc) == (["a@x.example"], ["b@x.example"], [], [])
    assert first.subject == "Acme asks for your voice: Winter"
    assert first.body == (
        "Acme asks you to take part in “Winter”: you read sentences aloud in your browser and record them. "
        "The language is German (AT).\n\n"
        "It pays $0.60 for each minute of speech that is accepted. Before you record you read what your "
        "recordings are used for.\n\n"
        "It is open to this address only: sign in with a@x.example.\n\n"
        f"  http://localhost:8080/contribute/campaigns/{campaign.pk}\n\n"
        "You can record until 1 May 2031, 12:00 UTC. If you do not want to, you need do nothing.\n\n"
        "VoiceFlow\n"
    )
    assert invitation("a").mailed_at is not None


def test_what_a_campaign_lacks_is_not_said(campaign: Campaign) -> None:
    move(campaign, cents_per_minute=0, ends_at=None, access="open")
    invite(campaign, "a")
    send_due()
    body = mail.outbox[0].body
    assert "It pays nothing." in body
    assert "until" not in body
    assert "only" not in body
    assert "it is open to everybody" in body


def test_names_are_no_markup_and_no_headers(campaign: Campaign, acme: Organization) -> None:
    Organization.objects.filter(pk=acme.pk).update(name="R&D\r\nBcc: eve@example.com")
    move(campaign, name="<b>Winter</b>\n\nX-Spam: no\u2028")
    invite(campaign, "a")
    send_due()
    [message] = mail.outbox
    assert message.subject == "R&D Bcc: eve@example.com asks for your voice: <b>Winter</b> X-Spam: no"
    assert message.recipients() == ["a@x.example"]
    assert set(message.message().keys()) == {
        *("Content-Type", "MIME-Version", "Content-Transfer-Encoding"),
        *("Subject", "From", "To", "Date", "Message-ID"),
    }
    start = "R&D Bcc: eve@example.com asks you to take part in “<b>Winter</b> X-Spam: no”: you read"
    assert message.body.startswith(start)


# ---- when ----------------------------------------------------------------------------------------------
def test_without_the_wish_there_is_none(campaign: Campaign) -> None:
    invite(campaign, "a", is_mail_wanted=False)
    assert send_due() == 0
    assert invitation("a").mail_state == "unwanted"


@pytest.mark.parametrize("state", ["draft", "paused", "closed"])
def test_while_the_campaign_is_not_open_it_waits(campaign: Campaign, state: str) -> None:
    move(campaign, state=state)
    invite(campaign, "a")
    assert send_due() == 0
    assert invitation("a").mail_state == "waiting"
    campaigns.open_campaign(Campaign.objects.get())
    assert send_due() == 1
    assert mailed() == ["a"]


def test_before_it_begins_and_after_it_ended_there_is_none(campaign: Campaign) -> None:
    move(campaign, starts_at=timezone.now() + timedelta(days=1))
    invite(campaign, "a")
    assert send_due() == 0
    move(campaign, starts_at=None, ends_at=timezone.now())
    assert send_due() == 0
    move(campaign, ends_at=None)
    assert send_due() == 1


def test_one_that_was_taken_back_is_not_sent(campaign: Campaign) -> None:
    invite(campaign, "a", "b")
    invitation("a").delete()
    send_due()
    assert mailed() == ["b"]


def test_who_was_invited_before_gets_no_second_mail(campaign: Campaign) -> None:
    invite(campaign, "a")
    send_due()
    invite(campaign, "a", "b")
    send_due()
    assert mailed() == ["a", "b"]


def test_who_is_suspended_gets_none_meanwhile(campaign: Campaign) -> None:
    suspended = people.contributor_of(User.objects.create_user("a@x.example"))
    people.set_suspended(suspended, suspended=True)
    invite(campaign, "a", "b")
    send_due()
    assert mailed() == ["b"]
    people.set_suspended(suspended, suspended=False)
    send_due()
    assert mailed() == ["b", "a"]


@pytest.mark.parametrize("is_staff", [True, False])
def test_who_was_erased_gets_none(campaign: Campaign, is_staff: bool) -> None:
    user = User.objects.create_user("a@x.example", is_staff=is_staff)
    invite(campaign, "a", "b")
    leaving.erase(people.contributor_of(user), user)
    send_due()
    assert mailed() == ["b"]


# ---- who sends -----------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_celery_is_asked_as_soon_as_there_is_something_to_send(campaign: Campaign) -> None:
    def opens() -> None:
        campaigns.pause_campaign(campaign)
        campaigns.open_campaign(campaign)

    def again() -> None:
        invitation_mails.send_again(invitation("a"))

    acts: list[Callable[[], None]] = [lambda: invite(campaign, "a"), opens, again, sweep]
    for act in acts:
        with asked() as tasks:
            act()
        assert tasks == [invitation_mails.SEND]
    send_due()
    with asked() as tasks:
        sweep()
        invite(campaign, "b", is_mail_wanted=False)
    assert tasks == []


def test_a_run_is_bounded(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitation_mails, "MAILS_A_RUN", 2)
    invite(campaign, "a", "b", "c")
    assert [send_due(), send_due(), send_due()] == [2, 1, 0]
    monkeypatch.setattr(invitation_mails, "SECONDS_A_RUN", 0.0)
    invite(campaign, "d", "e")
    assert [send_due(), send_due(), send_due()] == [1, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_once(campaign: Campaign, mail_server: MailServer) -> None:
    invite(campaign, *"abcdef")
    under_way: list[str] = []
    both = threading.Event()

    def first(address: str) -> None:
        """Each worker holds its first mail until the other one holds another."""
        under_way.append(address)
        if len(under_way) == 2:
            both.set()
        assert both.wait(10)

    mail_server.on_mail = first
    counts: list[int] = []

    def work() -> None:
        counts.append(send_due())
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(mail_server.received) == [f"{name}@x.example" for name in "abcdef"]
    assert sum(counts) == 6
    assert min(counts) >= 1


def test_a_worker_that_is_killed_costs_no_mail(campaign: Campaign, settings: Any) -> None:
    invite(campaign, "a", "b")
    good, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Dying"
    with pytest.raises(SystemExit):
        send_due()
    assert invitation("a").mail_state == "waiting"
    settings.EMAIL_BACKEND = good
    assert send_due() == 2
    assert mailed() == ["a", "a", "b"]  # at least once


# ---- what is refused -----------------------------------------------------------------------------------
def test_an_address_that_is_refused_holds_up_no_other(campaign: Campaign, mail_server: MailServer) -> None:
    mail_server.refuses, mail_server.hangs_up_on = {"a@x.example"}, {"b@x.example"}
    invite(campaign, *"abcd")
    assert send_due() == 2
    assert mail_server.received == ["c@x.example", "d@x.example"]
    assert [invitation(name).mail_state for name in "abcd"] == ["waiting", "waiting", "sent", "sent"]
    assert send_due() == 0
    mail_server.refuses = mail_server.hangs_up_on = set()
    with travel(timezone.now() + timedelta(minutes=6)):
        assert send_due() == 2


def test_it_is_tried_a_few_times_and_not_for_ever(campaign: Campaign, mail_server: MailServer) -> None:
    mail_server.refuses = {"a@x.example"}
    invite(campaign, "a")
    tries = []
    with travel(timezone.now(), tick=False) as clock:
        for _ in range(2 * MAX_MAIL_TRIES):
            send_due()
            tries.append(invitation("a").mail_tries)
            clock.shift(timedelta(hours=24, seconds=1))
        assert tries[-1] == max(tries) == MAX_MAIL_TRIES
        assert invitation("a").mail_state == "failed"
        mail_server.refuses = set()
        assert send_due() == 0
        invitation_mails.send_again(invitation("a"))
        assert send_due() == 1
    assert invitation("a").mail_state == "sent"


def test_a_mail_server_that_is_away_costs_no_tries(campaign: Campaign, settings: Any) -> None:
    good, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    invite(campaign, "a", "b")
    assert send_due() == 0
    assert [invitation(name).mail_tries for name in "ab"] == [0, 0]
    settings.EMAIL_BACKEND = good
    assert send_due() == 2


# ---- again ---------------------------------------------------------------------------------------------
def test_again(campaign: Campaign) -> None:
    invite(campaign, "a", "b", is_mail_wanted=False)
    invitation_mails.send_again(invitation("a"))
    send_due()
    with pytest.raises(Conflict, match="a moment ago"):
        invitation_mails.send_again(invitation("a"))
    with travel(timezone.now() + timedelta(minutes=2)):
        invitation_mails.send_again(invitation("a"))
        send_due()
    assert mailed() == ["a", "a"]
    campaigns.close_campaign(campaign)
    with pytest.raises(Conflict, match="closed"):
        invitation_mails.send_again(invitation("b"))
