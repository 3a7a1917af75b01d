"""The contributors' pages: every one of them, with an organization or without, and never another's things."""

from __future__ import annotations

import io
import json
import zipfile
from uuid import uuid4

import pytest
from django.test import Client

from apps.accounts.models import Organization, User
from apps.contributions import consenting, deciding, people, withdrawing
from apps.contributions.models import (
    Campaign,
    CampaignInvitation,
    Clip,
    ConsentRecord,
    ConsentWithdrawal,
    Contributor,
)
from apps.core import media
from tests.cast import signed_in
from tests.contributions import collecting
from tests.contributions.visitor import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def clip(dora: Contributor, campaign: Campaign) -> Clip:
    """In review, with a file that can be heard."""
    made = collecting.clip(dora, campaign.prompts.all()[0], flac_key=f"clips/{uuid4()}.flac")
    media.save(made.flac_key, b"fLaC" + bytes(500))
    return made


def shown(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, response.status_code
    return str(response.content.decode())


def texts(campaign: Campaign) -> dict[str, str]:
    return {purpose: text.sha256 for purpose, text in consenting.texts_of(campaign).items()}


def agreement(campaign: Campaign, *purposes: str, **changed: str) -> dict[str, str]:
    form = {f"sha256_{purpose}": sha256 for purpose, sha256 in texts(campaign).items()}
    form |= {f"agree_{purpose}": "on" for purpose in purposes}
    return {**form, "is_adult": "on", **changed}


@pytest.mark.parametrize(
    "page", ["", "/listen", "/clips", "/earnings", "/you", "/data", "/data/erase", "/data/export"]
)
def test_who_is_not_signed_in_comes_back_after_signing_in(client: Client, page: str) -> None:
    response = client.get(f"/contribute{page}")
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next=/contribute{page}"


@pytest.mark.parametrize("page", ["", "/listen", "/clips", "/earnings", "/you", "/data", "/data/erase"])
def test_pages_need_no_organization(page: str) -> None:
    newcomer = client_of(collecting.speaker())
    assert "Contribute" in shown(newcomer, f"/contribute{page}")
    assert newcomer.get("/").status_code == 302  # the console offers to make one
    assert "go to the campaigns" in shown(newcomer, "/organizations/new")


def test_a_customer_contributes_with_the_same_account(alice: User, acme: Organization) -> None:
    page = shown(signed_in(alice), "/contribute")
    assert "No campaign is open to you" in page
    assert ">Console</a>" in page


def test_campaigns_with_their_pay_and_ones_own_progress(
    campaign: Campaign, dora: Contributor, clip: Clip
) -> None:
    page = shown(client_of(dora), "/contribute")
    assert campaign.name in page
    assert "$0.60" in page
    assert '<strong class="figures">1</strong> <span class="muted">of 5 recorded' in page
    assert f"/contribute/campaigns/{campaign.pk}/record" in page
    page = shown(client_of(collecting.speaker()), "/contribute")
    assert f"/contribute/campaigns/{campaign.pk}/consent" in page


def test_a_campaign_for_the_invited(acme: Organization) -> None:
    made, guest = collecting.campaign(acme, access="invited"), collecting.speaker()
    path = f"/contribute/campaigns/{made.pk}"
    for page in (path, f"{path}/consent", f"{path}/record"):
        shown(client_of(guest), page, 404)
    assert guest.user is not None
    CampaignInvitation.objects.create(campaign=made, email=guest.user.email.upper())
    assert made.name in shown(client_of(guest), path)


def test_each_purpose_is_agreed_to_apart(campaign: Campaign) -> None:
    guest = collecting.speaker()
    client, path = client_of(guest), f"/contribute/campaigns/{campaign.pk}"
    assert client.get(f"{path}/record")["Location"] == f"{path}/consent"
    page = shown(client, f"{path}/consent")
    for text in consenting.texts_of(campaign).values():
        assert text.text.split("(")[0] in page
        assert text.sha256 in page
    assert " checked" not in page
    response = client.post(f"{path}/consent", agreement(campaign, "train", "public_dataset"))
    assert (response.status_code, response["Location"]) == (302, f"{path}/record")
    assert {record.purpose for record in ConsentRecord.objects.filter(contributor=guest)} == {
        "train",
        "public_dataset",
    }
    assert "data-recorder" in shown(client, f"{path}/record")


@pytest.mark.parametrize("missing", ["agree_train", "is_adult", "sha256_train"])
def test_nothing_is_recorded_of_an_agreement_that_is_not_whole(campaign: Campaign, missing: str) -> None:
    guest = collecting.speaker()
    form = agreement(campaign, "train", "public_dataset")
    del form[missing]
    response = client_of(guest).post(f"/contribute/campaigns/{campaign.pk}/consent", form)
    assert response.status_code == 400
    assert not ConsentRecord.objects.filter(contributor=guest).exists()


def test_a_text_that_changed_meanwhile_is_read_again(campaign: Campaign) -> None:
    guest = collecting.speaker()
    form = agreement(campaign, "train", "public_dataset")
    consenting.publish_text(
        campaign=campaign, purpose="train", locale="en", text="I agree to something else from now on."
    )
    response = client_of(guest).post(f"/contribute/campaigns/{campaign.pk}/consent", form)
    assert response.status_code == 400
    assert "has changed since you saw it" in response.content.decode()


def test_a_new_version_is_asked_for_alone(campaign: Campaign, dora: Contributor) -> None:
    client, path = client_of(dora), f"/contribute/campaigns/{campaign.pk}"
    assert client.get(f"{path}/record").status_code == 200
    consenting.publish_text(
        campaign=campaign, purpose="train", locale="en", text="I agree to something else from now on."
    )
    assert client.get(f"{path}/record")["Location"] == f"{path}/consent"
    page = shown(client, f"{path}/consent")
    assert "New version" in page
    assert 'name="agree_public_dataset"' not in page
    form = {"agree_train": "on", "sha256_train": texts(campaign)["train"], "is_adult": "on"}
    assert client.post(f"{path}/consent", form).status_code == 302
    assert consenting.may_record(dora, campaign)


def test_ones_own_recordings_and_what_was_found(dora: Contributor, clip: Clip) -> None:
    Clip.objects.filter(pk=clip.pk).update(
        report=[
            {"name": "decoding", "value": 1, "unit": "", "verdict": "accept", "words": "It could be read."},
            {
                "name": "loudness",
                "value": -50.0,
                "unit": "LUFS",
                "verdict": "reject",
                "words": "Much too quiet: move closer.",
            },
        ]
    )
    deciding.decide(clip, to=Clip.State.REJECTED, source="pipeline", reason="Much too quiet: move closer.")
    client = client_of(dora)
    for page in ("/contribute/clips", "/contribute/clips?state=rejected", f"/contribute/clips/{clip.pk}"):
        assert "Much too quiet: move closer." in shown(client, page)
    page = shown(client, f"/contribute/clips/{clip.pk}")
    assert page.index("Loudness") < page.index("Reading")
    assert f"/record?prompt={clip.prompt_id}" in page
    assert "Much too quiet" not in shown(client, "/contribute/clips?state=accepted")
    assert "Much too quiet" in shown(client, "/contribute/clips?state=nonsense")


def test_what_is_being_checked_is_looked_for_by_the_page(dora: Contributor, clip: Clip) -> None:
    client = client_of(dora)
    paths = ["/contribute/clips", f"/contribute/clips/{clip.pk}", f"/contribute/campaigns/{clip.campaign_id}"]
    assert all("data-refresh=" not in shown(client, path) for path in paths)
    Clip.objects.filter(pk=clip.pk).update(state="checking")
    assert all("data-refresh=" in shown(client, path) for path in paths)


def test_audio_is_for_whose_it_is(dora: Contributor, emil: Contributor, clip: Clip) -> None:
    path = f"/contribute/clips/{clip.pk}/audio"
    response = client_of(dora).get(path)
    assert response["Content-Type"] == "audio/flac"
    assert b"".join(response.streaming_content)[:4] == b"fLaC"
    assert client_of(emil).get(path).status_code == 404
    Clip.objects.filter(pk=clip.pk).update(flac_key="")
    assert client_of(dora).get(path).status_code == 404


def test_another_persons_things_are_not_there(emil: Contributor, dora: Contributor, clip: Clip) -> None:
    client, record = client_of(emil), dora.consents.first()
    assert record is not None
    assert client.get(f"/contribute/clips/{clip.pk}").status_code == 404
    assert client.post(f"/contribute/clips/{clip.pk}/delete").status_code == 404
    assert client.post(f"/contribute/data/consents/{record.pk}/withdraw").status_code == 404
    clip.refresh_from_db()
    assert clip.state == "in_review"


def test_deleting_a_recording(dora: Contributor, clip: Clip) -> None:
    deciding.decide(clip, to=Clip.State.ACCEPTED, source="staff")
    client, key = client_of(dora), clip.flac_key
    assert client.get(f"/contribute/clips/{clip.pk}/delete").status_code == 405
    assert client.post(f"/contribute/clips/{clip.pk}/delete").status_code == 302
    clip.refresh_from_db()
    assert (clip.state, clip.flac_key, clip.files_gone_at is None) == ("withdrawn", "", False)
    assert not media.exists(key)
    assert "$0.00" in shown(client, "/contribute/earnings")
    assert (
        "deleted before" in client.post(f"/contribute/clips/{clip.pk}/delete", follow=True).content.decode()
    )


def test_earnings(dora: Contributor, campaign: Campaign, clip: Clip) -> None:
    client = client_of(dora)
    assert "Nothing earned yet" in shown(client, "/contribute/earnings")
    made = collecting.clip(dora, campaign.prompts.all()[1], speech_ms=95_000)
    deciding.decide(made, to=Clip.State.ACCEPTED, source="staff")
    page = shown(client, "/contribute/earnings")
    assert page.count("$0.95") == 2
    assert "On hold" in page
    assert "Nobody knows where to send your money." in page


def test_profile_and_account(dora: Contributor) -> None:
    client = client_of(dora)
    told = {"age_band": "30-39", "gender": "female", "accent": "Irish English"}
    assert client.post("/contribute/you/profile", told).status_code == 302
    assert client.post("/contribute/you/payouts", {"payout_account": "DE02 1203"}).status_code == 302
    dora.refresh_from_db()
    assert (dora.age_band, dora.accent, dora.payout_account) == ("30-39", "Irish English", "DE02 1203")
    page = shown(client, "/contribute/you")
    assert "Irish English" in page
    assert client.post("/contribute/you/profile", {"age_band": "17"}).status_code == 400
    assert client.post("/contribute/you/profile", {"accent": "x" * 81}).status_code == 400
    assert client.post("/contribute/you/payouts", {"payout_account": "x" * 201}).status_code == 400
    assert client.post("/contribute/you/profile", {}).status_code == 302
    assert people.profile(people.contributor_of(dora.user))["age_band"] == ""  # type: ignore[arg-type]


def test_withdrawing_and_its_state(dora: Contributor, campaign: Campaign, clip: Clip) -> None:
    client, record = client_of(dora), dora.consents.get(purpose="train")
    path = f"/contribute/data/consents/{record.pk}/withdraw"
    assert "Your 1 recording in it" in shown(client, path)
    assert client.post(path, {"reason": "Changed my mind."}).status_code == 302
    assert "files are being removed" in shown(client, "/contribute/data")
    withdrawing.carry_out(ConsentWithdrawal.objects.get().pk)
    assert "Carried out" in shown(client, "/contribute/data")
    assert "withdrawn before" in client.post(path, follow=True).content.decode()
    assert shown(client, f"/contribute/campaigns/{campaign.pk}")  # still theirs to see


def test_export(dora: Contributor, clip: Clip) -> None:
    response = client_of(dora).get("/contribute/data/export")
    assert response["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert archive.testzip() is None
    assert archive.namelist() == ["data.json", f"recordings/{clip.pk}.flac"]
    data = json.loads(archive.read("data.json"))
    assert data["account"]["email"] == "dora@speaker.example"
    assert {consent["purpose"] for consent in data["consents"]} == {"train", "public_dataset"}
    assert [told["id"] for told in data["clips"]] == [str(clip.pk)]
    assert archive.read(f"recordings/{clip.pk}.flac")[:4] == b"fLaC"


def test_erasing_takes_an_account_that_was_for_nothing_else(dora: Contributor, clip: Clip) -> None:
    client = client_of(dora)
    assert client.post("/contribute/data/erase", {"confirm": "yes"}).status_code == 400
    response = client.post("/contribute/data/erase", {"confirm": "erase"})
    assert response["Location"] == "/accounts/login/"
    assert client.get("/contribute").status_code == 302
    assert not User.objects.filter(email="dora@speaker.example").exists()
    dora.refresh_from_db()
    clip.refresh_from_db()
    assert (dora.user_id, clip.state) == (None, "withdrawn")


def test_erasing_leaves_a_customers_account(alice: User, acme: Organization, campaign: Campaign) -> None:
    client = signed_in(alice)
    collecting.agree(people.contributor_of(alice), campaign)
    assert "Your account stays" in shown(client, "/contribute/data/erase")
    assert client.post("/contribute/data/erase", {"confirm": "erase"})["Location"] == "/contribute"
    assert client.get("/").status_code == 200
    assert "Nothing yet" in shown(client, "/contribute/data")


def test_who_is_suspended_is_told_and_may_still_leave(dora: Contributor) -> None:
    Contributor.objects.filter(pk=dora.pk).update(is_suspended=True)
    client = client_of(dora)
    assert "cannot record or vote at the moment" in shown(client, "/contribute")
    assert client.get("/contribute/data/export").status_code == 200


def test_what_is_typed_is_not_run(dora: Contributor, campaign: Campaign) -> None:
    nasty = "<script>alert(1)</script>"
    Campaign.objects.filter(pk=campaign.pk).update(description=nasty, name=nasty)
    people.describe(dora, accent="<b>")
    client, path = client_of(dora), f"/contribute/campaigns/{campaign.pk}"
    for page in (
        "/contribute",
        path,
        f"{path}/consent",
        f"{path}/record",
        "/contribute/you",
        "/contribute/data",
    ):
        assert nasty not in shown(client, page)
        assert 'value="<b>"' not in shown(client, page)
