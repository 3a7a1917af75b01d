"""Campaigns in admin: made, opened, filled with sentences, watched; texts that never change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.contributions import consenting, deciding, invitation_mails, sentences
from apps.contributions.models import Campaign, CampaignInvitation, Clip, ConsentText, Prompt
from apps.contributions.models.campaigns import MAX_MAIL_TRIES
from tests.admin.act import act
from tests.cast import signed_in
from tests.contributions import collecting

CAMPAIGNS = "/admin/contributions/campaign/"
TEXTS = "/admin/contributions/consenttext/"
PROMPTS = "/admin/contributions/prompt/"
HOSTILE = '"><script>alert(1)</script>'
PAGES = ("progress", "trust", "import", "invite", "change")


@pytest.fixture
def campaign(acme: Organization) -> Campaign:
    return collecting.campaign(acme, name="Winter")


def filled(acme: Organization, **changed: Any) -> dict[str, Any]:
    """The form as somebody fills it in; what is empty is left out."""
    values = {
        "organization": str(acme.pk),
        "name": "Spring",
        "description": "Read aloud.",
        "language": "de-AT",
        "access": "open",
        "licence": "CC0-1.0",
        "purposes": ["train"],
        "optional_purposes": ["voice_cloning"],
        "clips_per_prompt": "2",
        "cents_per_minute": "40",
        "hold_days": "7",
    }
    return {name: value for name, value in (values | changed).items() if value is not None}


def errors_of(response: Any) -> str:
    return str(response.context["adminform"].form.errors.as_text())


def test_a_campaign_is_made_as_a_draft(staff: Client, acme: Organization) -> None:
    shown = staff.get(f"{CAMPAIGNS}add/").content.decode()
    assert 'placeholder="-35"' in shown
    assert "Usually 0.2. Wrong words over words asked for." in shown
    response = staff.post(f"{CAMPAIGNS}add/", filled(acme, gate_review_over_seconds="12"))
    assert response.status_code == 302
    made = Campaign.objects.get()
    assert (made.state, made.language, made.purposes, made.optional_purposes) == (
        *("draft", "de-AT"),
        *(["train"], ["voice_cloning"]),
    )
    assert made.gates == {"review_over_seconds": 12.0}
    assert LogEntry.objects.filter(object_id=made.pk).exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"language": "German"}, "a tag such as en"),
        ({"purposes": None}, "required"),
        ({"purposes": ["sell"]}, "not one of the available"),
        ({"optional_purposes": ["train"]}, "not both"),
        ({"gate_review_over_seconds": "long"}, "Enter a number"),
        ({"gate_review_over_seconds": "nan"}, "Enter a number"),
        ({"gate_review_over_seconds": "40"}, "never sent to review"),
        ({"gate_unchecked_transcript": "maybe"}, "not one of the available"),
        ({"clips_per_prompt": "0"}, "greater than or equal to 1"),
        (
            {
                "starts_at_0": "2026-12-02",
                "starts_at_1": "08:00",
                "ends_at_0": "2026-12-01",
                "ends_at_1": "08:00",
            },
            "ends before it starts",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    staff: Client, acme: Organization, changed: dict[str, Any], said: str
) -> None:
    response = staff.post(f"{CAMPAIGNS}add/", filled(acme, **changed))
    assert response.status_code == 200
    assert said in errors_of(response)
    assert not Campaign.objects.exists()


def test_changing_gates_has_clips_judged_again(
    staff: Client, acme: Organization, campaign: Campaign, django_capture_on_commit_callbacks: Any
) -> None:
    url = f"{CAMPAIGNS}{campaign.pk}/change/"
    values = filled(acme, name="Winter", language="en", purposes=["train", "public_dataset"])
    with django_capture_on_commit_callbacks() as same:
        assert staff.post(url, values).status_code == 302
    assert same == []
    with django_capture_on_commit_callbacks() as callbacks:
        response = staff.post(url, values | {"gate_unchecked_transcript": "accept"}, follow=True)
    assert len(callbacks) == 1
    assert "judged again in a moment" in response.content.decode()
    campaign.refresh_from_db()
    assert campaign.gates == {"unchecked_transcript": "accept"}
    assert (campaign.state, campaign.licence) == ("open", "CC0-1.0")
    shown = staff.get(url).content.decode()
    assert '<option value="accept" selected>' in shown


def test_whose_it_is_stays_once_somebody_recorded(
    staff: Client, acme: Organization, globex: Organization, campaign: Campaign
) -> None:
    collecting.clip(collecting.speaker(), campaign.prompts.all()[0])
    values = filled(globex, name="Winter", language="de")
    assert staff.post(f"{CAMPAIGNS}{campaign.pk}/change/", values).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.organization, campaign.language) == (acme, "en")


def test_opening_says_what_is_missing(staff: Client, acme: Organization) -> None:
    staff.post(f"{CAMPAIGNS}add/", filled(acme))
    made = Campaign.objects.get()
    shown = act(staff, CAMPAIGNS, "open_all", made)
    assert "There is no consent text for “Train speech models”." in shown
    assert "There are no sentences to read." in shown
    for purpose in ("train", "voice_cloning"):
        consenting.publish_text(campaign=made, purpose=purpose, locale="de", text=collecting.CONSENT)
    sentences.import_text(made, "Guten Morgen.")
    assert "1: Opened." in act(staff, CAMPAIGNS, "open_all", made)
    assert "1: Paused." in act(staff, CAMPAIGNS, "pause_all", made)
    assert "The campaign is paused." in act(staff, CAMPAIGNS, "pause_all", made)
    assert "1: Closed." in act(staff, CAMPAIGNS, "close_all", made)
    made.refresh_from_db()
    assert made.state == "closed"
    assert LogEntry.objects.filter(object_id=made.pk, change_message="Opened.").count() == 1


def test_buttons_of_its_page(staff: Client, campaign: Campaign) -> None:
    for name, state in (("pause_this", "paused"), ("open_this", "open"), ("close_this", "closed")):
        url = f"{CAMPAIGNS}{campaign.pk}/{name}/"
        assert "campaign?" in staff.get(url).content.decode()
        response = staff.post(url, {"_form_submitted": "True"}, headers={"HX-Request": "true"})
        assert response.headers["HX-Redirect"] == f"{CAMPAIGNS}{campaign.pk}/change/"
        campaign.refresh_from_db()
        assert campaign.state == state


# ---- sentences and people ----------------------------------------------------------------------------
def test_sentences_come_from_a_file_or_a_paste(staff: Client, campaign: Campaign) -> None:
    url = f"{CAMPAIGNS}{campaign.pk}/import/"
    file = SimpleUploadedFile("a.csv", b"id,text\n1,A fine day.\n2,<b>\n3,A fine  DAY\n")
    shown = staff.post(url, {"file": file}).content.decode()
    assert "1 added" in shown
    assert "1 there already" in shown
    assert "1 refused" in shown
    assert "Nobody can say &lt; &gt;." in shown
    shown = staff.post(url, {"text": "Good morning.\nGood night."}).content.decode()
    assert "2 added" in shown
    assert campaign.prompts.count() == 8
    assert LogEntry.objects.filter(object_id=campaign.pk).count() == 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "Choose a file or paste sentences."),
        ({"text": "   "}, "Choose a file or paste sentences."),
        ({"text": "A line.\n" * 50_001}, "at most 50,000"),
    ],
)
def test_an_import_that_cannot_be(staff: Client, campaign: Campaign, body: dict[str, str], said: str) -> None:
    shown = staff.post(f"{CAMPAIGNS}{campaign.pk}/import/", body).content.decode()
    assert said in shown
    assert campaign.prompts.count() == 5


def test_a_file_that_is_no_text_is_refused(staff: Client, campaign: Campaign) -> None:
    file = SimpleUploadedFile(f"{HOSTILE}.csv", b"\xff\xd8\xff\x00")
    shown = staff.post(f"{CAMPAIGNS}{campaign.pk}/import/", {"file": file}).content.decode()
    assert "The file is no CSV in UTF-8." in shown
    assert "<script>alert" not in shown


def test_inviting(staff: Client, campaign: Campaign) -> None:
    url = f"{CAMPAIGNS}{campaign.pk}/invite/"
    body = {"addresses": "A@x.example, b@x.example;\n<c@x.example>\nnonsense a@x.example"}
    shown = staff.post(url, body).content.decode()
    assert "3 invited" in shown
    assert "1 invited before" in shown
    assert "nonsense" in shown
    person = User.objects.create_user("B@x.example", "correct horse battery")
    Campaign.objects.update(access="invited")
    assert campaign in Campaign.objects.open_to(person)
    staff.post(url, {"remove": "b@x.example"})
    assert campaign not in Campaign.objects.open_to(person)


def test_mails_to_who_is_invited(staff: Client, campaign: Campaign) -> None:
    url = f"{CAMPAIGNS}{campaign.pk}/invite/"
    assert (
        "checked" in staff.get(url).content.decode().partition('name="is_mail_wanted"')[2].partition(">")[0]
    )
    shown = staff.post(url, {"addresses": "a@x.example", "is_mail_wanted": "on"}).content.decode()
    assert "waiting" in shown
    assert 'name="mail"' not in shown
    CampaignInvitation.objects.update(mail_tries=2)
    assert "Send now" in staff.get(url).content.decode()
    shown = staff.post(url, {"addresses": "b@x.example"}).content.decode()
    assert "no mail wanted" in shown
    assert "Send a mail" in shown
    invitation_mails.send_due()
    assert [message.to for message in mail.outbox] == [["a@x.example"]]
    shown = staff.get(url).content.decode()
    assert "mail sent <time" in shown
    assert "Send again" in shown
    assert "waiting" not in shown
    assert "b@x.example is sent a mail now." in said(staff.post(url, {"mail": "b@x.example"}, follow=True))
    assert "a moment ago" in said(staff.post(url, {"mail": "a@x.example"}, follow=True))
    assert staff.post(url, {"mail": "nobody@x.example"}).status_code == 404
    CampaignInvitation.objects.update(mailed_at=None, mail_tries=MAX_MAIL_TRIES)
    shown = staff.get(url).content.decode()
    assert "not sent" in shown
    assert "the mail server refused it 6×" in shown
    Campaign.objects.update(state="paused")
    assert "once the campaign is open" in said(staff.post(url, {"mail": "a@x.example"}, follow=True))
    Campaign.objects.update(state="closed")
    shown = staff.get(url).content.decode()
    assert "no mail, the campaign is closed" in shown
    assert 'name="mail"' not in shown
    assert "The campaign is closed." in said(staff.post(url, {"mail": "a@x.example"}, follow=True))


def said(response: Any) -> str:
    return " ".join(map(str, response.context["messages"]))


def test_sentences_are_dropped_wanted_again_and_their_reports_closed(
    staff: Client, sam: User, campaign: Campaign
) -> None:
    prompt = campaign.prompts.all()[0]
    sentences.report(collecting.speaker(), prompt, "grammar")
    listed = staff.get(PROMPTS, {"reported": "open"}).context["cl"].result_list
    assert [row.pk for row in listed] == [prompt.pk]
    assert "1: Reports looked at." in act(staff, PROMPTS, "resolve", prompt)
    assert prompt.reports.get().resolved_by == sam
    assert not staff.get(PROMPTS, {"reported": "open"}).context["cl"].result_list
    act(staff, PROMPTS, "drop", prompt)
    assert not Prompt.objects.get(pk=prompt.pk).is_wanted
    act(staff, PROMPTS, "want", prompt)
    assert Prompt.objects.get(pk=prompt.pk).is_wanted


def test_a_consent_text_is_published_by_version_and_never_edited(staff: Client, campaign: Campaign) -> None:
    body = {
        "campaign": str(campaign.pk),
        "purpose": "train",
        "locale": "en",
        "text": f"{HOSTILE} I do agree.",
    }
    assert staff.post(f"{TEXTS}add/", body).status_code == 302
    made = ConsentText.objects.get(version=2)
    assert made.text == body["text"]
    assert staff.post(f"{TEXTS}add/", body).status_code == 302
    assert ConsentText.objects.filter(purpose="train").count() == 2
    page = staff.get(f"{TEXTS}{made.pk}/change/").content.decode()
    assert "<script>alert" not in page
    assert (
        staff.post(f"{TEXTS}{made.pk}/change/", body | {"text": "Something else altogether."}).status_code
        == 403
    )
    assert staff.post(f"{TEXTS}{made.pk}/delete/", {"post": "yes"}).status_code == 403
    assert staff.post(f"{TEXTS}add/", body | {"text": "Yes."}).status_code == 200
    assert staff.post(f"{TEXTS}add/", body | {"locale": "../x"}).status_code == 200


# ---- how far it is -----------------------------------------------------------------------------------
def test_progress(staff: Client, campaign: Campaign) -> None:
    Campaign.objects.update(budget_cents=100)
    dora = collecting.speaker("dora")
    made = collecting.clip(dora, campaign.prompts.all()[0], speech_ms=30_000)
    deciding.decide(made, to=Clip.State.ACCEPTED, source="staff")
    collecting.clip(dora, campaign.prompts.all()[1], told_duration_ms=12_000)
    Prompt.objects.filter(number=3).update(text=f"Read {HOSTILE} now.")
    response = staff.get(f"{CAMPAIGNS}{campaign.pk}/progress/")
    overview = response.context["overview"]
    assert (overview.wanted, overview.accepted, overview.speakers) == (5, 1, 1)
    assert (overview.speech_ms, overview.spent_cents, overview.expected_cents) == (30_000, 30, 12)
    assert overview.spent_share == 0.3
    hours = [hour for hour, *_ in response.context["hours"]]
    assert (len(hours), sum(hour.recorded for hour in hours), hours[-1].accepted) == (48, 2, 1)
    shown = response.content.decode()
    assert "$0.30" in shown
    assert str(dora) in shown
    assert "dora@" not in shown
    assert "<script>alert" not in shown


def test_hours_of_long_ago_are_not_drawn(staff: Client, campaign: Campaign) -> None:
    made = collecting.clip(collecting.speaker(), campaign.prompts.all()[0])
    Clip.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(hours=49))
    response = staff.get(f"{CAMPAIGNS}{campaign.pk}/progress/")
    assert response.context["recorded_lately"] == 0


def test_queries_do_not_grow_with_campaigns_and_clips(
    staff: Client, acme: Organization, campaign: Campaign
) -> None:
    def count(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(url).status_code == 200
        return len(queries)

    urls = [CAMPAIGNS, *(f"{CAMPAIGNS}{campaign.pk}/{name}/" for name in ("progress", "trust"))]
    before = [count(url) for url in urls] and [count(url) for url in urls]
    for _ in range(4):
        collecting.campaign(acme)
        speaker = collecting.speaker()
        for prompt in campaign.prompts.all():
            made = collecting.clip(speaker, prompt)
            deciding.vote(collecting.speaker(), made, is_valid=True)
    assert [count(url) for url in urls] == before


# ---- who may what ------------------------------------------------------------------------------------
def test_who_may_only_look_changes_nothing(campaign: Campaign) -> None:
    viewer = User.objects.create_user("viewer@staff.example", is_staff=True)
    viewer.user_permissions.set(
        Permission.objects.filter(codename__in=["view_campaign", "view_consenttext", "view_prompt"])
    )
    client = signed_in(viewer)
    at = f"{CAMPAIGNS}{campaign.pk}/"
    assert [client.get(f"{at}{name}/").status_code for name in PAGES] == [200, 200, 403, 403, 200]
    act(client, CAMPAIGNS, "close_all", campaign)
    act(client, PROMPTS, "drop", campaign.prompts.all()[0])
    for name in ("open_this", "pause_this", "close_this", "judge_again"):
        assert client.post(f"{at}{name}/", {"_form_submitted": "True"}).status_code == 403
    assert client.post(f"{at}import/", {"text": "A line."}).status_code == 403
    assert client.post(f"{at}invite/", {"addresses": "a@x.example"}).status_code == 403
    assert client.post(f"{at}invite/", {"mail": "a@x.example"}).status_code == 403
    assert client.get(f"{TEXTS}add/").status_code == 403
    campaign.refresh_from_db()
    assert (campaign.state, campaign.prompts.filter(is_wanted=True).count()) == ("open", 5)


def test_others_see_nothing(clerk: Client, alice: User, campaign: Campaign) -> None:
    for name in PAGES:
        url = f"{CAMPAIGNS}{campaign.pk}/{name}/"
        assert clerk.get(url).status_code == 403
        assert signed_in(alice).get(url).status_code == 302
        assert Client().get(url).status_code == 302
