"""Endpoints and deliveries as `/api/webhooks` takes and shows them: secrets are shown once, headers never."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.serializers import (
    MomentField,
    NameField,
    StrictBooleanField,
    StrictIntegerField,
    StrictSerializer,
)
from apps.webhooks import catalogue, services
from apps.webhooks.models import Attempt, Delivery, Endpoint
from apps.webhooks.models.endpoints import MAX_DESCRIPTION, MAX_EVENT_NAME, MAX_URL
from apps.webhooks.own_headers import MAX_HEADERS, MAX_VALUE

# ---- what is taken -----------------------------------------------------------------------------------


class OwnHeadersField(serializers.DictField):
    """Names and values as they were sent: the service knows which can be."""

    child = serializers.CharField(max_length=MAX_VALUE)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        return dict(data)


def _url(**options: Any) -> NameField:
    return NameField(
        max_length=MAX_URL, help_text="Where events are posted to: https, at a public address.", **options
    )


class _EndpointSerializer(StrictSerializer):
    description = NameField(
        required=False, allow_blank=True, max_length=MAX_DESCRIPTION, help_text="What you call it."
    )
    events = serializers.ListField(
        child=NameField(max_length=MAX_EVENT_NAME),
        required=False,
        max_length=catalogue.MAX_FILTERS,
        help_text="Names of /api/webhooks/events, or beginnings such as deployment.*. Empty: every event.",
    )
    headers = OwnHeadersField(
        required=False,
        help_text=f"Sent along with each event, {MAX_HEADERS} at most. They are kept encrypted and shown by "
        "name alone; what is given takes the place of all that were there.",
    )
    rate_limit_per_minute = StrictIntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=services.MAX_RATE_PER_MINUTE,
        help_text="Attempts a minute at most. Null: as fast as it answers.",
    )


class NewEndpointSerializer(_EndpointSerializer):
    url = _url()


class ChangedEndpointSerializer(_EndpointSerializer):
    """What is left out stays as it is."""

    url = _url(required=False)


class RotateSecretSerializer(StrictSerializer):
    overlap_seconds = StrictIntegerField(
        min_value=0,
        max_value=services.MAX_OVERLAP_SECONDS,
        default=services.DEFAULT_OVERLAP_SECONDS,
        help_text="For how long what is sent is signed with the old secret as well.",
    )


class TestEventSerializer(StrictSerializer):
    type = NameField(max_length=MAX_EVENT_NAME, help_text="One of /api/webhooks/events.")


class RecoverSerializer(StrictSerializer):
    since = MomentField(help_text="Events that happened from then on.")
    include_missing = StrictBooleanField(
        default=False,
        help_text="Also what was never queued for it: while it was disabled, or did not exist yet.",
    )


class DeliveriesQuerySerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=Delivery.State.choices, required=False)
    type = serializers.CharField(
        required=False,
        max_length=MAX_EVENT_NAME,
        help_text="The name of a kind of event, or a beginning such as deployment.*.",
    )
    since = MomentField(required=False, help_text="Events that happened then or later.")
    until = MomentField(required=False, help_text="Events that happened before.")

    def validate_type(self, value: str) -> str:
        if not catalogue.is_filter(value):
            raise serializers.ValidationError(f"There is no event called {value!r}.")
        return value


# ---- what is shown -----------------------------------------------------------------------------------


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    """Of rows of `listing.endpoints`."""

    header_names = serializers.SerializerMethodField(help_text="Of its own headers; their values are secret.")
    state = serializers.ChoiceField(
        choices=Endpoint.State.choices,
        read_only=True,
        help_text="failing: nothing has been received since failing_since.",
    )
    disabled_because = serializers.SerializerMethodField(help_text="Null while it is not disabled.")
    previous_secret_expires_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Until then what is sent is signed with a secret before this one as well.",
    )

    class Meta:
        model = Endpoint
        fields = [
            "id",
            "url",
            "description",
            "events",
            "header_names",
            "rate_limit_per_minute",
            "state",
            "disabled_at",
            "disabled_because",
            "failing_since",
            "last_success_at",
            "previous_secret_expires_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    def get_header_names(self, endpoint: Endpoint) -> list[str]:
        return sorted(endpoint.own_headers)

    @extend_schema_field(serializers.ChoiceField(choices=Endpoint.Disabled.choices, allow_null=True))
    def get_disabled_because(self, endpoint: Endpoint) -> str | None:
        return endpoint.disabled_because or None


class IssuedSecretSerializer(EndpointSerializer):
    secret = serializers.CharField(
        read_only=True, help_text="What signatures are checked with, shown this once."
    )

    class Meta(EndpointSerializer.Meta):
        fields = [*EndpointSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """An event on its way to one endpoint."""

    endpoint_id = serializers.UUIDField(read_only=True)
    event_id = serializers.CharField(
        source="event.message_id", read_only=True, help_text="The `webhook-id`; with each attempt the same."
    )
    type = serializers.CharField(source="event_type", read_only=True)
    test = serializers.BooleanField(
        source="event.is_test", read_only=True, help_text="Whether it was made up, to try the endpoint."
    )
    state = serializers.ChoiceField(choices=Delivery.State.choices, read_only=True)
    next_attempt_at = serializers.SerializerMethodField(help_text="Null where it does not wait for one.")
    last_status = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Of the latest answer; null where none came."
    )
    last_problem = serializers.CharField(
        read_only=True, help_text="What went wrong last, as a word for programs; empty where nothing did."
    )
    created_at = serializers.DateTimeField(read_only=True, help_text="When the event happened.")

    class Meta:
        model = Delivery
        fields = [
            "id",
            "endpoint_id",
            "event_id",
            "type",
            "test",
            "state",
            "attempts",
            "last_status",
            "last_problem",
            "next_attempt_at",
            "created_at",
        ]
        read_only_fields = fields

    def get_next_attempt_at(self, delivery: Delivery) -> datetime | None:
        return delivery.due_at if delivery.state == Delivery.State.PENDING else None


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    outcome = serializers.ChoiceField(choices=Attempt.Outcome.choices, read_only=True)
    problem_message = serializers.CharField(
        source="problem_words", read_only=True, help_text="The problem, in words for people."
    )
    began_at = serializers.DateTimeField(read_only=True)
    request_headers = serializers.DictField(
        child=serializers.CharField(), read_only=True, help_text="Your own headers without their values."
    )
    response_headers = serializers.DictField(child=serializers.CharField(), read_only=True)
    response_is_cut = serializers.BooleanField(
        source="is_cut", read_only=True, help_text="Whether there was more of the answer."
    )

    class Meta:
        model = Attempt
        fields = [
            "id",
            "number",
            "outcome",
            "began_at",
            "duration_ms",
            "status",
            "problem",
            "problem_message",
            "request_headers",
            "response_headers",
            "response_body",
            "response_is_cut",
            "next_attempt_at",
        ]
        read_only_fields = fields


class WholeDeliverySerializer(DeliverySerializer):
    body = serializers.CharField(
        source="event.body", read_only=True, help_text="What is sent, byte by byte: a JSON object."
    )
    log = AttemptSerializer(many=True, read_only=True, help_text="Every attempt, oldest first.")

    class Meta(DeliverySerializer.Meta):
        fields = [*DeliverySerializer.Meta.fields, "body", "log"]
        read_only_fields = fields


class RecoveredSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Deliveries that are sent again.")


class EventTypeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    meaning = serializers.CharField()
    version = serializers.IntegerField(help_text="Rises where a receiver would have to change.")
    schema = serializers.DictField(help_text="JSON Schema of the whole body.")
    example = serializers.DictField(source="example_body", help_text="One whole body.")


class EventTypesSerializer(serializers.Serializer[Any]):
    results = EventTypeSerializer(many=True)
