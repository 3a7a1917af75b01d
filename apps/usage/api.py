"""`/api/usage` lists requests, `/api/stats` sums them up."""

from __future__ import annotations

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.keys.authentication import organization_of
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
            "audio_ms",
            "engine_ms",
            "ttfb_ms",
            "total_ms",
            "error_code",
            "started_at",
            "closed_at",
        ]
        read_only_fields = fields


class DayUsageSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    requests = serializers.IntegerField()
    characters = serializers.IntegerField()
    audio_ms = serializers.IntegerField()


class KeyUsageSerializer(serializers.Serializer[Any]):
    key_id = serializers.UUIDField(source="key.id", allow_null=True, default=None)
    name = serializers.CharField(source="key.name", allow_null=True, default=None)
    requests = serializers.IntegerField()
    characters = serializers.IntegerField()
    audio_ms = serializers.IntegerField()


class StatsSerializer(serializers.Serializer[Any]):
    start = serializers.DateField()
    end = serializers.DateField()
    requests = serializers.IntegerField()
    ok = serializers.IntegerField()
    characters = serializers.IntegerField()
    characters_charged = serializers.IntegerField()
    audio_ms = serializers.IntegerField()
    engine_ms = serializers.IntegerField()
    ttfb_p50_ms = serializers.FloatField(allow_null=True)
    ttfb_p95_ms = serializers.FloatField(allow_null=True)
    days = DayUsageSerializer(many=True)
    keys = KeyUsageSerializer(many=True)


def _asked(request: Request) -> PeriodSerializer:
    form = PeriodSerializer(data=request.query_params)
    form.is_valid(raise_exception=True)
    return form


def _rows(request: Request, asked: PeriodSerializer) -> Any:
    data = asked.validated_data
    return reports.records(
        organization_of(request), asked.period, key_id=data.get("key_id"), mode=data.get("mode")
    )


class UsageView(generics.ListAPIView[UsageRecord]):
    serializer_class = UsageRecordSerializer
    queryset = UsageRecord.objects.none()

    def get_queryset(self) -> Any:
        return _rows(self.request, _asked(self.request))

    @extend_schema(summary="Requests, newest first", operation_id="usage_list", parameters=[PeriodSerializer])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class StatsView(APIView):
    @extend_schema(
        summary="Sums by day and by key",
        operation_id="stats",
        parameters=[PeriodSerializer],
        responses=StatsSerializer,
    )
    def get(self, request: Request) -> Response:
        asked = _asked(request)
        rows, period = _rows(request, asked), asked.period
        body = {
            "start": period.first,
            "end": period.last,
            **vars(reports.totals(rows)),
            "days": reports.daily(rows, period),
            "keys": reports.by_key(rows),
        }
        return Response(StatsSerializer(body).data)
