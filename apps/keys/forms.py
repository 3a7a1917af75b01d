"""Forms of the key pages; they check shape, `apps.keys.services` decides and acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from apps.core.errors import InvalidRequest
from apps.keys.models import ApiKey
from apps.keys.restrictions import MAXIMA, NAMES, clean_ips, clean_origins, clean_voices

NEVER = "never"
DAY_SECONDS = 24 * 3600


class LinesField(forms.CharField):
    """A list, one entry a line; `clean_list` answers its one spelling or raises `InvalidRequest`."""

    widget = forms.Textarea

    def __init__(self, *, clean_list: Callable[[list[str]], list[str]], **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}))
        super().__init__(required=False, **options)
        self._clean_list = clean_list

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str | None) else "\n".join(value)

    def clean(self, value: Any) -> Any:
        text: str = super().clean(value)
        try:
            return self._clean_list([line for line in text.replace(",", "\n").split("\n") if line.strip()])
        except InvalidRequest as refused:
            raise forms.ValidationError(refused.message) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


def _limit(name: str, label: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=1,
        max_value=MAXIMA[name],
        help_text="Empty: your organization's limit alone.",
    )


class RestrictionsForm(forms.Form):
    """What a key may do beside its scopes."""

    requests_per_minute = _limit("requests_per_minute", "Requests a minute")
    concurrent_requests = _limit("concurrent_requests", "Requests at once")
    characters_per_month = _limit("characters_per_month", "Characters a month")
    characters_per_request = _limit("characters_per_request", "Characters a request")
    allowed_voices = LinesField(
        label="Voices", clean_list=clean_voices, help_text="Names or ids, one a line. Empty: every voice."
    )
    allowed_ips = LinesField(
        label="Addresses",
        clean_list=clean_ips,
        help_text="Where it may be used from, one a line: 203.0.113.7 or 2001:db8::/32. Empty: anywhere.",
    )
    allowed_origins = LinesField(
        label="Sites",
        clean_list=clean_origins,
        help_text="Whose pages may use it in a browser, one a line: https://app.example.com. Empty: none.",
    )

    @property
    def restriction_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in NAMES]

    @property
    def is_restricted(self) -> bool:
        """Whether there is something to see: a value, or what is wrong with one."""
        return any(field.value() or field.errors for field in self.restriction_fields)

    @property
    def restrictions(self) -> dict[str, Any]:
        """Of a valid form."""
        return {name: self.cleaned_data[name] for name in NAMES}


class EditKeyForm(RestrictionsForm):
    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    field_order = ["name"]

    @classmethod
    def of(cls, key: ApiKey, data: QueryDict | None) -> EditKeyForm:
        return cls(data, initial={name: getattr(key, name) for name in ("name", *NAMES)})


class NewKeyForm(RestrictionsForm):
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

    field_order = ["name", "mode", "scopes", "expiry"]

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
