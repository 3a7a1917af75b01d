"""What a release takes in, under which names, and in which split."""

from __future__ import annotations

from uuid import uuid4

import pytest

from apps.accounts.models import User
from apps.contributions import consenting, deciding, withdrawing
from apps.contributions.models import Campaign, Clip, Contributor, Release, ReleasedClip
from apps.contributions.releasing import naming, services
from apps.core.errors import Conflict
from tests.contributions import collecting
from tests.contributions.releasing import data

pytestmark = pytest.mark.django_db


def test_it_is_the_next_version_of_what_is_accepted(
    campaign: Campaign, six: data.Speakers, staff: User
) -> None:
    undecided = collecting.clip(six["ada"], data.prompts(campaign)[5])
    release = services.freeze(campaign=campaign, by=staff, notes=" First one. ")
    assert (release.version, release.state, release.notes) == (1, "queued", "First one.")
    assert release.clips.count() == release.clips_count == 12
    assert not release.clips.filter(clip=undecided).exists()
    assert release.facts["language"] == "en"
    row = release.clips.get(clip__contributor=six["ada"], text=data.SENTENCES[0])
    assert row.normalised == 'He paid five dollars for "three" apples; she didn\'t.'


def test_one_of_a_campaign_is_made_at_a_time(campaign: Campaign, six: data.Speakers) -> None:
    first = services.freeze(campaign=campaign, by=None)
    with pytest.raises(Conflict) as caught:
        services.freeze(campaign=campaign, by=None)
    assert caught.value.code == "release_in_work"
    data.finished(first)
    assert services.freeze(campaign=campaign, by=None).version == 2


def test_nothing_is_no_release(campaign: Campaign, dora: Contributor) -> None:
    with pytest.raises(Conflict) as caught:
        services.freeze(campaign=campaign, by=None)
    assert caught.value.code == "nothing_to_release"
    assert not Release.objects.exists()


def test_a_clip_needs_each_consent_that_the_campaign_needs(campaign: Campaign, six: data.Speakers) -> None:
    """Also one that came to be needed after it was recorded."""
    campaign.purposes = [*campaign.purposes, "commercial_speech"]
    campaign.save()
    consenting.publish_text(
        campaign=campaign, purpose="commercial_speech", locale="en", text=collecting.CONSENT
    )
    collecting.agree(six["ada"], campaign)
    newer = data.accepted(six["ada"], data.prompts(campaign)[4], hertz=301)
    release = services.freeze(campaign=campaign, by=None)
    assert list(release.clips.values_list("clip", flat=True)) == [newer.pk]


def test_what_was_withdrawn_is_left_out(campaign: Campaign, six: data.Speakers) -> None:
    withdrawing.withdraw(consenting.in_force(six["ben"], campaign)["public_dataset"])
    withdrawing.withdraw(consenting.in_force(six["cleo"], campaign)["voice_cloning"])
    release = services.freeze(campaign=campaign, by=None)
    assert not data.ids_of(release, six["ben"])
    assert len(data.ids_of(release, six["cleo"])) == 2


def test_a_consent_is_withdrawn_in_each_version_of_its_text(campaign: Campaign, six: data.Speakers) -> None:
    consenting.publish_text(campaign=campaign, purpose="train", locale="en", text=f"{collecting.CONSENT} 2")
    collecting.agree(six["ada"], campaign)
    withdrawing.withdraw(consenting.in_force(six["ada"], campaign)["train"])
    assert "train" not in consenting.in_force(six["ada"], campaign)
    assert six["ada"].clips.exclude(state=Clip.State.WITHDRAWN).count() == 0
    assert len(withdrawing.withdraw_all(six["ada"])) == 2


def test_names_differ_between_releases(campaign: Campaign, six: data.Speakers) -> None:
    first, second = data.made(campaign), data.made(campaign)

    def names(release: Release) -> tuple[set[str], set[str]]:
        return set(release.clips.values_list("public_id", flat=True)), set(
            release.clips.values_list("speaker", flat=True)
        )

    for one, other in zip(names(first), names(second), strict=True):
        assert len(one) == len(other)
        assert not one & other
    for person in six.values():
        assert release_speakers(first, person) == 1
    for private in (first.seed, str(six["ada"].pk), str(six["ada"].clips.all()[0].pk)):
        assert private.encode() not in data.whole(first)


def release_speakers(release: Release, person: Contributor) -> int:
    return release.clips.filter(clip__contributor=person).order_by().values("speaker").distinct().count()


@pytest.mark.parametrize(
    ("speakers", "train", "validation", "test"),
    [(1, 1, 0, 0), (2, 1, 0, 1), (3, 1, 1, 1), (10, 8, 1, 1), (40, 36, 2, 2), (200, 180, 10, 10)],
)
def test_speakers_are_split(speakers: int, train: int, validation: int, test: int) -> None:
    people = {uuid4(): 1 + place for place in range(speakers)}
    splits = naming.splits_of(naming.new_seed(), people)
    counts = [list(splits.values()).count(split) for split in ReleasedClip.Split]
    assert counts == [train, validation, test]
    assert splits[list(people)[-1]] == "train"  # who has the most clips
    seed = naming.new_seed()
    assert naming.splits_of(seed, people) == naming.splits_of(seed, dict(reversed(people.items())))


def test_no_speaker_is_in_two_splits(campaign: Campaign, six: data.Speakers) -> None:
    release = services.freeze(campaign=campaign, by=None)
    rows = release.clips.order_by().values_list("speaker", "split").distinct()
    assert len(rows) == 6
    assert {split for _, split in rows} == set(ReleasedClip.Split.values)


def test_what_was_reopened_since_stays(campaign: Campaign, six: data.Speakers, staff: User) -> None:
    """Frozen is frozen."""
    release = services.freeze(campaign=campaign, by=None)
    deciding.take_back(six["ada"].clips.all()[0], by=staff, reason="Another look.")
    assert data.finished(release).clips_count == 12
    assert release.state == "ready"
