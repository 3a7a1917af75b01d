"""Forms of people; they check shape and have no effects."""

from typing import Any, cast

from django import forms

NAME = forms.TextInput(attrs={"autocomplete": "name"})
ORGANIZATION = forms.TextInput(attrs={"autocomplete": "organization"})


class SignupForm(forms.Form):
    """What the console asks beside email and password; allauth mixes it into its own form."""

    name = forms.CharField(label="Your name", max_length=120, required=False, widget=NAME)
    organization = forms.CharField(
        max_length=120,
        required=False,
        widget=ORGANIZATION,
        help_text="Your company or project. Keys and usage belong to it, and it can be renamed.",
    )

    field_order = ("name", "email", "password1", "organization")

    def signup(self, request: object, user: object) -> None:
        """allauth asks for this hook; the adapter does the work in its transaction."""


class ProfileForm(forms.Form):
    name = forms.CharField(label="Your name", max_length=120, required=False, widget=NAME)


class HistoryForm(forms.Form):
    history_days = forms.TypedChoiceField(
        label="Keep text and audio of requests",
        coerce=int,
        choices=[
            (0, "Off: keep nothing"),
            (1, "For 1 day"),
            (7, "For 7 days"),
            (30, "For 30 days"),
            (90, "For 90 days"),
            (180, "For 180 days"),
            (365, "For 365 days"),
        ],
    )

    def __init__(self, data: Any = None, *, days: int) -> None:
        """`days` are those that hold now; staff may have chosen any."""
        super().__init__(data, initial={"history_days": days})
        field = cast("forms.TypedChoiceField", self.fields["history_days"])
        choices: Any = field.choices
        if days not in dict(choices):
            field.choices = [*choices, (days, f"For {days} days")]


class OrganizationForm(forms.Form):
    name = forms.CharField(label="Organization name", max_length=120, widget=ORGANIZATION)
