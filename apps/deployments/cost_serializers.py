"""What deployments cost and may cost, as `/api/spending` and `/api/budget` take and show it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.serializers import StrictSerializer
from apps.deployments.serializers import CostSerializer, DeploymentErrorSerializer

_MONTHLY = "What deployments may cost in a UTC month, in US dollars."
_STOPS = "Whether they are stopped before they cost more; else owners and admins are told by mail alone."


class NewBudgetSerializer(StrictSerializer):
    monthly_usd = serializers.DecimalField(max_digits=12, decimal_places=2, help_text=_MONTHLY)
    stops = serializers.BooleanField(default=False, help_text=_STOPS)


class BudgetSerializer(CostSerializer):
    """What may be spent, and what is."""

    monthly_usd = serializers.DecimalField(
        max_digits=12, decimal_places=2, read_only=True, help_text=_MONTHLY
    )
    stops = serializers.BooleanField(read_only=True, help_text=_STOPS)
    warned_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When 80 % were reached this month."
    )
    exhausted_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Since when it is used up: deployments of your own take no requests and do not start.",
    )


class DeploymentSpendingSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)
    cost = CostSerializer(source="spending", read_only=True)


class NamedDeploymentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)


class NotStartedSerializer(NamedDeploymentSerializer):
    error = DeploymentErrorSerializer(read_only=True, help_text="Why; it may be tried again.")


class ResumedSerializer(serializers.Serializer[Any]):
    started = NamedDeploymentSerializer(many=True, read_only=True, help_text="Those on their way to ready.")
    not_started = NotStartedSerializer(
        many=True, read_only=True, help_text="Those that may not be started now, or still stop."
    )


class SpendingSerializer(CostSerializer):
    since = serializers.DateTimeField(read_only=True, help_text="When this UTC month began.")
    deployments = DeploymentSpendingSerializer(
        many=True,
        read_only=True,
        help_text="Those that ran this month, the dearest first; deleted ones are among them.",
    )
    stopped_by_budget = NamedDeploymentSerializer(
        many=True,
        read_only=True,
        help_text="Those that a budget stopped and that nobody started since, oldest first.",
    )
