"""GPUs as `/api/gpus` shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.deployments.models import Deployment
from apps.deployments.offers import DEMO, LIVE


def _price(help_text: str, **options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=10, decimal_places=4, help_text=help_text, **options)


class AvailabilitySerializer(serializers.Serializer[Any]):
    location = serializers.CharField()
    on_demand = serializers.BooleanField()
    spot = serializers.BooleanField()


class GpuOfferSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="What `gpu` of a deployment takes.")
    model = serializers.CharField()
    memory_gb = serializers.IntegerField()
    best_for = serializers.CharField()
    list_price = _price("As published, for spot; US dollars an hour for one, as the others.")
    on_demand_price = _price("Now; null where it is not known.", allow_null=True)
    spot_price = _price("Now; null where it is not known.", allow_null=True)
    availability = AvailabilitySerializer(
        many=True, allow_null=True, help_text="Where it is to be had now; null where it is not known."
    )
    is_live = serializers.BooleanField(help_text="Whether prices and places are a provider's of now.")


class GpusSerializer(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(
        choices=[DEMO, LIVE], help_text="In demo mode deployments run on the platform's own machine."
    )
    providers = serializers.ListField(
        child=serializers.ChoiceField(choices=Deployment.Provider.choices),
        help_text="Where a new deployment may run.",
    )
    gpus = GpuOfferSerializer(many=True)
