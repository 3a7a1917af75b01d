"""Forms of the deployment pages; they check shape, `apps.deployments.services` decides and acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.forms.boundfield import BoundWidget
from django.forms.models import fields_for_model

from apps.accounts.models import Organization
from apps.core.errors import AppError, InvalidRequest
from apps.deployments import showing
from apps.deployments.console_fields import ChoiceCards, VariablesField
from apps.deployments.estimate import Estimate, GpuCard, gpu_cards
from apps.deployments.forms import HARDWARE_FIELDS, NewDeploymentForm
from apps.deployments.models import Deployment
from apps.deployments.offers import ENGINES, NEEDS_PYTHON, check_engine, missing_engines, offered_providers
from apps.deployments.services import SCALING_FIELDS
from apps.deployments.specification import Scaling
from apps.deployments.states import State

# What only a provider takes that runs containers of ours elsewhere.
REMOTE_FIELDS: Final = ("image", "location", "environment", "secrets")
_ABOUT_ENGINES: Final = {
    Deployment.Engine.CPU: "English, many voices, fast without a GPU.",
    Deployment.Engine.CHATTERBOX: "English with feeling; clones a voice from a few seconds.",
    Deployment.Engine.CHATTERBOX_TURBO: "The fastest Chatterbox, for conversations; clones.",
    Deployment.Engine.CHATTERBOX_MULTILINGUAL: "23 languages; clones across them.",
}
_ABOUT_KINDS: Final = {
    Deployment.Kind.SERVERLESS: "Scales with what is asked of it, and sleeps when nobody asks.",
    Deployment.Kind.DEDICATED: "Runs all the time: no request ever waits for a start.",
}
_LABELS: Final = {
    "min_replicas": "At least",
    "max_replicas": "At most",
    "scale_up_delay_seconds": "Add one after",
    "scale_down_delay_seconds": "Take one away after",
    "concurrent_per_replica": "Requests at once",
}
_HELPS: Final = {
    "min_replicas": "Replicas that always run; 0 lets a serverless container sleep.",
    "max_replicas": "Replicas, however much is asked of it.",
    "scale_up_delay_seconds": "Seconds in which requests had to wait.",
    "scale_down_delay_seconds": "Seconds in which fewer would have done. The last one then sleeps.",
    "concurrent_per_replica": "For each replica. Empty: as many as its engine speaks at once.",
}


def scaling_fields() -> dict[str, forms.Field]:
    """Fields of `Scaling` in the words of the console."""
    found = fields_for_model(Deployment, SCALING_FIELDS, labels=_LABELS, help_texts=_HELPS)
    return {name: field for name, field in found.items() if field is not None}


class ConsoleDeploymentForm(NewDeploymentForm):
    """A new deployment of an organization, at the provider that this platform has."""

    hardware_fields = (*HARDWARE_FIELDS, "environment", "secrets")
    is_spot = forms.TypedChoiceField(
        choices=[("yes", "Spot"), ("no", "On demand")],
        coerce=lambda word: word == "yes",
        empty_value=None,
        required=False,
        label="Price",
        widget=ChoiceCards(
            told={
                "yes": "Cheapest. May be taken away at any moment; another one is looked for then.",
                "no": "Stays until you stop it.",
            }
        ),
    )
    environment = VariablesField(
        required=False,
        label="Environment",
        help_text="One a line: <code>NAME=value</code>.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )
    secrets = VariablesField(
        required=False,
        label="Secrets",
        help_text="The same, kept encrypted and never shown again.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )

    class Meta(NewDeploymentForm.Meta):
        fields = ("name", "engine", "kind", *HARDWARE_FIELDS, *SCALING_FIELDS)

    def __init__(self, *args: Any, organization: Organization, gpu: str = "", **kwargs: Any) -> None:
        super().__init__(*args, instance=Deployment(organization=organization), **kwargs)
        self.initial = {}  # not what an empty row has, but what the fields begin with
        self.provider = offered_providers()[0]
        self.cards = gpu_cards(self.provider)
        self._name_it(organization)
        self._offer_choices(gpu)
        self.fields.update(scaling_fields())
        for name, value in asdict(Scaling()).items():
            self.fields[name].initial = value
        self.fields["gpu_count"].required = True
        self.fields["gpu_count"].label = "GPUs for each replica"
        self.fields["gpu_count"].help_text = "One is enough for every engine here."
        self.fields["image"].help_text = "With its tag. Empty: the platform's own worker of this version."
        if self.is_local:
            for name in REMOTE_FIELDS:
                del self.fields[name]

    @property
    def is_local(self) -> bool:
        return self.provider == Deployment.Provider.LOCAL

    @property
    def estimate(self) -> Estimate:
        """Of what the form shows now, whether or not it can be had so."""
        names = ("gpu_count", "min_replicas", "max_replicas")
        count, low, high = (_whole(self[name].value()) for name in names)
        gpu = self["gpu"].value()
        price = self._price_of_one(self.cards.get(gpu))
        of_all = None if price is None else price * max(1, count)
        return Estimate(of_all, low, max(low, high), is_of_cpu=not gpu)

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["provider"] = self.provider
        cleaned = super().clean()
        self._check(lambda: check_engine(cleaned.get("engine", ""), self.provider))
        return cleaned

    def refuse(self, error: AppError) -> None:
        """What the service said, by the field it is about."""
        field = "name" if error.code == "name_taken" else error.param
        self.add_error(field if field in self.fields else None, _by_the_field(error))

    def _check(self, rule: Callable[[], object]) -> None:
        try:
            rule()
        except InvalidRequest as refused:
            self.refuse(refused)

    @property
    def engines_missing(self) -> list[str]:
        """Engines that cannot run here."""
        return missing_engines(self.provider)

    @property
    def gpu_choices(self) -> list[tuple[BoundWidget, GpuCard | None, Decimal | None]]:
        """Each radio button with its card and the price as chosen now; the first stands for no GPU."""
        cards = [(radio, self.cards.get(radio.data["value"])) for radio in self["gpu"]]
        return [(radio, card, self._price_of_one(card)) for radio, card in cards]

    @property
    def scaling_is_wrong(self) -> bool:
        return any(name in self.errors for name in SCALING_FIELDS)

    @property
    def why_missing(self) -> str:
        return NEEDS_PYTHON if self.engines_missing else ""

    def _name_it(self, organization: Organization) -> None:
        name = self.fields["name"]
        name.initial = showing.suggest_name(organization)
        name.help_text = "Lower-case letters, digits and hyphens. For lists and programs."
        name.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}

    def _offer_choices(self, gpu: str) -> None:
        missing = self.engines_missing
        self.fields["engine"] = forms.ChoiceField(
            label="What it speaks with",
            choices=[(engine.value, engine.label) for engine in ENGINES],
            initial=Deployment.Engine.CPU if missing or not gpu else Deployment.Engine.CHATTERBOX,
            widget=ChoiceCards(told=_values(_ABOUT_ENGINES), disabled=missing),
        )
        self.fields["kind"] = forms.ChoiceField(
            label="Kind",
            choices=[(kind.value, kind.label) for kind in _ABOUT_KINDS],
            initial=Deployment.Kind.SERVERLESS,
            widget=ChoiceCards(told=_values(_ABOUT_KINDS)),
        )
        self.fields["gpu"].widget = ChoiceCards()
        self.fields["gpu"].widget.choices = self.fields["gpu"].choices  # type: ignore[attr-defined]
        self.fields["gpu"].initial = gpu if gpu in self.cards else ""
        self.fields["is_spot"].initial = "yes"

    def _price_of_one(self, card: GpuCard | None) -> Decimal | None:
        is_spot = self["is_spot"].value() != "no"
        return card.price(self["kind"].value(), is_spot=is_spot) if card else None


class ScalingForm(forms.Form):
    """Other bounds and delays of a deployment; after `is_valid`, `scaling` holds them."""

    scaling: Scaling

    def __init__(self, data: Any = None, *, deployment: Deployment) -> None:
        super().__init__(data, initial={name: getattr(deployment, name) for name in SCALING_FIELDS})
        self.kind = deployment.kind
        self.fields.update(scaling_fields())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self.scaling = Scaling(**cleaned)
            try:
                self.scaling.check(self.kind)
            except InvalidRequest as refused:
                self.refuse(refused)
        return cleaned

    def refuse(self, error: AppError) -> None:
        self.add_error(error.param if error.param in self.fields else None, _by_the_field(error))


class DeleteDeploymentForm(forms.Form):
    """Destroying asks for the name."""

    name = forms.CharField(
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, deployment: Deployment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deployment_name = deployment.name
        self.fields["name"].label = f"Type {deployment.name} to confirm"
        self.fields["name"].widget.attrs["data-confirms"] = deployment.name

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.deployment_name:
            raise forms.ValidationError(
                f"This is not the name of the deployment. Type {self.deployment_name}."
            )
        return name


class DeploymentFilterForm(forms.Form):
    """What the list shows, from the URL; a value that means nothing is as if it were not there."""

    q = forms.CharField(required=False, max_length=63)
    state = forms.ChoiceField(required=False, choices=[("", "Every state"), *State.choices])
    engine = forms.ChoiceField(
        required=False,
        choices=[("", "Every engine"), *((engine.value, engine.label) for engine in ENGINES)],
    )


def _by_the_field(error: AppError) -> str:
    """Where a program is told the field's name, people see the field."""
    return error.message.replace(f" for {error.param}.", ".")


def _values(told: Mapping[Any, str]) -> dict[str, str]:
    return {choice.value: text for choice, text in told.items()}


def _whole(shown: Any) -> int:
    """What stands in a field for a number, if it is one."""
    try:
        return max(0, int(shown))
    except (TypeError, ValueError):
        return 0
