"""The pipeline over clips of real speech: what it decides, and what it leaves when it is killed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Organization
from apps.contributions import campaigns, checking, deciding, ledger, sentences, withdrawing
from apps.contributions.models import Campaign, Clip, ClipPrint, Contributor, Decision
from apps.core import media
from tests.contributions import collecting, speaking

pytestmark = pytest.mark.django_db

LIGHTHOUSE = "The old lighthouse keeper climbed the narrow stairs every evening before sunset."
GULLS = "She counted seven white gulls on the harbour wall and smiled."


@pytest.fixture
def campaign(acme: Organization) -> Campaign:
    made = collecting.campaign(acme, prompts=0)
    sentences.import_text(made, f"{LIGHTHOUSE}\n{GULLS}")
    return made


def of(contributor: Contributor, campaign: Campaign, samples: Any, number: int = 0) -> Clip:
    return speaking.sent(contributor, campaign.prompts.all()[number], samples)


def checked(clip: Clip) -> Clip:
    assert checking.check(clip.pk)
    clip.refresh_from_db()
    return clip


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def verdicts(clip: Clip) -> dict[str, str]:
    return {line["name"]: line["verdict"] for line in clip.report}


@pytest.fixture
def clip(campaign: Campaign, dora: Contributor) -> Clip:
    """Well spoken, uploaded and not checked."""
    return of(dora, campaign, speaking.spoken(LIGHTHOUSE))


def test_a_good_clip_is_accepted_and_earns(clip: Clip) -> None:
    checked(clip)
    assert clip.state == "accepted", clip.reason
    assert set(verdicts(clip).values()) == {"accept"}
    assert media.read(clip.flac_key)[:4] == b"fLaC"
    assert clip.speech_ms is not None
    assert 3_000 < clip.speech_ms < clip.duration_ms  # type: ignore[operator]
    assert "lighthouse" in clip.transcript.lower()
    assert ledger.balance(clip.contributor).pending == clip.earned_cents > 0
    assert clip.prints.exists()
    assert not checking.check(clip.pk)
    assert clip.decisions.get().source == Decision.Source.PIPELINE


def test_another_sentence_is_rejected_with_words(campaign: Campaign, dora: Contributor) -> None:
    clip = checked(of(dora, campaign, speaking.spoken(GULLS)))
    assert clip.state == "rejected"
    assert verdicts(clip)["transcript"] == "reject"
    assert "Read the sentence exactly" in clip.reason
    assert ledger.balance(dora).earned == 0


def test_a_doubtful_one_goes_to_people(campaign: Campaign, dora: Contributor) -> None:
    clip = checked(of(dora, campaign, speaking.spoken(LIGHTHOUSE) * 0.2))
    assert (clip.state, verdicts(clip)["loudness"]) == ("in_review", "review")
    assert "quiet" in clip.reason


def test_what_is_no_sound_is_rejected(clip: Clip) -> None:
    media.save(clip.original_key, b"<html>" + b"<script>alert(1)</script>" * 40)
    checked(clip)
    assert (clip.state, clip.flac_key, verdicts(clip)) == ("rejected", "", {"decoding": "reject"})


def test_the_same_recording_again_is_rejected(campaign: Campaign, clip: Clip, emil: Contributor) -> None:
    Campaign.objects.update(clips_per_prompt=2)
    checked(clip)
    again = checked(of(emil, campaign, speaking.spoken(LIGHTHOUSE) * 0.9))
    assert again.state == "rejected"
    assert verdicts(again)["replay"] == "reject"


def test_one_task_at_a_time(clip: Clip) -> None:
    Clip.objects.filter(pk=clip.pk).update(
        state="checking", claimed_until=timezone.now() + timedelta(minutes=1)
    )
    assert not checking.check(clip.pk)
    assert checking.waiting() == []


def killed_as_it_decides(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the audio stored."""

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checking.deciding, "decide", killed)
        with pytest.raises(KeyboardInterrupt):
            checking.check(clip.pk)


def test_killed_it_is_done_over_and_the_file_is_there_once(
    clip: Clip, media_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_as_it_decides(clip, monkeypatch)
    clip.refresh_from_db()
    assert (clip.state, clip.flac_key, clip.checks) == ("checking", "", 1)
    left = files(media_folder)
    assert len(left) == 2
    assert checking.waiting() == []
    Clip.objects.filter(pk=clip.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert checking.waiting() == [clip.pk]
    checked(clip)
    assert clip.state == "accepted"
    assert files(media_folder) == left
    assert Path(clip.flac_key).name in left
    assert ledger.flaws() == []


def test_killed_and_then_withdrawn_nothing_is_left(
    clip: Clip, media_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was written down of the audio that it had stored."""
    killed_as_it_decides(clip, monkeypatch)
    assert len(files(media_folder)) == 2
    for withdrawal in withdrawing.withdraw_all(clip.contributor):
        withdrawing.carry_out(withdrawal.pk)
    assert files(media_folder) == []


def test_one_whose_task_always_dies_goes_to_people(clip: Clip) -> None:
    Clip.objects.filter(pk=clip.pk).update(checks=checking.MAX_CHECKS)
    checked(clip)
    assert clip.state == "in_review"
    assert "a person listens" in clip.reason


def test_withdrawn_meanwhile_nothing_is_left(
    clip: Clip, media_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = checking.measure

    def withdrawn_meanwhile(*given: Any, **named: Any) -> Any:
        measured = measure(*given, **named)
        for withdrawal in withdrawing.withdraw_all(clip.contributor):
            withdrawing.carry_out(withdrawal.pk)
        return measured

    monkeypatch.setattr(checking, "measure", withdrawn_meanwhile)
    checked(clip)
    assert (clip.state, clip.flac_key, clip.transcript, clip.report) == ("withdrawn", "", "", [])
    assert files(media_folder) == []
    assert not ClipPrint.objects.exists()
    assert ledger.balance(clip.contributor).earned == 0


def test_a_slow_task_leaves_the_file_to_the_one_that_took_over(
    clip: Clip, media_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = checking.measure

    def overtaken(*given: Any, **named: Any) -> Any:
        measured = measure(*given, **named)
        later = timezone.now() + timedelta(minutes=1)
        Clip.objects.filter(pk=clip.pk).update(claimed_by=clip.pk, claimed_until=later)
        return measured

    monkeypatch.setattr(checking, "measure", overtaken)
    checked(clip)
    assert clip.state == "checking"
    assert [name for name in files(media_folder) if name.endswith(".flac")]


# ---- when gates change -------------------------------------------------------------------------------
def test_gates_that_change_judge_again(campaign: Campaign, clip: Clip) -> None:
    checked(clip)
    figures = clip.figures
    assert campaigns.set_gates(campaign, {"review_over_seconds": 1.0, "reject_over_seconds": 2.0})
    assert not campaigns.set_gates(campaign, {"review_over_seconds": 1.0, "reject_over_seconds": 2.0})
    assert checking.judge_again(campaign) == 1
    clip.refresh_from_db()
    assert (clip.state, clip.round, clip.figures) == ("rejected", 2, figures)
    assert verdicts(clip)["duration"] == "reject"
    assert ledger.balance(clip.contributor).earned == 0
    assert checking.judge_again(campaign) == 0
    campaigns.set_gates(campaign, {})
    campaign.refresh_from_db()
    assert checking.judge_again(campaign) == 1
    clip.refresh_from_db()
    assert clip.state == "accepted"
    assert ledger.balance(clip.contributor).pending == clip.earned_cents
    assert ledger.flaws() == []


def test_what_people_decided_or_voted_on_stays(campaign: Campaign, clip: Clip, emil: Contributor) -> None:
    checked(clip)
    deciding.reopen(clip, reason="Somebody asks.")
    deciding.vote(emil, clip, is_valid=True)
    campaigns.set_gates(campaign, {"review_over_seconds": 1.0, "reject_over_seconds": 2.0})
    assert checking.judge_again(campaign) == 0
    deciding.decide(clip, to=Clip.State.ACCEPTED, source=Decision.Source.STAFF)
    assert checking.judge_again(campaign) == 0
    clip.refresh_from_db()
    assert clip.state == "accepted"
