"""Agreeing to texts: by version, by the words that were shown, in a language that people read."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from apps.contributions import consenting, withdrawing
from apps.contributions.models import Campaign, ConsentRecord, ConsentText, Contributor
from apps.core.errors import Conflict, InvalidRequest
from tests.contributions import collecting

pytestmark = pytest.mark.django_db

WORDS = "I agree that recordings of my voice are used like this."


@pytest.fixture
def fay() -> Contributor:
    """Has not agreed to anything."""
    return collecting.speaker("fay")


def shown(campaign: Campaign, locale: str = "en") -> dict[str, str]:
    texts = consenting.texts_of(campaign, locale)
    return {purpose: texts[purpose].sha256 for purpose in campaign.purposes}


def agree(contributor: Contributor, campaign: Campaign, **changed: Any) -> list[ConsentRecord]:
    arguments: dict[str, Any] = {
        "shown": shown(campaign),
        "is_adult": True,
        "address": "203.0.113.77",
        "user_agent": "tests",
    }
    return consenting.agree(contributor=contributor, campaign=campaign, **(arguments | changed))


def publish(campaign: Campaign, locale: str = "en", text: str = WORDS) -> ConsentText:
    return consenting.publish_text(campaign=campaign, purpose="train", locale=locale, text=text)


def test_a_text_has_versions_and_the_same_one_stays(campaign: Campaign) -> None:
    second = publish(campaign)
    assert second.version == 2
    assert publish(campaign, text=f"  {WORDS}\n").pk == second.pk
    assert publish(campaign, "de").version == 1
    with pytest.raises(InvalidRequest):
        publish(campaign, text="Yes.")


@pytest.mark.parametrize(
    ("locale", "found"), [("de", "de"), ("de-AT", "de"), ("fr", "en"), ("en-GB", "en"), ("de-CH", "de-CH")]
)
def test_the_nearest_language_is_shown(campaign: Campaign, locale: str, found: str) -> None:
    for language in ("de", "de-CH"):
        publish(campaign, language)
    assert consenting.texts_of(campaign, locale)["train"].locale == found


def test_agreeing_records_the_very_words(campaign: Campaign, fay: Contributor) -> None:
    train, public = agree(fay, campaign)
    assert (train.purpose, public.purpose) == ("train", "public_dataset")
    text = consenting.texts_of(campaign)["train"]
    assert (train.sha256, train.version, train.locale) == (text.sha256, 1, "en")
    assert train.network == "203.0.113.0/24"
    assert consenting.may_record(fay, campaign)
    assert [record.pk for record in agree(fay, campaign)] == [train.pk, public.pk]


def test_what_is_needed_cannot_be_left_out(campaign: Campaign, fay: Contributor) -> None:
    for changed in (
        {"shown": {}},
        {"shown": {"train": shown(campaign)["train"]}},
        {"is_adult": False},
    ):
        with pytest.raises(InvalidRequest):
            agree(fay, campaign, **changed)
    assert not ConsentRecord.objects.filter(contributor=fay).exists()


def test_a_text_that_has_changed_must_be_read_again(campaign: Campaign, fay: Contributor) -> None:
    before = shown(campaign)
    publish(campaign)
    with pytest.raises(Conflict):
        agree(fay, campaign, shown=before)
    assert not ConsentRecord.objects.filter(contributor=fay).exists()
    agree(fay, campaign)
    assert consenting.may_record(fay, campaign)


@pytest.mark.parametrize("sha256", ["0" * 64, "", "'; DROP TABLE"])
def test_words_that_nobody_published_are_no_consent(
    campaign: Campaign, fay: Contributor, sha256: str
) -> None:
    with pytest.raises(Conflict):
        agree(fay, campaign, shown=shown(campaign) | {"train": sha256})


def test_the_text_of_one_purpose_is_none_of_another(campaign: Campaign, fay: Contributor) -> None:
    texts = shown(campaign)
    swapped = {"train": texts["public_dataset"], "public_dataset": texts["train"]}
    with pytest.raises(Conflict):
        agree(fay, campaign, shown=swapped)


def test_a_new_version_ends_recording_until_it_is_agreed_to(campaign: Campaign, dora: Contributor) -> None:
    assert consenting.may_record(dora, campaign)
    publish(campaign)
    assert not consenting.may_record(dora, campaign)
    agree(dora, campaign)
    assert consenting.may_record(dora, campaign)


def test_withdrawing_ends_it(campaign: Campaign, dora: Contributor) -> None:
    withdrawing.withdraw_all(dora)
    assert consenting.in_force(dora, campaign) == {}
    assert not consenting.may_record(dora, campaign)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("nonsense", ""),
        (None, ""),
    ],
)
def test_an_address_is_cut_to_its_network(address: str | None, network: str) -> None:
    assert consenting.truncated(address) == network


def test_no_record_and_no_text_ever_changes(campaign: Campaign, dora: Contributor) -> None:
    for act in (
        lambda: ConsentRecord.objects.update(locale="de"),
        lambda: ConsentText.objects.update(text=WORDS),
        lambda: ConsentRecord.objects.filter(contributor=dora).delete(),
    ):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            act()
