"""Deployments as `/api/deployments` takes and shows them: secrets are written, and shown by name alone."""

from __future__ import annotations

import dataclasses
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.serializers import StrictSerializer
from apps.deployments.gpus import GPUS
from apps.deployments.models import Deployment, DeploymentEvent, Worker
from apps.deployments.offers import ENGINES
from apps.deployments.services import SCALING_FIELDS
from apps.deployments.specification import (
    MAX_CONCURRENT,
    MAX_DELAY_SECONDS,
    MAX_GPUS,
    MAX_REPLICAS,
    MAX_VALUE_CHARACTERS,
    Hardware,
    Scaling,
)
from apps.deployments.states import State

STAFF = "Platform staff"
_HARDWARE_FIELDS = tuple(field.name for field in dataclasses.fields(Hardware))


# ---- what is taken -----------------------------------------------------------------------------------


def _whole(low: int, high: int, help_text: str, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, min_value=low, max_value=high, help_text=help_text, **options
    )


def _image() -> serializers.CharField:
    return serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=255,
        help_text="With its tag, and not `latest`; empty where the provider runs our own worker.",
    )


def _variables(help_text: str, **options: Any) -> serializers.DictField:
    value = serializers.CharField(
        allow_blank=True, trim_whitespace=False, max_length=MAX_VALUE_CHARACTERS, **options
    )
    return serializers.DictField(child=value, required=False, help_text=help_text)


class ScalingSerializer(StrictSerializer):
    """Between how many replicas, and how soon."""

    min_replicas = _whole(0, MAX_REPLICAS, "0 lets it sleep; a dedicated instance has at least 1.")
    max_replicas = _whole(1, MAX_REPLICAS, "No more than so many, whatever is asked of it.")
    scale_up_delay_seconds = _whole(
        0, MAX_DELAY_SECONDS, "How long there is too much to do before it has more."
    )
    scale_down_delay_seconds = _whole(
        0, MAX_DELAY_SECONDS, "How long there is less to do before it has fewer, or sleeps."
    )
    concurrent_per_replica = _whole(
        1,
        MAX_CONCURRENT,
        "Requests that one replica speaks at once. Null: as many as its workers say.",
        allow_null=True,
    )


class NewDeploymentSerializer(ScalingSerializer):
    """What is left out takes the defaults of a serverless container, or of one dedicated instance."""

    name = serializers.CharField(max_length=63, help_text="Lower-case letters, digits and hyphens.")
    engine = serializers.ChoiceField(choices=[(engine.value, engine.label) for engine in ENGINES])
    kind = serializers.ChoiceField(choices=Deployment.Kind.choices, default=Deployment.Kind.SERVERLESS)
    provider = serializers.ChoiceField(
        choices=Deployment.Provider.choices,
        required=False,
        help_text="The one that there is, where left out; in demo mode there is local alone.",
    )
    image = _image()
    gpu = serializers.ChoiceField(
        choices=list(GPUS), required=False, allow_blank=True, help_text="As in /api/gpus; empty for none."
    )
    gpu_count = _whole(1, MAX_GPUS, "Of each replica.")
    is_spot = serializers.BooleanField(
        required=False, help_text="Cheaper, and may be reclaimed at any time; true where left out."
    )
    location = serializers.CharField(
        required=False, allow_blank=True, max_length=16, help_text="Empty for wherever there is room."
    )
    environment = _variables("Variables of its workers, by name.")
    secrets = _variables("As environment; their values are kept encrypted and never shown.")

    @property
    def scaling(self) -> Scaling:
        given = _given(self.validated_data, SCALING_FIELDS)
        if self.validated_data["kind"] == Deployment.Kind.SERVERLESS:
            return Scaling(**given)
        return dataclasses.replace(Scaling.fixed(given.get("min_replicas") or 1), **given)

    @property
    def hardware(self) -> Hardware:
        return Hardware(**_given(self.validated_data, _HARDWARE_FIELDS))


class ChangedDeploymentSerializer(ScalingSerializer):
    """What is left out stays as it is."""

    image = _image()
    environment = _variables("Merged by name: null removes a variable.", allow_null=True)
    secrets = _variables("Merged by name: null removes a secret.", allow_null=True)


class DeploymentsQuerySerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=State.choices, required=False)
    engine = serializers.ChoiceField(choices=Deployment.Engine.choices, required=False)


def _given(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


# ---- what is shown -----------------------------------------------------------------------------------


class DeploymentErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class ReplicasSerializer(serializers.Serializer[Any]):
    desired = serializers.IntegerField(source="desired_replicas", read_only=True)
    ready = serializers.IntegerField(source="ready_replicas", read_only=True)


def _spoken(name: str, help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(),
        source=f"capabilities.{name}",
        default=list,
        read_only=True,
        help_text=help_text,
    )


def _usd(source: str, help_text: str) -> serializers.DecimalField:
    return serializers.DecimalField(
        source=source, max_digits=16, decimal_places=4, read_only=True, help_text=help_text
    )


class CostSerializer(serializers.Serializer[Any]):
    """Of `costs.Spending`, in US dollars."""

    month_to_date_usd = _usd("month_to_date", "Since this UTC month began.")
    per_hour_usd = _usd("per_hour", "What runs now costs in an hour.")
    forecast_usd = _usd("forecast", "What the month comes to if what runs now runs to its end.")
    is_estimated = serializers.BooleanField(
        read_only=True,
        help_text="Whether replicas are in it that the provider starts and ends by itself: they were seen "
        "by samples.",
    )


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    """Of rows that `costs.with_spending` went over."""

    error = serializers.SerializerMethodField(help_text="Why it is not as it should be.")
    environment = serializers.DictField(child=serializers.CharField(), read_only=True)
    secrets = serializers.SerializerMethodField(help_text="Their names.")
    replicas = ReplicasSerializer(source="*", read_only=True)
    cost = CostSerializer(source="spending", read_only=True)
    models = _spoken("models", "What its workers could speak when last asked; empty before that.")
    voices = _spoken("voices", "As models.")
    languages = _spoken("languages", "As models.")

    class Meta:
        model = Deployment
        fields = [
            "id",
            "name",
            "engine",
            "kind",
            "provider",
            "state",
            "state_changed_at",
            "error",
            "image",
            "gpu",
            "gpu_count",
            "is_spot",
            "location",
            "environment",
            "secrets",
            *SCALING_FIELDS,
            "replicas",
            "price_per_hour",
            "cost",
            "models",
            "voices",
            "languages",
            "last_used_at",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field(DeploymentErrorSerializer(allow_null=True))
    def get_error(self, deployment: Deployment) -> dict[str, str] | None:
        if not deployment.error_code:
            return None
        return {"code": deployment.error_code, "message": deployment.error_message}

    def get_secrets(self, deployment: Deployment) -> list[str]:
        return sorted(deployment.secret_values)


class DeploymentEventSerializer(serializers.ModelSerializer[DeploymentEvent]):
    from_state = serializers.SerializerMethodField(help_text="Null for the first of all.")
    actor = serializers.SerializerMethodField(
        help_text="The person who did it; null where a key did, or the platform by itself."
    )
    key = serializers.CharField(
        source="key_prefix", help_text="How the API key begins that did it; empty where none did."
    )

    class Meta:
        model = DeploymentEvent
        fields = ["id", "from_state", "to_state", "reason", "actor", "key", "created_at"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=State.choices, allow_null=True))
    def get_from_state(self, event: DeploymentEvent) -> str | None:
        return event.from_state or None

    def get_actor(self, event: DeploymentEvent) -> str | None:
        """A person of the organization by name; nobody of the operator's."""
        if event.actor is None:
            return None
        is_ours = getattr(event, "actor_is_member", False)
        return STAFF if event.actor.is_staff and not is_ours else event.actor.get_full_name()


class BoundedReplicasSerializer(ReplicasSerializer):
    min = serializers.IntegerField(source="min_replicas", read_only=True)
    max = serializers.IntegerField(source="max_replicas", read_only=True)


class RequestsNowSerializer(serializers.Serializer[Any]):
    in_flight = serializers.IntegerField(help_text="Being spoken, over all processes.")
    waiting = serializers.IntegerField(help_text="Without a worker that has room for them yet.")


class DeploymentWorkerSerializer(serializers.ModelSerializer[Worker]):
    in_flight = serializers.IntegerField(read_only=True, help_text="By its own word, when last asked.")

    class Meta:
        model = Worker
        fields = ["id", "state", "in_flight", "last_seen_at", "created_at"]
        read_only_fields = fields


class SampleSerializer(serializers.Serializer[Any]):
    taken_at = serializers.DateTimeField()
    state = serializers.CharField()
    ready = serializers.IntegerField(help_text="Workers that could speak.")
    desired = serializers.IntegerField()
    in_flight = serializers.IntegerField()
    waiting = serializers.IntegerField()


class MetricsSerializer(serializers.Serializer[Any]):
    replicas = BoundedReplicasSerializer()
    requests = RequestsNowSerializer()
    last_used_at = serializers.DateTimeField(allow_null=True)
    cost = CostSerializer()
    workers = DeploymentWorkerSerializer(many=True, help_text="Oldest first, without those that are lost.")
    samples = SampleSerializer(
        many=True, help_text="Of the last hour, oldest first: one in each minute in which it was looked at."
    )
