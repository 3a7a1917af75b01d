"""Fields of the deployment pages that Django does not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms


class ChoiceCards(forms.RadioSelect):
    """Radio buttons of which some cannot be chosen; `told` says of each what stands under its label."""

    def __init__(self, *, told: dict[str, str] | None = None, disabled: Sequence[str] = ()) -> None:
        super().__init__()
        self.told, self.disabled = told or {}, disabled

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        option["told"] = self.told.get(str(value), "")
        if str(value) in self.disabled:
            option["attrs"]["disabled"] = True
        return option


class VariablesField(forms.CharField):
    """Variables as they are written in a file: `NAME=value`, one a line."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        variables = {}
        for line in filter(None, map(str.strip, (super().to_python(value) or "").splitlines())):
            name, equals, content = line.partition("=")
            if not equals:
                raise forms.ValidationError("Write each on a line of its own: NAME=value.")
            variables[name.strip()] = content.strip()
        return variables
