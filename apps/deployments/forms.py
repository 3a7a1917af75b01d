"""Checks the shape of what people ask for."""

from __future__ import annotations

from django import forms

from apps.deployments import services


class NewDeploymentForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    def clean_desired_replicas(self) -> int:
        replicas: int = self.cleaned_data["desired_replicas"]
        if not 1 <= replicas <= services.MAX_REPLICAS:
            raise forms.ValidationError(f"Choose 1 to {services.MAX_REPLICAS} replicas.")
        return replicas
