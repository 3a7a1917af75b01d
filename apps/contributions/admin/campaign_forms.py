"""Forms of a campaign: its fields with one for each quality gate, consent texts, sentences, invitations."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any, Final

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.contributions import gates
from apps.contributions.models import Campaign, Purpose
from apps.contributions.quality import Gates, Verdict
from apps.core.errors import InvalidRequest

PREFIX: Final = "gate_"
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_UNITS: Final = {
    "_missing_seconds": "seconds of what was recorded that did not arrive",
    "_speech_seconds": "seconds of detected speech",
    "_edge_under_seconds": "seconds of silence before or after speech",
    "_edge_over_seconds": "seconds of silence before or after speech",
    "_seconds": "seconds",
    "_share": "of all samples, from 0 to 1",
    "_lufs": "LUFS",
    "_mos": "DNSMOS, from 1 to 5",
    "_word_error_rate": "wrong words over words asked for",
    "_bit_error_rate": "of the fingerprint's bits, from 0 to 1",
    "_likeness": "cosine with the speaker's other recordings",
}


def _label(name: str) -> str:
    words = name.replace("_", " ").replace("lufs", "LUFS").replace("mos", "MOS")
    return words[:1].upper() + words[1:]


def _gate_field(name: str, usual: Any) -> forms.Field:
    if isinstance(usual, Verdict):
        choices = [("", f"As usual: {usual.value}"), *((v.value, v.value.capitalize()) for v in Verdict)]
        return forms.ChoiceField(
            label="Where no transcript can be made",
            choices=choices,
            required=False,
            widget=UnfoldAdminSelectWidget(),
        )
    unit = next(words for ending, words in _UNITS.items() if name.endswith(ending))
    return forms.FloatField(
        label=_label(name),
        required=False,
        help_text=f"Usually {usual:g}. {unit[:1].upper()}{unit[1:]}.",
        widget=UnfoldAdminDecimalFieldWidget(attrs={"placeholder": f"{usual:g}", "step": "any"}),
    )


GATE_NAMES: Final = tuple(field.name for field in fields(Gates))
GATE_FIELDS: Final = tuple(f"{PREFIX}{name}" for name in GATE_NAMES)
_WithGates: Any = type(
    "_WithGates",
    (forms.ModelForm,),
    {f"{PREFIX}{name}": _gate_field(name, getattr(gates.USUAL, name)) for name in GATE_NAMES},
)


class CampaignForm(_WithGates):
    purposes = forms.MultipleChoiceField(
        choices=Purpose.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="What everybody must agree to.",
    )
    optional_purposes = forms.MultipleChoiceField(
        choices=Purpose.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="What people may agree to as well.",
    )

    class Meta:
        model = Campaign
        fields = [
            "organization",
            "name",
            "description",
            "language",
            "access",
            "licence",
            "clips_per_prompt",
            "clips_per_speaker",
            "cents_per_minute",
            "budget_cents",
            "hold_days",
            "starts_at",
            "ends_at",
        ]
        labels = {
            "cents_per_minute": "Pay a minute, in US cents",
            "budget_cents": "Budget, in US cents",
            "hold_days": "Days on hold",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "description" in self.fields:
            self.fields["description"].widget.attrs["rows"] = 3
        if self.instance.pk:
            for name, value in self.instance.gates.items():
                self.initial.setdefault(f"{PREFIX}{name}", value)

    def clean_language(self) -> str:
        language = str(self.cleaned_data["language"]).strip()
        if not _LANGUAGE.fullmatch(language):
            raise forms.ValidationError("A language is a tag such as en or de-AT.")
        return language

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        both = set(cleaned.get("purposes", ())) & set(cleaned.get("optional_purposes", ()))
        if both:
            self.add_error("optional_purposes", "A purpose is needed or optional, not both.")
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", "It ends before it starts.")
        self._clean_gates(cleaned)
        return cleaned

    @property
    def gates(self) -> dict[str, Any]:
        """Those that were given; the others stay as usual."""
        given = {name: self.cleaned_data.get(f"{PREFIX}{name}") for name in GATE_NAMES}
        return {name: value for name, value in given.items() if value not in (None, "")}

    def _clean_gates(self, cleaned: dict[str, Any]) -> None:
        try:
            held = gates.clean(self.gates)
        except InvalidRequest as refused:
            raise forms.ValidationError(refused.message) from refused
        for name, words in gates.contradictions(held).items():
            self.add_error(f"{PREFIX}{name}", words)


class ConsentTextForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    def clean_locale(self) -> str:
        locale = str(self.cleaned_data["locale"]).strip()
        if not _LANGUAGE.fullmatch(locale):
            raise forms.ValidationError("A locale is a tag such as en or de-AT.")
        return locale

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n").strip()
        if len(text) < 20:
            raise forms.ValidationError("A consent text says what people agree to.")
        return text


class ImportForm(forms.Form):
    file = forms.FileField(
        required=False,
        label="CSV file",
        help_text="In UTF-8; the column text or sentence, else the first one.",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    text = forms.CharField(
        required=False,
        label="Or paste sentences",
        help_text="One a line.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if bool(cleaned.get("file")) == bool(str(cleaned.get("text") or "").strip()):
            raise forms.ValidationError("Choose a file or paste sentences.")
        return cleaned


class InviteForm(forms.Form):
    addresses = forms.CharField(
        label="Email addresses",
        help_text="Apart by spaces, commas or lines.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
    )
    is_mail_wanted = forms.BooleanField(
        label="Send each of them a mail",
        help_text="With the link, the pay and the date until when. While the campaign is not open, it waits.",
        required=False,
        initial=True,
        widget=UnfoldBooleanWidget(),
    )

    def clean_addresses(self) -> list[str]:
        return [word for word in re.split(r"[\s,;]+", str(self.cleaned_data["addresses"])) if word]


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        help_text="The contributor reads it.",
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
    )
