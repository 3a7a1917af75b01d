"""A recording comes in: kept once, however often and by however many it is sent."""

from __future__ import annotations

import io
import secrets
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from apps.contributions import consenting, intake
from apps.contributions.models import Campaign, Clip, Contributor
from apps.core import media
from apps.core.errors import AppError, Conflict, InvalidRequest, NotFound, PayloadTooLarge, PermissionDenied
from tests.contributions import collecting

SENT = secrets.token_bytes(2_000)


def send(
    contributor: Contributor, campaign: Campaign, *, number: int = 0, content: bytes = SENT, **values: Any
) -> intake.Taken:
    return intake.take(
        **{
            "contributor": contributor,
            "prompt_id": campaign.prompts.all()[number].pk,
            "upload_id": uuid4(),
            "recording": io.BytesIO(content),
            "size": len(content),
            "told_duration_ms": 3_000,
            **values,
        }
    )


@pytest.mark.django_db
class TestOne:
    def test_it_is_kept_with_its_consents_and_its_rate(self, campaign: Campaign, dora: Contributor) -> None:
        taken = send(dora, campaign)
        assert taken.is_new
        assert taken.clip.state == "uploaded"
        assert media.read(taken.clip.original_key) == SENT
        assert taken.clip.cents_per_minute == 60
        assert {consent.purpose for consent in taken.clip.consents.all()} == {"train", "public_dataset"}
        campaign.cents_per_minute = 10
        campaign.save()
        assert Clip.objects.get().cents_per_minute == 60

    def test_the_same_upload_again_is_the_same_clip(self, campaign: Campaign, dora: Contributor) -> None:
        upload_id = uuid4()
        first = send(dora, campaign, upload_id=upload_id)
        second = send(dora, campaign, upload_id=upload_id)
        assert (second.is_new, second.clip) == (False, first.clip)

    @pytest.mark.parametrize(("number", "code"), [(0, "already_recorded"), (1, "duplicate_recording")])
    def test_another_of_the_sentence_or_the_same_file_is_refused(
        self, campaign: Campaign, dora: Contributor, number: int, code: str
    ) -> None:
        send(dora, campaign)
        content = secrets.token_bytes(2_000) if number == 0 else SENT
        with pytest.raises(Conflict) as refused:
            send(dora, campaign, number=number, content=content)
        assert refused.value.code == code

    def test_one_that_was_rejected_makes_room(self, campaign: Campaign, dora: Contributor) -> None:
        send(dora, campaign)
        Clip.objects.update(state=Clip.State.REJECTED)
        assert send(dora, campaign, content=secrets.token_bytes(2_000)).is_new

    def test_without_consent_there_is_none(self, campaign: Campaign) -> None:
        stranger = collecting.speaker()
        with pytest.raises(PermissionDenied) as refused:
            send(stranger, campaign)
        assert refused.value.code == "consent_required"

    def test_a_new_version_of_a_text_is_asked_for(self, campaign: Campaign, dora: Contributor) -> None:
        consenting.publish_text(
            campaign=campaign, purpose="train", locale="en", text="We now train other models as well."
        )
        with pytest.raises(PermissionDenied):
            send(dora, campaign)

    @pytest.mark.parametrize(
        ("content", "told_ms", "error"),
        [
            (b"", 3_000, InvalidRequest),
            (b"x" * 100, 3_000, InvalidRequest),
            (SENT, 0, InvalidRequest),
            (SENT, 60_001, InvalidRequest),
            (SENT, -5, InvalidRequest),
        ],
    )
    def test_bad_ones_are_refused(
        self, campaign: Campaign, dora: Contributor, content: bytes, told_ms: int, error: type[AppError]
    ) -> None:
        with pytest.raises(error):
            send(dora, campaign, content=content, told_duration_ms=told_ms)
        assert not Clip.objects.exists()

    @pytest.mark.parametrize("said", [100, 5_000])
    def test_one_that_is_too_large_is_refused_whatever_its_size_is_said_to_be(
        self, campaign: Campaign, dora: Contributor, settings: Any, said: int
    ) -> None:
        settings.CLIP_MAX_BYTES = 1_000
        with pytest.raises(PayloadTooLarge):
            send(dora, campaign, size=said)

    def test_what_one_may_not_see_is_not_there(self, campaign: Campaign) -> None:
        campaign.access = Campaign.Access.INVITED
        campaign.save()
        with pytest.raises(NotFound):
            send(collecting.speaker(), campaign)
        with pytest.raises(NotFound):
            send(collecting.speaker(), campaign, prompt_id=UUID(int=7))

    def test_after_the_end_one_is_told(self, campaign: Campaign, dora: Contributor) -> None:
        campaign.state = Campaign.State.PAUSED
        campaign.save()
        with pytest.raises(Conflict) as refused:
            send(dora, campaign)
        assert refused.value.code == "campaign_closed"

    def test_what_is_wanted_of_one_voice_and_by_the_budget_is_the_end(
        self, campaign: Campaign, dora: Contributor, emil: Contributor
    ) -> None:
        campaign.clips_per_speaker = 1
        campaign.save()
        send(dora, campaign)
        with pytest.raises(Conflict) as refused:
            send(dora, campaign, number=1, content=secrets.token_bytes(2_000))
        assert refused.value.code == "nothing_wanted"
        campaign.budget_cents = 3
        campaign.save()
        with pytest.raises(Conflict):
            send(emil, campaign, number=2, content=secrets.token_bytes(2_000))

    def test_who_is_suspended_records_nothing(self, campaign: Campaign, dora: Contributor) -> None:
        dora.is_suspended = True
        dora.save()
        with pytest.raises(PermissionDenied):
            send(dora, campaign)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_upload", [True, False])
def test_two_at_once_make_one_clip(campaign: Campaign, dora: Contributor, same_upload: bool) -> None:
    prompts = [prompt.pk for prompt in campaign.prompts.all()]
    upload_id, ends = uuid4(), []
    start = threading.Barrier(4)

    def run(number: int) -> None:
        start.wait()
        try:
            taken = intake.take(
                contributor=Contributor.objects.get(pk=dora.pk),
                prompt_id=prompts[0 if same_upload else number],
                upload_id=upload_id if same_upload else uuid4(),
                recording=io.BytesIO(SENT),
                size=len(SENT),
                told_duration_ms=3_000,
            )
            ends.append(f"{taken.clip.pk} {taken.is_new}")
        except Conflict as refused:
            ends.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clip = Clip.objects.get()
    others = f"{clip.pk} False" if same_upload else "duplicate_recording"
    assert sorted(ends) == sorted([f"{clip.pk} True", others, others, others])
    assert media.read(clip.original_key) == SENT
