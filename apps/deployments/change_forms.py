"""Forms of what is changed later: a budget; image, variables and secrets. They check shape alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from django import forms

from apps.core.errors import AppError, InvalidRequest
from apps.deployments import budgets
from apps.deployments.console_fields import ChoiceCards, VariablesField
from apps.deployments.models import Budget, Deployment
from apps.deployments.specification import check_image, check_variables

_Checked = TypeVar("_Checked")
_AS_WRITTEN = {"spellcheck": "false", "autocomplete": "off"}
_ABOUT_STOPS = {
    "no": "A mail to owners and admins at 80 %. Nothing is refused or stopped, whatever it comes to.",
    "yes": "The same mail at 80 %. Shortly before the budget is reached, requests are refused and "
    "deployments stopped.",
}


class BudgetForm(forms.Form):
    monthly_usd = forms.DecimalField(
        max_digits=12,
        decimal_places=2,
        label="US dollars a month",
        help_text="For all deployments of your own together, in each UTC month.",
        widget=forms.NumberInput(attrs={"min": "0.01", "step": "0.01", "inputmode": "decimal"}),
    )
    stops = forms.TypedChoiceField(
        choices=[("no", "Only warn"), ("yes", "Stop before it costs more")],
        coerce=lambda word: word == "yes",
        label="When it is used up",
        widget=ChoiceCards(told=_ABOUT_STOPS),
    )

    def __init__(self, data: Any = None, *, budget: Budget | None) -> None:
        shown = {"stops": "no"}
        if budget is not None:
            shown = {"monthly_usd": str(budget.monthly_usd), "stops": "yes" if budget.stops else "no"}
        super().__init__(data, initial=shown)

    def clean_monthly_usd(self) -> Decimal:
        return _check(lambda: budgets.check_amount(self.cleaned_data["monthly_usd"]))


class UpdateForm(forms.Form):
    """What a deployment's workers are made of; after `is_valid`, `changes` is what `change_deployment` takes.

    Secrets are named and never shown. `generation` tells a change that somebody else made meanwhile.
    """

    image = forms.CharField(
        required=False,
        max_length=255,
        help_text="With its tag. Empty: the platform's own worker of this version.",
        widget=forms.TextInput(attrs={"placeholder": "ghcr.io/acme/speech:1.2.0"} | _AS_WRITTEN),
    )
    environment = VariablesField(
        required=False,
        label="Environment",
        help_text="One a line: <code>NAME=value</code>. A line that is taken away removes its variable.",
        widget=forms.Textarea(attrs={"rows": 4} | _AS_WRITTEN),
    )
    secrets = VariablesField(
        required=False,
        label="Set secrets",
        help_text="One a line: <code>NAME=value</code>. A name that is there already gets the new value.",
        widget=forms.Textarea(attrs={"rows": 3} | _AS_WRITTEN),
    )
    removed = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    generation = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, deployment: Deployment) -> None:
        self.deployment = deployment
        # What does not fit into a line of its own is left to the API.
        self.in_lines = {
            name: value for name, value in sorted(deployment.environment.items()) if _fits(value)
        }
        self.kept = sorted(set(deployment.environment) - set(self.in_lines))
        self.secret_names = sorted(deployment.secret_values)
        shown = {
            "image": deployment.image,
            "environment": "\n".join(f"{name}={value}" for name, value in self.in_lines.items()),
            "generation": deployment.generation,
        }
        super().__init__(data, initial=shown)
        self.fields["removed"].choices = [(name, name) for name in self.secret_names]  # type: ignore[attr-defined]

    @property
    def changes(self) -> dict[str, Any]:
        told = self.cleaned_data
        gone = dict.fromkeys(self.in_lines.keys() - told["environment"].keys())
        return {
            "image": told["image"],
            "environment": told["environment"] | gone,
            "secrets": told["secrets"] | dict.fromkeys(told["removed"]),
        }

    def clean_image(self) -> str:
        image: str = self.cleaned_data["image"].strip()
        _check(lambda: check_image(image))
        return image

    def clean_environment(self) -> dict[str, str]:
        return self._variables("environment")

    def clean_secrets(self) -> dict[str, str]:
        return self._variables("secrets")

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        if both := sorted(set(told.get("secrets") or {}) & set(told.get("removed") or [])):
            self.add_error("secrets", f"{both[0]} is both set and removed.")
        if told.get("generation") != self.deployment.generation:
            self.add_error(None, "It was changed meanwhile. Save once more if this is still what you want.")
            self.data = _with(self.data, generation=self.deployment.generation)
        return told

    def refuse(self, error: AppError) -> None:
        self.add_error(error.param if error.param in self.fields else None, error.message)

    def _variables(self, name: str) -> dict[str, str]:
        variables: dict[str, str] = self.cleaned_data[name]
        _check(lambda: check_variables(variables, name))
        return variables


def _check(rule: Callable[[], _Checked]) -> _Checked:
    try:
        return rule()
    except InvalidRequest as refused:
        raise forms.ValidationError(refused.message) from refused


def _fits(value: str) -> bool:
    return value == value.strip() and len(value.splitlines()) <= 1


def _with(data: Any, **more: Any) -> Mapping[str, Any]:
    changed = data.copy()
    for name, value in more.items():
        changed[name] = value
    return changed  # type: ignore[no-any-return]
