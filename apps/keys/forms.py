"""Forms of the key pages; they check shape, `apps.keys.services` decides and acts."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone

from apps.keys.models import ApiKey

NEVER = "never"
DAY_SECONDS = 24 * 3600


class NewKeyForm(forms.Form):
    name = forms.CharField(
        max_length=80,
        help_text="Where it is used, so that you know later which one to revoke.",
        widget=forms.TextInput(
            attrs={"autofocus": True, "autocomplete": "off", "placeholder": "Production server"}
        ),
    )
    mode = forms.ChoiceField(choices=ApiKey.Mode, initial=ApiKey.Mode.LIVE, widget=forms.RadioSelect)
    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope,
        initial=[ApiKey.Scope.SPEECH],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one scope."},
    )
    expiry = forms.ChoiceField(
        label="Expires",
        choices=[
            (NEVER, "Never"),
            ("7", "In 7 days"),
            ("30", "In 30 days"),
            ("90", "In 90 days"),
            ("365", "In a year"),
        ],
        initial=NEVER,
    )

    def clean_expiry(self) -> datetime | None:
        """The moment it expires, or `None`."""
        chosen = self.cleaned_data["expiry"]
        return None if chosen == NEVER else timezone.now() + timedelta(days=int(chosen))


class RotateKeyForm(forms.Form):
    overlap_seconds = forms.TypedChoiceField(
        label="The old key works on for",
        coerce=int,
        choices=[
            (0, "No time: it stops at once"),
            (3600, "1 hour"),
            (DAY_SECONDS, "24 hours"),
            (7 * DAY_SECONDS, "7 days"),
            (30 * DAY_SECONDS, "30 days"),
        ],
        initial=DAY_SECONDS,
        help_text="Long enough to put the new key everywhere the old one is.",
    )


class RevokeKeyForm(forms.Form):
    """Destroying asks for the name."""

    name = forms.CharField(
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: object, key: ApiKey, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.key_name = key.name
        self.fields["name"].label = f"Type {key.name} to confirm"
        self.fields["name"].widget.attrs["data-confirms"] = key.name

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.key_name:
            raise forms.ValidationError(f"This is not the name of the key. Type {self.key_name}.")
        return name


class KeyFilterForm(forms.Form):
    """What the list shows, from the URL; a value that means nothing is as if it were not there."""

    q = forms.CharField(required=False, max_length=80)
    mode = forms.ChoiceField(required=False, choices=[("", "Live and test"), *ApiKey.Mode.choices])
    state = forms.ChoiceField(
        required=False, choices=[("", "Every state"), ("usable", "Usable"), ("ended", "Expired or revoked")]
    )
