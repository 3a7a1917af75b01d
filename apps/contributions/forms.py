"""Forms of the contributors' pages; they check shape, services decide and act."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.contributions.models import Contributor
from apps.contributions.people import MAX_ACCENT

CONFIRMED_BY = "erase"


class ConsentForm(forms.Form):
    """A box for each purpose, under the text that is shown, and one for the age.

    `shown` is the SHA-256 of each purpose's text as the page shows it. What was agreed to before, in this
    version, needs no box.
    """

    is_adult = forms.BooleanField(
        label="I am 18 or older",
        error_messages={"required": "You must be 18 or older to take part."},
    )

    def __init__(self, *args: Any, needed: list[str], optional: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for purpose in [*needed, *optional]:
            self.fields[f"agree_{purpose}"] = forms.BooleanField(
                required=purpose in needed,
                label="I agree",
                error_messages={"required": "This campaign needs your agreement to this."},
            )
            self.fields[f"sha256_{purpose}"] = forms.CharField(
                required=False, max_length=64, widget=forms.HiddenInput
            )
        self._purposes = [*needed, *optional]

    @property
    def shown(self) -> dict[str, str]:
        """Of each purpose that was agreed to, what was on the page."""
        data = self.cleaned_data
        return {p: data[f"sha256_{p}"] for p in self._purposes if data[f"agree_{p}"]}


class ProfileForm(forms.Form):
    age_band = forms.ChoiceField(
        label="Age", required=False, choices=[("", "Not said"), *Contributor.AgeBand.choices]
    )
    gender = forms.ChoiceField(required=False, choices=[("", "Not said"), *Contributor.Gender.choices])
    accent = forms.CharField(
        required=False,
        max_length=MAX_ACCENT,
        help_text="In your own words, such as “Irish English, from Cork”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class PayoutForm(forms.Form):
    payout_account = forms.CharField(
        label="Account",
        required=False,
        max_length=200,
        help_text="An IBAN, or the address of your PayPal account. Kept encrypted, shown to nobody but staff "
        "who send payouts.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        required=False,
        help_text="Kept with the withdrawal. You need not give one.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class EraseForm(forms.Form):
    confirm = forms.CharField(
        label=f"Type {CONFIRMED_BY} to confirm",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "data-confirms": CONFIRMED_BY}
        ),
    )

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"].strip()
        if typed != CONFIRMED_BY:
            raise forms.ValidationError(f"Type {CONFIRMED_BY}.")
        return typed
