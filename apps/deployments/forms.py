"""Checks the shape of what people ask for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from django import forms

from apps.core.errors import InvalidRequest
from apps.deployments.gpus import GPUS
from apps.deployments.models import Deployment
from apps.deployments.services import SCALING_FIELDS
from apps.deployments.specification import Hardware, Scaling, check_name

HARDWARE_FIELDS = ("image", "gpu", "gpu_count", "is_spot", "location")
GPU_CHOICES = [("", "None: the CPU"), *((gpu.name, gpu.label) for gpu in GPUS.values())]


class NewDeploymentForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A new deployment by the rules of `specification`, each refusal beside its field.

    After `is_valid`, `scaling` and `hardware` hold what is asked for.
    """

    hardware_fields: tuple[str, ...] = HARDWARE_FIELDS
    gpu = forms.ChoiceField(choices=GPU_CHOICES, required=False, label="GPU")
    scaling: Scaling
    hardware: Hardware

    class Meta:
        model = Deployment
        fields = ("name", "engine", "provider", "kind", *HARDWARE_FIELDS, *SCALING_FIELDS)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # As in the API: what is left out takes the defaults of a serverless container.
        defaults = dataclasses.asdict(Scaling()) | dataclasses.asdict(Hardware())
        for name in (*HARDWARE_FIELDS, *SCALING_FIELDS):
            if name in self.fields:
                self.fields[name].required = False
                self.fields[name].initial = defaults[name]
        if "kind" in self.fields:
            self.fields["kind"].initial = Deployment.Kind.SERVERLESS

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = cleaned.get("kind") or Deployment.Kind.DEDICATED
        self.scaling = Scaling(**self._given(SCALING_FIELDS))
        self.hardware = Hardware(**self._given(self.hardware_fields))
        self._check(lambda: self.scaling.check(kind))
        self._check(lambda: self.hardware.check_new(cleaned.get("provider") or Deployment.Provider.LOCAL))
        self._check_name(cleaned)
        return cleaned

    def _given(self, names: tuple[str, ...]) -> dict[str, Any]:
        found = {name: self.cleaned_data.get(name) for name in names if name in self.fields}
        return {name: value for name, value in found.items() if value is not None}

    def _check(self, rule: Callable[[], object]) -> None:
        try:
            rule()
        except InvalidRequest as refused:
            field = refused.param if refused.param in self.fields else None
            self.add_error(field, refused.message)

    def _check_name(self, cleaned: dict[str, Any]) -> None:
        name = cleaned.get("name")
        if not name:
            return
        self._check(lambda: check_name(name))
        owner = cleaned.get("organization") or self.instance.organization
        if Deployment.objects.filter(organization=owner, name=name, deleted_at=None).exists():
            self.add_error("name", f"There is already a deployment named {name}.")
