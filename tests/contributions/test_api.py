"""`/api/contributions`: what the pages do, for a signed-in person; and what an organization sees by key."""

from __future__ import annotations

import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import connection
from django.test import Client

from apps.accounts.models import Organization, User
from apps.contributions import consenting, deciding
from apps.contributions.models import Campaign, Clip, ClipReport, Contributor, PromptReport, Vote
from apps.core import media
from apps.keys.services import issue_key
from tests.cast import signed_in
from tests.contributions import collecting
from tests.contributions.visitor import API, client_of, send

pytestmark = pytest.mark.django_db


def get(client: Client, path: str, status: int = 200) -> Any:
    response = client.get(f"{API}/{path}")
    assert response.status_code == status, response.content
    return response.json()


def put(client: Client, path: str, body: Any, method: str = "post") -> Any:
    return getattr(client, method)(f"{API}/{path}", json.dumps(body), content_type="application/json")


def code(response: Any) -> str:
    return f"{response.status_code} {response.json()['error']['code']}"


def agreement(campaign: Campaign, *purposes: str, is_adult: bool = True) -> dict[str, Any]:
    texts = consenting.texts_of(campaign)
    return {"purposes": {purpose: texts[purpose].sha256 for purpose in purposes}, "is_adult": is_adult}


@pytest.fixture
def heard(emil: Contributor, campaign: Campaign) -> Clip:
    """A recording of emil's that waits for listeners."""
    made = collecting.clip(emil, campaign.prompts.all()[0], flac_key=f"clips/{uuid4()}.flac")
    media.save(made.flac_key, b"fLaC" + bytes(500))
    return made


# ---- who may


@pytest.mark.parametrize(
    "path",
    ["campaigns", "clips", "listen", "profile", "balance", "earnings", "payouts", "consents", "export"],
)
def test_it_is_for_whoever_is_signed_in(client: Client, acme: Organization, path: str) -> None:
    assert code(client.get(f"{API}/{path}")) == "401 not_signed_in"
    key = issue_key(organization=acme, name="n", mode="live", scopes=["manage"], created_by=None).secret
    response = client.get(f"{API}/{path}", headers={"X-API-Key": key})
    assert code(response) == "401 not_signed_in"
    assert client_of(collecting.speaker()).get(f"{API}/{path}").status_code == 200


def test_changes_need_the_token_of_the_page(dora: Contributor) -> None:
    assert dora.user is not None
    client = signed_in(dora.user, enforce_csrf_checks=True)
    assert put(client, "profile", {"accent": "Irish"}, "patch").status_code == 403


# ---- campaigns and consent


def test_from_a_campaign_to_its_sentences(campaign: Campaign) -> None:
    client = client_of(collecting.speaker())
    [shown] = get(client, "campaigns")
    assert (shown["id"], shown["next_step"], shown["cents_per_minute"]) == (str(campaign.pk), "consent", 60)
    path = f"campaigns/{campaign.pk}"
    asked = get(client, f"{path}/consents")
    assert [(ask["purpose"], ask["is_needed"], ask["is_agreed"]) for ask in asked] == [
        ("train", True, False),
        ("public_dataset", True, False),
        ("voice_cloning", False, False),
    ]
    response = put(client, f"{path}/consents", agreement(campaign, "train", "public_dataset"))
    assert response.status_code == 201
    assert get(client, path)["next_step"] == "record"
    assert len(get(client, f"{path}/prompts")) == 5
    assert len(get(client, f"{path}/prompts?count=2")) == 2
    assert put(client, f"{path}/consents", agreement(campaign, "voice_cloning")).status_code == 201
    assert len(get(client, "consents")["results"]) == 3


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, "400 invalid_request"),
        ({"purposes": {}, "is_adult": True}, "400 invalid_request"),
        (
            {"purposes": {"train": "0" * 64, "public_dataset": "0" * 64}, "is_adult": True},
            "409 consent_changed",
        ),
        ({"purposes": {"train": "nothing"}, "is_adult": True}, "400 invalid_request"),
        ({"purposes": {"marketing": "0" * 64}, "is_adult": True}, "400 invalid_request"),
        ({"purposes": {"train": "0" * 64}, "is_adult": "yes"}, "400 invalid_request"),
        ({"purposes": {}, "is_adult": True, "more": 1}, "400 invalid_request"),
        ([], "400 invalid_request"),
    ],
)
def test_an_agreement_that_is_none(campaign: Campaign, body: Any, answer: str) -> None:
    assert code(put(client_of(collecting.speaker()), f"campaigns/{campaign.pk}/consents", body)) == answer


def test_nobody_under_age(campaign: Campaign) -> None:
    body = agreement(campaign, "train", "public_dataset", is_adult=False)
    response = put(client_of(collecting.speaker()), f"campaigns/{campaign.pk}/consents", body)
    assert code(response) == "400 invalid_request"
    assert response.json()["error"]["param"] == "is_adult"


def test_a_campaign_for_others_is_not_there(acme: Organization, dora: Contributor) -> None:
    closed = collecting.campaign(acme, access="invited")
    client, prompt = client_of(dora), closed.prompts.all()[0]
    for path in ("", "/consents", "/prompts"):
        get(client, f"campaigns/{closed.pk}{path}", 404)
    assert send(client, prompt).status_code == 404
    assert put(client, f"prompts/{prompt.pk}/reports", {"reason": "hard"}).status_code == 404


def test_a_sentence_that_is_skipped_or_reported(campaign: Campaign, dora: Contributor) -> None:
    client, prompt = client_of(dora), campaign.prompts.all()[0]
    assert code(put(client, f"prompts/{prompt.pk}/reports", {"reason": "boring"})) == "400 invalid_request"
    assert put(client, f"prompts/{prompt.pk}/reports", {"reason": "skipped"}).status_code == 204
    assert str(prompt.pk) not in {one["id"] for one in get(client, f"campaigns/{campaign.pk}/prompts")}
    assert PromptReport.objects.get().contributor == dora
    assert put(client, f"prompts/{uuid4()}/reports", {"reason": "hard"}).status_code == 404


def test_the_sentence_of_a_rejected_clip_comes_first(campaign: Campaign, dora: Contributor) -> None:
    client, prompt = client_of(dora), campaign.prompts.all()[3]
    path = f"campaigns/{campaign.pk}/prompts?count=2&first={prompt.pk}"
    assert get(client, path)[0]["id"] == str(prompt.pk)
    collecting.clip(dora, prompt)
    assert get(client, path)[0]["id"] != str(prompt.pk)
    get(client, f"campaigns/{campaign.pk}/prompts?count=0", 400)
    get(client, f"campaigns/{campaign.pk}/prompts?first=x", 400)


# ---- recordings


def test_a_recording_is_kept_once_however_often_it_is_sent(campaign: Campaign, dora: Contributor) -> None:
    client, prompt, upload_id = client_of(dora), campaign.prompts.all()[0], uuid4()
    first = send(client, prompt, upload_id=upload_id, content=b"a" * 900)
    assert first.status_code == 201
    told = first.json()
    assert (told["state"], told["state_words"], told["audio_url"]) == ("uploaded", "Being checked", None)
    again = send(client, prompt, upload_id=upload_id, content=b"a" * 900)
    assert (again.status_code, again.json()["id"]) == (200, told["id"])
    clip = Clip.objects.get()
    assert media.read(clip.original_key) == b"a" * 900
    assert {consent.purpose for consent in clip.consents.all()} == {"train", "public_dataset"}
    assert get(client, f"clips/{clip.pk}")["prompt"]["text"] == prompt.text


def test_a_large_recording_goes_by_a_file(
    campaign: Campaign, dora: Contributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled: list[int] = []
    kept = TemporaryFileUploadHandler.file_complete
    monkeypatch.setattr(
        TemporaryFileUploadHandler,
        "file_complete",
        lambda self, size: (spooled.append(size), kept(self, size))[1],
    )
    response = send(client_of(dora), campaign.prompts.all()[0], content=bytes(3_000_000))
    assert response.status_code == 201
    assert Clip.objects.get().original_bytes == 3_000_000
    assert spooled == [3_000_000]


def test_what_is_refused(campaign: Campaign, dora: Contributor, settings: Any) -> None:
    client, (first, second, *_) = client_of(dora), campaign.prompts.all()
    assert send(client, first, content=b"same" * 200).status_code == 201
    assert code(send(client, first)) == "409 already_recorded"
    assert code(send(client, second, content=b"same" * 200)) == "409 duplicate_recording"
    assert code(send(client, second, content=b"")) == "400 empty_recording"
    assert code(send(client, second, duration_ms=0)) == "400 invalid_request"
    assert code(send(client, second, duration_ms=10**9)) == "400 invalid_request"
    assert code(send(client, second, duration_ms="long")) == "400 invalid_request"
    assert code(send(client, second, upload_id="x")) == "400 invalid_request"
    assert code(send(client, second, prompt_id="x")) == "400 invalid_request"
    assert code(send(client, second, recording="no file")) == "400 invalid_request"
    assert code(send(client, uuid4())) == "404 not_found"
    assert code(put(client, "clips", {})) == "415 unsupported_media_type"
    settings.CLIP_MAX_BYTES = 1_000
    assert code(send(client, second, content=bytes(1_001))) == "413 payload_too_large"
    settings.CLIPS_PER_HOUR = 1
    assert code(send(client, second)) == "409 too_many_clips"
    Campaign.objects.update(state="paused")
    assert code(send(client, second)) == "409 campaign_closed"


def test_nobody_records_without_consent(campaign: Campaign) -> None:
    response = send(client_of(collecting.speaker()), campaign.prompts.all()[0])
    assert code(response) == "403 consent_required"


def test_who_is_suspended_neither_records_nor_judges(
    campaign: Campaign, dora: Contributor, heard: Clip
) -> None:
    Contributor.objects.filter(pk=dora.pk).update(is_suspended=True)
    client = client_of(dora)
    assert code(send(client, campaign.prompts.all()[0])) == "403 suspended"
    assert code(client.get(f"{API}/listen")) == "403 suspended"
    assert code(put(client, f"listen/{heard.pk}/votes", {"vote": "valid"})) == "403 suspended"


@pytest.mark.django_db(transaction=True)
def test_the_same_recording_at_once_is_one_clip(campaign: Campaign, dora: Contributor) -> None:
    upload_id, prompt = uuid4(), campaign.prompts.all()[0]
    clients = [client_of(dora) for _ in range(6)]

    def upload(client: Client) -> tuple[int, str]:
        try:
            response = send(client, prompt, upload_id=upload_id, content=b"once" * 300)
            return response.status_code, response.json()["id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(clients)) as threads:
        answers = list(threads.map(upload, clients))
    assert sorted(status for status, _ in answers) == [200] * 5 + [201]
    assert len({clip_id for _, clip_id in answers}) == 1
    assert Clip.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_recordings_of_one_sentence_at_once(campaign: Campaign, dora: Contributor) -> None:
    prompt = campaign.prompts.all()[0]
    clients = [client_of(dora) for _ in range(4)]

    def upload(client: Client) -> str:
        try:
            response = send(client, prompt)
            return "201" if response.status_code == 201 else code(response)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(clients)) as threads:
        answers = sorted(threads.map(upload, clients))
    assert answers == ["201", *["409 already_recorded"] * 3]
    assert Clip.objects.count() == 1


def test_a_list_of_ones_own(campaign: Campaign, dora: Contributor, heard: Clip) -> None:
    made = [collecting.clip(dora, prompt) for prompt in campaign.prompts.all()[:3]]
    client = client_of(dora)
    assert [one["id"] for one in get(client, "clips")["results"]] == [str(clip.pk) for clip in made[::-1]]
    wanted = f"{made[0].pk},{heard.pk}"
    assert [one["id"] for one in get(client, f"clips?ids={wanted}")["results"]] == [str(made[0].pk)]
    assert get(client, "clips?state=accepted")["results"] == []
    assert len(get(client, f"clips?campaign={campaign.pk}")["results"]) == 3
    for query in ("ids=x", "state=x", "campaign=x", "cursor=x"):
        get(client, f"clips?{query}", 400)


def test_a_verdict_in_words(campaign: Campaign, dora: Contributor) -> None:
    line = {"name": "speech", "value": 0.1, "unit": "s", "verdict": "reject", "words": "No speech was heard."}
    made = collecting.clip(dora, campaign.prompts.all()[0], report=[line])
    deciding.decide(made, to=Clip.State.REJECTED, source="pipeline", reason="No speech was heard.")
    told = get(client_of(dora), f"clips/{made.pk}")
    assert (told["state"], told["reason"]) == ("rejected", "No speech was heard.")
    assert told["report"] == [{**line, "title": "Speech"}]
    assert told["earned_cents"] is None


def test_anothers_recording_is_not_there(dora: Contributor, heard: Clip) -> None:
    client = client_of(dora)
    get(client, f"clips/{heard.pk}", 404)
    get(client, f"clips/{heard.pk}/audio", 404)
    assert client.delete(f"{API}/clips/{heard.pk}").status_code == 404


def test_deleting(emil: Contributor, heard: Clip) -> None:
    client = client_of(emil)
    deciding.decide(heard, to=Clip.State.ACCEPTED, source="staff")
    assert get(client, "balance")["pending_cents"] == 4
    key = heard.flac_key
    assert client.delete(f"{API}/clips/{heard.pk}").status_code == 204
    assert not media.exists(key)
    assert get(client, f"clips/{heard.pk}")["state"] == "withdrawn"
    assert get(client, "balance")["pending_cents"] == 0
    assert [one["state"] for one in get(client, "earnings")["results"]] == ["taken_back"]
    assert code(client.delete(f"{API}/clips/{heard.pk}")) == "409 clip_deleted"


# ---- listening


def test_judging_others(campaign: Campaign, dora: Contributor, emil: Contributor, heard: Clip) -> None:
    client = client_of(dora)
    assert get(client_of(emil), "listen") == []
    [shown] = get(client, "listen")
    assert set(shown) == {"id", "campaign_id", "prompt", "duration_ms", "audio_url"}
    response = client.get(shown["audio_url"], headers={"Range": "bytes=0-3"})
    assert (response.status_code, b"".join(response.streaming_content)) == (206, b"fLaC")
    assert put(client, f"listen/{heard.pk}/votes", {"vote": "invalid"}).json() == {"state": "in_review"}
    assert put(client, f"listen/{heard.pk}/votes", {"vote": "valid"}).json() == {"state": "in_review"}
    assert Vote.objects.get().is_valid
    assert get(client, "listen") == []
    other = client_of(collecting.speaker())
    assert put(other, f"listen/{heard.pk}/votes", {"vote": "valid"}).json() == {"state": "accepted"}
    third = client_of(collecting.speaker())
    assert code(put(third, f"listen/{heard.pk}/votes", {"vote": "valid"})) == "409 clip_decided"
    get(third, f"listen/{heard.pk}/audio", 404)


def test_what_cannot_be_judged(campaign: Campaign, dora: Contributor, emil: Contributor, heard: Clip) -> None:
    client = client_of(dora)
    assert code(put(client_of(emil), f"listen/{heard.pk}/votes", {"vote": "valid"})) == "403 own_clip"
    get(client_of(emil), f"listen/{heard.pk}/audio", 404)
    assert code(put(client, f"listen/{uuid4()}/votes", {"vote": "valid"})) == "404 not_found"
    for body in ({}, {"vote": True}, {"vote": "valid", "weight": 2}):
        assert code(put(client, f"listen/{heard.pk}/votes", body)) == "400 invalid_request"
    Campaign.objects.update(access="invited")
    assert code(put(client, f"listen/{heard.pk}/votes", {"vote": "valid"})) == "404 not_found"
    get(client, f"listen/{heard.pk}/audio", 404)


def test_a_recording_that_is_reported_is_not_played_again(dora: Contributor, heard: Clip) -> None:
    client = client_of(dora)
    for reason in ("", " ", 7, "x" * 201):
        assert put(client, f"listen/{heard.pk}/reports", {"reason": reason}).status_code == 400
    assert put(client, f"listen/{heard.pk}/reports", {"reason": "Two people."}).status_code == 204
    assert ClipReport.objects.get().reporter == dora
    assert get(client, "listen") == []
    get(client, f"listen/{heard.pk}/audio", 404)


# ---- about the person


def test_profile(dora: Contributor) -> None:
    client = client_of(dora)
    assert put(client, "profile", {"age_band": "40-49", "accent": "Irish"}, "patch").status_code == 200
    told = put(client, "profile", {"gender": "other", "payout_account": "DE02"}, "patch").json()
    assert told == {"age_band": "40-49", "gender": "other", "accent": "Irish", "has_payout_account": True}
    for body in (
        {"age_band": "12"},
        {"accent": 3},
        {"payout_account": "x" * 201},
        {"email": "x"},
        {"accent": "\x07"},
    ):
        assert code(put(client, "profile", body, "patch")) == "400 invalid_request"
    assert get(client, "profile") == told


def test_withdrawing(dora: Contributor, emil: Contributor, campaign: Campaign) -> None:
    client, record = client_of(dora), dora.consents.get(purpose="train")
    made = collecting.clip(dora, campaign.prompts.all()[0])
    assert put(client_of(emil), f"consents/{record.pk}/withdraw", {}).status_code == 404
    response = put(client, f"consents/{record.pk}/withdraw", {"reason": "Enough."})
    assert response.status_code == 200
    assert response.json()["withdrawn_at"]
    assert response.json()["carried_out_at"] is None
    assert code(put(client, f"consents/{record.pk}/withdraw", {})) == "409 consent_withdrawn"
    made.refresh_from_db()
    assert made.state == "withdrawn"
    assert get(client, f"campaigns/{campaign.pk}")["next_step"] == "consent"


def test_money(dora: Contributor, campaign: Campaign) -> None:
    made = collecting.clip(dora, campaign.prompts.all()[0], speech_ms=95_000)
    deciding.decide(made, to=Clip.State.ACCEPTED, source="staff")
    client = client_of(dora)
    assert get(client, "balance") == {
        "currency": "USD",
        "pending_cents": 95,
        "payable_cents": 0,
        "on_the_way_cents": 0,
        "paid_cents": 0,
        "minimum_cents": 1000,
    }
    [earning] = get(client, "earnings")["results"]
    assert (earning["clip_id"], earning["cents"], earning["state"]) == (str(made.pk), 95, "held")
    assert get(client, "payouts")["results"] == []


def test_export_and_erasing(emil: Contributor, heard: Clip) -> None:
    client = client_of(emil)
    response = client.get(f"{API}/export")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert json.loads(archive.read("data.json"))["clips"][0]["id"] == str(heard.pk)
    assert put(client, "erase", {"confirm": "yes"}).status_code == 400
    assert put(client, "erase", {"confirm": "erase"}).json() == {"account_deleted": True}
    assert code(client.get(f"{API}/profile")) == "401 not_signed_in"
    assert not User.objects.filter(email="emil@speaker.example").exists()


# ---- the campaign's organization


def test_an_organization_sees_figures_and_no_people(
    acme: Organization, globex: Organization, campaign: Campaign, heard: Clip
) -> None:
    deciding.decide(heard, to=Clip.State.ACCEPTED, source="staff")

    def ask(organization: Organization, path: str = "", scope: str = "manage") -> Any:
        key = issue_key(
            organization=organization, name="n", mode="live", scopes=[scope], created_by=None
        ).secret
        return Client(headers={"X-API-Key": key}).get(f"{API}/organization/campaigns{path}")

    told = ask(acme, f"/{campaign.pk}").json()
    assert (told["wanted_clips"], told["clips"]["accepted"], told["speakers"]) == (5, 1, 1)
    assert (told["speech_ms"], told["spent_cents"]) == (4_000, 4)
    assert "emil" not in json.dumps(told)
    assert ask(acme).json()["results"] == [told]
    assert ask(globex).json()["results"] == []
    assert ask(globex, f"/{campaign.pk}").status_code == 404
    assert code(ask(acme, scope="speech")) == "403 missing_scope"
