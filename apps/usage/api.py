"""`/api/usage` lists requests, `/api/stats` sums them up."""

from __future__ import annotations

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import organization_of
from apps.keys.models import ApiKey
from apps.usage import reports
from apps.usage.models import UsageRecord


class DayField(serializers.DateField):
    """A day of this age: the ids that requests are found by hold no other."""

    def to_internal_value(self, value: Any) -> date:
        day: date = super().to_internal_value(value)
        if not 1970 <= day.year < 3000:
            raise serializers.ValidationError("A day lies between 1970-01-01 and 2999-12-31.")
        return day


class PeriodSerializer(serializers.Serializer[Any]):
    """Which requests: the last `days`, or the UTC days `from` to `to`; of one key, of one mode."""

    days = serializers.IntegerField(min_value=1, max_value=reports.MAX_DAYS, default=30)
    start = DayField(required=False, help_text="First UTC day; with `end`, instead of `days`.")
    end = DayField(required=False, help_text="Last UTC day, included.")
    key_id = serializers.UUIDField(required=False)
    mode = serializers.ChoiceField(choices=ApiKey.Mode.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("start" in attrs) != ("end" in attrs):
            raise serializers.ValidationError("Give both start and end, or neither.")
        if "start" in attrs and not 0 <= (attrs["end"] - attrs["start"]).days < reports.MAX_DAYS:
            raise serializers.ValidationError(f"start to end spans 1 to {reports.MAX_DAYS} days.")
        return attrs

    @property
    def period(self) -> reports.Period:
        data = self.validated_data
        if "start" in data:
            return reports.Period(data["start"], data["end"])
        return reports.Period.days(data["days"])

    @property
    def narrowed(self) -> dict[str, Any]:
        data = self.validated_data
        return {name: data[name] for name in ("key_id", "mode") if name in data}


class UsageRecordSerializer(serializers.ModelSerializer[UsageRecord]):
    started_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = UsageRecord
        fields = [
            "id",
            "request_id",
            "state",
            "mode",
            "surface",
            "model",
            "voice",
            "key_id",
            "deployment_id",
            "characters",
            "characters_charged",
            "characters_credited",
            "credited_to",
            "audio_ms",
            "engine_ms",
            "ttfb_ms",
            "total_ms",
            "error_code",
            "started_at",
            "closed_at",
        ]
        read_only_fields = fields


class SumsSerializer(serializers.Serializer[Any]):
    requests = serializers.IntegerField(help_text="Those that are open included.")
    ok = serializers.IntegerField()
    characters = serializers.IntegerField()
    characters_charged = serializers.IntegerField()
    characters_credited = serializers.IntegerField(
        help_text="Not charged: an earlier attempt that was cut has been charged for them."
    )
    audio_ms = serializers.IntegerField()


class TimedSerializer(SumsSerializer):
    ttfb_p50_ms = serializers.FloatField(
        allow_null=True, help_text="First audio, median; within 2.5 %. Null where there was no audio."
    )
    ttfb_p95_ms = serializers.FloatField(allow_null=True, help_text="As ttfb_p50_ms; 19 of 20 are faster.")


class DayUsageSerializer(SumsSerializer):
    day = serializers.DateField()


class KeyUsageSerializer(TimedSerializer):
    key_id = serializers.UUIDField(allow_null=True, help_text="Null for the playground.")
    name = serializers.CharField(source="key.name", allow_null=True, default=None)


class VoiceUsageSerializer(TimedSerializer):
    voice = serializers.CharField(help_text="As requests name it.")
    name = serializers.CharField(help_text="As people call it; another than `voice` for a cloned one.")


class ModelUsageSerializer(TimedSerializer):
    model = serializers.CharField()


class DeploymentUsageSerializer(TimedSerializer):
    deployment_id = serializers.UUIDField(allow_null=True, help_text="Null for requests that reached none.")
    name = serializers.CharField(
        source="deployment.name",
        allow_null=True,
        default=None,
        help_text="Null also for a deployment that is no more.",
    )
    cost_usd = serializers.DecimalField(
        max_digits=None,
        decimal_places=6,
        allow_null=True,
        help_text="What its machines cost, used or not; null for shared ones, and with a filter.",
    )
    cost_per_audio_minute_usd = serializers.DecimalField(
        max_digits=None, decimal_places=6, allow_null=True, help_text="Null where it spoke nothing, too."
    )


class StatsSerializer(TimedSerializer):
    start = serializers.DateField()
    end = serializers.DateField()
    failed = serializers.IntegerField()
    cut = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    engine_ms = serializers.IntegerField()
    days = DayUsageSerializer(many=True, help_text="Each day, oldest first, those without use included.")
    keys = KeyUsageSerializer(many=True, help_text="Most characters first, as all that follow.")
    voices = VoiceUsageSerializer(many=True)
    models = ModelUsageSerializer(many=True)
    deployments = DeploymentUsageSerializer(many=True)


def _asked(request: Request) -> PeriodSerializer:
    form = PeriodSerializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    return form


class UsageView(generics.ListAPIView[UsageRecord]):
    serializer_class = UsageRecordSerializer
    queryset = UsageRecord.objects.none()

    def get_queryset(self) -> Any:
        asked = _asked(self.request)
        return reports.records(organization_of(self.request), asked.period, **asked.narrowed)

    @extend_schema(summary="Requests, newest first", operation_id="usage_list", parameters=[PeriodSerializer])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class StatsView(APIView):
    @extend_schema(
        summary="Sums by day, key, voice, model and deployment",
        operation_id="stats",
        parameters=[PeriodSerializer],
        responses=StatsSerializer,
    )
    def get(self, request: Request) -> Response:
        asked = _asked(request)
        selection = reports.select(organization_of(request), asked.period, **asked.narrowed)
        body = {
            "start": selection.period.first,
            "end": selection.period.last,
            **vars(reports.totals(selection)),
            "days": reports.daily(selection),
            "keys": reports.by_key(selection),
            "voices": reports.by_voice(selection),
            "models": reports.by_model(selection),
            "deployments": reports.by_deployment(selection),
        }
        return Response(StatsSerializer(body).data)
