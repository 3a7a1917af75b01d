"""How a campaign gets its sentences, and which of them somebody is asked for next."""

from __future__ import annotations

import pytest

from apps.accounts.models import Organization, User
from apps.contributions import deciding, sentences
from apps.contributions.models import Campaign, Clip, Contributor, Prompt
from apps.core.errors import InvalidRequest
from tests.contributions import collecting

pytestmark = pytest.mark.django_db


@pytest.fixture
def empty(acme: Organization) -> Campaign:
    return collecting.campaign(acme, prompts=0)


def texts(campaign: Campaign) -> list[str]:
    return [prompt.text for prompt in campaign.prompts.order_by("number")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Hi", "fewer"),
        ("a" * 301, "more"),
        ("One < two.", "Nobody can say <"),
        ("Mail me @home", "Nobody can say @"),
        ("12 34", "no letters"),
        ("Seen\u200bnot", "cannot be seen"),
        ("right\u202eleft", "cannot be seen"),
        ("<script>alert(1)</script>", "Nobody can say"),
    ],
)
def test_what_cannot_be_read_aloud_is_refused_by_line(empty: Campaign, line: str, why: str) -> None:
    result = sentences.import_text(empty, f"A fine sentence.\n{line}\n")
    assert (result.added, result.repeated) == (1, 0)
    [(number, words)] = result.refused
    assert number == 2
    assert why in words


@pytest.mark.parametrize(
    "line", ["a" * 300, "Yes", "Größe zählt nicht.", "It's 7:30 p.m., isn't it?", "早上好吗"]
)
def test_what_can_be_read_is_taken(empty: Campaign, line: str) -> None:
    assert sentences.import_text(empty, line).added == 1


def test_duplicates_are_found_in_any_case_spacing_and_signs(empty: Campaign) -> None:
    lines = ["Good morning, world!", "good  morning world", "GOOD MORNING, WORLD.", "", "   ", "Good night."]
    result = sentences.import_prompts(empty, lines)
    assert (result.added, result.repeated, result.refused) == (2, 2, [])
    assert sentences.import_prompts(empty, lines).repeated == 4
    assert texts(empty) == ["Good morning, world!", "Good night."]
    sentences.import_text(empty, "Caf\u00e9 au lait.\nCafe\u0301 au lait.")
    assert texts(empty)[2:] == ["Caf\u00e9 au lait."]


def test_numbers_go_on(empty: Campaign) -> None:
    sentences.import_text(empty, "One more.\nTwo more.")
    sentences.import_text(empty, "Three more.")
    assert list(empty.prompts.values_list("number", flat=True)) == [1, 2, 3]


@pytest.mark.parametrize(
    "content",
    [
        b"id,text\n1,A fine day.\n2,Another one.\n",
        b"\xef\xbb\xbfSentence,level\nA fine day.,1\nAnother one.,2\n",
        b"A fine day.\r\nAnother one.\r\n",
        b'text\n"A fine day."\n"Another one."\n',
        b'"A fine day.",x\n"Another one.",y\n',
    ],
)
def test_forms_of_csv(empty: Campaign, content: bytes) -> None:
    assert sentences.import_csv(empty, content).added == 2
    assert texts(empty) == ["A fine day.", "Another one."]


def test_a_short_row_is_no_sentence(empty: Campaign) -> None:
    result = sentences.import_csv(empty, b"id,text\n1\n2,A fine day.\n")
    assert (result.added, result.refused) == (1, [])


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x80abc", b"text\nGr\xfc\xdfe\n"])
def test_what_is_no_utf_8_is_refused(empty: Campaign, content: bytes) -> None:
    with pytest.raises(InvalidRequest):
        sentences.import_csv(empty, content)


def test_an_empty_file_adds_nothing(empty: Campaign) -> None:
    assert sentences.import_csv(empty, b"").added == 0


def test_50_001_lines_are_too_many(empty: Campaign) -> None:
    with pytest.raises(InvalidRequest, match="50,000"):
        sentences.import_text(empty, "A line.\n" * 50_001)
    assert sentences.import_text(empty, "A line.\n" * 50_000).repeated == 49_999


# ---- what is asked next ------------------------------------------------------------------------------
def asked(contributor: Contributor, campaign: Campaign, count: int = 5) -> set[int]:
    return {prompt.number for prompt in sentences.next_prompts(contributor, campaign, count=count)}


def test_sentences_with_the_fewest_recordings_come_first(
    campaign: Campaign, dora: Contributor, emil: Contributor
) -> None:
    Campaign.objects.update(clips_per_prompt=3)
    for number in (0, 1, 2):
        collecting.clip(dora, campaign.prompts.all()[number])
    assert asked(emil, campaign, 2) == {4, 5}
    assert asked(emil, campaign) == {1, 2, 3, 4, 5}
    assert asked(dora, campaign) == {4, 5}


def test_what_has_all_it_wants_is_not_asked_for(
    campaign: Campaign, dora: Contributor, emil: Contributor
) -> None:
    taken = collecting.clip(dora, campaign.prompts.all()[0])
    assert asked(emil, campaign) == {2, 3, 4, 5}
    deciding.decide(taken, to=Clip.State.REJECTED, source="staff", reason="Noise.")
    assert asked(emil, campaign) == asked(dora, campaign) == {1, 2, 3, 4, 5}


def test_skipped_and_reported_ones_are_not_shown_again(
    campaign: Campaign, dora: Contributor, emil: Contributor
) -> None:
    first, second, third = campaign.prompts.all()[:3]
    sentences.report(dora, first, "skipped")
    sentences.report(dora, second, "offensive")
    assert asked(dora, campaign) == {3, 4, 5}
    assert asked(emil, campaign) == {1, 2, 3, 4, 5}
    with pytest.raises(InvalidRequest):
        sentences.report(dora, third, "boring")


def test_what_several_report_is_shown_to_nobody_until_staff_have_looked(
    campaign: Campaign, dora: Contributor, staff: User
) -> None:
    first, second = campaign.prompts.all()[:2]
    for _ in range(3):
        somebody = collecting.speaker()
        sentences.report(somebody, first, "grammar")
        sentences.report(somebody, second, "skipped")
    assert asked(dora, campaign) == {2, 3, 4, 5}
    first.reports.update(resolved_by=staff)
    assert asked(dora, campaign) == {1, 2, 3, 4, 5}


def test_what_is_no_longer_wanted_is_not_asked_for(campaign: Campaign, dora: Contributor) -> None:
    Prompt.objects.filter(number__lte=3).update(is_wanted=False)
    assert asked(dora, campaign) == {4, 5}


def test_a_speaker_gives_at_most_so_many(campaign: Campaign, dora: Contributor, emil: Contributor) -> None:
    Campaign.objects.update(clips_per_speaker=2)
    campaign.refresh_from_db()
    prompts = campaign.prompts.all()
    collecting.clip(dora, prompts[0])
    assert asked(dora, campaign) == {2, 3, 4, 5}
    second = collecting.clip(dora, prompts[1])
    assert asked(dora, campaign) == set()
    assert asked(emil, campaign) == {3, 4, 5}
    deciding.decide(second, to=Clip.State.REJECTED, source="staff", reason="Noise.")
    assert asked(dora, campaign) == {2, 3, 4, 5}


def test_a_budget_counts_what_is_accepted_and_what_may_be(
    campaign: Campaign, dora: Contributor, emil: Contributor
) -> None:
    Campaign.objects.update(budget_cents=100)
    campaign.refresh_from_db()
    made = collecting.clip(dora, campaign.prompts.all()[0], speech_ms=60_000, told_duration_ms=60_000)
    deciding.decide(made, to=Clip.State.ACCEPTED, source="staff")
    assert asked(emil, campaign) == {2, 3, 4, 5}
    waiting = collecting.clip(dora, campaign.prompts.all()[1], told_duration_ms=40_000)
    assert asked(emil, campaign) == set()
    deciding.decide(waiting, to=Clip.State.REJECTED, source="staff", reason="Noise.")
    assert asked(emil, campaign) == {2, 3, 4, 5}


def test_progress(campaign: Campaign, dora: Contributor) -> None:
    collecting.clip(dora, campaign.prompts.all()[0])
    assert sentences.progress(campaign) == {"wanted": 5, "in_review": 1}
