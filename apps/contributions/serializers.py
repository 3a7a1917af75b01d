"""What `/api/contributions` takes and shows."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.contributions import intake, showing
from apps.contributions.models import Campaign, Clip, Contributor, Payout, Prompt, PromptReport, Purpose
from apps.contributions.people import MAX_ACCENT
from apps.core.serializers import NameField, StrictBooleanField, StrictSerializer

MAX_REASON = 200


class CampaignSerializer(serializers.Serializer[Any]):
    """A campaign with one's own part in it."""

    id = serializers.UUIDField(source="campaign.pk")
    name = serializers.CharField(source="campaign.name")
    description = serializers.CharField(source="campaign.description")
    language = serializers.CharField(source="campaign.language", help_text="A tag such as en or de-AT.")
    purposes = serializers.ListField(
        source="campaign.purposes", child=serializers.ChoiceField(choices=Purpose.choices)
    )
    optional_purposes = serializers.ListField(
        source="campaign.optional_purposes", child=serializers.ChoiceField(choices=Purpose.choices)
    )
    licence = serializers.CharField(source="campaign.licence")
    cents_per_minute = serializers.IntegerField(
        source="campaign.cents_per_minute", help_text="In US cents, of speech that was accepted."
    )
    ends_at = serializers.DateTimeField(source="campaign.ends_at", allow_null=True)
    recorded = serializers.IntegerField(help_text="Your recordings that are accepted or not decided yet.")
    accepted = serializers.IntegerField()
    in_review = serializers.IntegerField()
    rejected = serializers.IntegerField()
    wanted = serializers.IntegerField(help_text="Of one person, at most.")
    speech_ms = serializers.IntegerField(help_text="Of your recordings that were accepted.")
    next_step = serializers.ChoiceField(
        choices=["consent", "record", "enough", "closed"], help_text="What you can do in it now."
    )


class ConsentTextSerializer(serializers.Serializer[Any]):
    """One purpose of a campaign, with the text to agree to."""

    purpose = serializers.ChoiceField(choices=Purpose.choices)
    title = serializers.CharField(source="label")
    is_needed = serializers.BooleanField()
    is_agreed = serializers.BooleanField(help_text="You agreed to this very text, and it holds.")
    locale = serializers.CharField(source="text.locale")
    version = serializers.IntegerField(source="text.version")
    sha256 = serializers.CharField(source="text.sha256", help_text="Of the text in UTF-8.")
    text = serializers.CharField(source="text.text")


class AgreementSerializer(StrictSerializer):
    purposes = serializers.DictField(
        child=serializers.RegexField(r"\A[0-9a-f]{64}\Z"),
        help_text="Of each purpose that is agreed to, the SHA-256 of the text that the person saw.",
    )
    is_adult = StrictBooleanField(help_text="The person says that they are 18 or older.")


class GivenConsentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="pk")
    campaign_id = serializers.UUIDField()
    purpose = serializers.ChoiceField(choices=Purpose.choices)
    version = serializers.IntegerField()
    locale = serializers.CharField()
    sha256 = serializers.CharField()
    given_at = serializers.DateTimeField(source="created_at")
    withdrawn_at = serializers.SerializerMethodField()
    carried_out_at = serializers.SerializerMethodField(help_text="When files were gone.")

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_withdrawn_at(self, record: Any) -> Any:
        withdrawal = getattr(record, "withdrawal", None)
        return withdrawal.created_at if withdrawal else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_carried_out_at(self, record: Any) -> Any:
        withdrawal = getattr(record, "withdrawal", None)
        return withdrawal.done_at if withdrawal else None


class WithdrawalReasonSerializer(StrictSerializer):
    reason = NameField(max_length=500, required=False, default="", allow_blank=True)


class PromptSerializer(serializers.ModelSerializer[Prompt]):
    class Meta:
        model = Prompt
        fields = ["id", "text"]
        read_only_fields = fields


class PromptsQuerySerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=1, max_value=20, required=False, default=5)
    first = serializers.UUIDField(
        required=False, help_text="A sentence to begin with, where you can record it."
    )


class PromptReportSerializer(StrictSerializer):
    reason = serializers.ChoiceField(
        choices=PromptReport.Reason.choices, help_text="It is not asked of you again."
    )


class MeasureSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    unit = serializers.CharField()
    verdict = serializers.ChoiceField(choices=["accept", "review", "reject"])
    words = serializers.CharField()


class ClipSerializer(serializers.ModelSerializer[Clip]):
    prompt = PromptSerializer(read_only=True)
    state_words = serializers.SerializerMethodField(help_text="The state as people read it.")
    report = serializers.SerializerMethodField(
        help_text="Each measure, what counts against it first; empty until it is checked."
    )
    earned_cents = serializers.SerializerMethodField(help_text="Once it is accepted.")
    audio_url = serializers.SerializerMethodField(help_text="Null until it is decoded.")

    class Meta:
        model = Clip
        fields = [
            "id",
            "upload_id",
            "campaign_id",
            "prompt",
            "state",
            "state_words",
            "reason",
            "duration_ms",
            "speech_ms",
            "earned_cents",
            "report",
            "audio_url",
            "created_at",
            "decided_at",
        ]
        read_only_fields = fields

    def get_state_words(self, clip: Clip) -> str:
        return showing.STATE_WORDS[clip.state]

    @extend_schema_field(MeasureSerializer(many=True))
    def get_report(self, clip: Clip) -> Any:
        return showing.report_lines(clip)

    @extend_schema_field({"type": "integer", "nullable": True})
    def get_earned_cents(self, clip: Clip) -> int | None:
        return clip.earned_cents if clip.state == Clip.State.ACCEPTED else None

    @extend_schema_field({"type": "string", "nullable": True})
    def get_audio_url(self, clip: Clip) -> str | None:
        return reverse("api_contributions_clip_audio", args=[clip.pk]) if clip.flac_key else None


class ClipsQuerySerializer(serializers.Serializer[Any]):
    campaign = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(choices=Clip.State.choices, required=False)
    ids = serializers.CharField(
        required=False, max_length=2000, help_text="Some of them alone, apart by commas."
    )

    def validate_ids(self, value: str) -> list[Any]:
        field = serializers.UUIDField()
        return [field.run_validation(one.strip()) for one in value.split(",") if one.strip()][:50]


class UploadSerializer(serializers.Serializer[Any]):
    recording = serializers.FileField(
        use_url=False,
        allow_empty_file=True,
        help_text="As the browser recorded it: WebM, Ogg, M4A, WAV, FLAC.",
    )
    upload_id = serializers.UUIDField(help_text="Of your making; the same each time this one is sent.")
    prompt_id = serializers.UUIDField()
    duration_ms = serializers.IntegerField(
        min_value=1,
        max_value=intake.MAX_TOLD_MS,
        help_text="By your own count of samples: what arrives is compared with it.",
    )


class HeardClipSerializer(serializers.Serializer[Any]):
    """Another person's recording, to be judged: nothing is told of the person."""

    id = serializers.UUIDField(source="pk")
    campaign_id = serializers.UUIDField()
    prompt = PromptSerializer()
    duration_ms = serializers.IntegerField(allow_null=True)
    audio_url = serializers.SerializerMethodField()

    def get_audio_url(self, clip: Clip) -> str:
        return reverse("api_contributions_listen_audio", args=[clip.pk])


class VoteSerializer(StrictSerializer):
    vote = serializers.ChoiceField(
        choices=["valid", "invalid"],
        help_text="Whether the sentence is said as it is written. Your newest vote counts.",
    )


class VotedSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=Clip.State.choices, help_text="Of the recording, now.")


class ClipReportSerializer(StrictSerializer):
    reason = NameField(max_length=MAX_REASON)


class ProfileSerializer(serializers.Serializer[Any]):
    age_band = serializers.ChoiceField(choices=Contributor.AgeBand.choices, allow_blank=True)
    gender = serializers.ChoiceField(choices=Contributor.Gender.choices, allow_blank=True)
    accent = serializers.CharField(allow_blank=True)
    has_payout_account = serializers.BooleanField()


class ChangedProfileSerializer(StrictSerializer):
    age_band = serializers.ChoiceField(choices=Contributor.AgeBand.choices, required=False, allow_blank=True)
    gender = serializers.ChoiceField(choices=Contributor.Gender.choices, required=False, allow_blank=True)
    accent = NameField(max_length=MAX_ACCENT, required=False, allow_blank=True)
    payout_account = NameField(max_length=200, required=False, allow_blank=True)


class BalanceSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField(default="USD")
    pending_cents = serializers.IntegerField(source="pending", help_text="On hold: it can be taken back.")
    payable_cents = serializers.IntegerField(source="payable", help_text="To be paid from the minimum on.")
    on_the_way_cents = serializers.IntegerField(source="on_the_way")
    paid_cents = serializers.IntegerField(source="paid")
    minimum_cents = serializers.IntegerField(help_text="From which on payouts are made.")


class EarningSerializer(serializers.Serializer[Any]):
    clip_id = serializers.UUIDField(source="clip.pk")
    cents = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["held", "payable", "taken_back"])
    due_at = serializers.DateTimeField(allow_null=True, help_text="When the hold is over.")
    at = serializers.DateTimeField()


class PayoutSerializer(serializers.ModelSerializer[Payout]):
    class Meta:
        model = Payout
        fields = ["id", "cents", "state", "transfer_id", "problem", "created_at", "settled_at"]
        read_only_fields = fields


class EraseSerializer(StrictSerializer):
    confirm = serializers.ChoiceField(choices=["erase"], help_text="The word erase.")


class ErasedSerializer(serializers.Serializer[Any]):
    account_deleted = serializers.BooleanField(help_text="Where it was for nothing else.")


class OwnedCampaignSerializer(serializers.ModelSerializer[Campaign]):
    """A campaign of one's organization, in figures that tell nothing of any person."""

    wanted_clips = serializers.SerializerMethodField()
    clips = serializers.SerializerMethodField(help_text="How many there are in each state.")
    speakers = serializers.SerializerMethodField(help_text="With recordings that were accepted.")
    speech_ms = serializers.SerializerMethodField(help_text="That was accepted.")
    spent_cents = serializers.SerializerMethodField()

    class Meta:
        model = Campaign
        fields = [
            "id",
            "name",
            "language",
            "state",
            "access",
            "purposes",
            "cents_per_minute",
            "budget_cents",
            "wanted_clips",
            "clips",
            "speakers",
            "speech_ms",
            "spent_cents",
            "starts_at",
            "ends_at",
            "created_at",
        ]
        read_only_fields = fields

    def to_representation(self, instance: Campaign) -> Any:
        self._progress = showing.progress_of(instance)
        return super().to_representation(instance)

    def get_wanted_clips(self, campaign: Campaign) -> int:
        return self._progress.wanted

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_clips(self, campaign: Campaign) -> dict[str, int]:
        return dict(self._progress.by_state)

    def get_speakers(self, campaign: Campaign) -> int:
        return self._progress.speakers

    def get_speech_ms(self, campaign: Campaign) -> int:
        return self._progress.speech_ms

    def get_spent_cents(self, campaign: Campaign) -> int:
        return self._progress.spent_cents
