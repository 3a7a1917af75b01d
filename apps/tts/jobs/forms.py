"""Forms of the job pages; they check shape, `apps.tts.jobs.services` decides and acts."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.accounts.models import Organization
from apps.tts.jobs.choosing import chosen, voice_choices
from apps.tts.jobs.models import MAX_TITLE_CHARACTERS, SpeechJob
from apps.tts.jobs.services import MAX_CHARACTERS
from apps.tts.request import SpeechBody

_FORMATS = [
    ("mp3", "MP3: plays everywhere"),
    ("opus", "Opus: smallest"),
    ("aac", "AAC"),
    ("flac", "FLAC: lossless, half the size"),
    ("wav", "WAV: lossless"),
    ("pcm", "PCM: bare samples"),
    ("mulaw", "mu-law: telephony"),
    ("alaw", "A-law: telephony"),
]


class NewJobForm(forms.Form):
    title = forms.CharField(
        required=False,
        max_length=MAX_TITLE_CHARACTERS,
        help_text="For the list, and the name of the file.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Chapter one"}),
    )
    text = forms.CharField(
        strip=False,
        help_text="Paste it, or drop a text file on it. Blank lines become longer pauses.",
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "true", "data-limit": MAX_CHARACTERS}),
    )
    voice = forms.ChoiceField(required=False)
    format = forms.ChoiceField(choices=_FORMATS, initial="mp3")
    speed = forms.FloatField(
        min_value=0.5,
        max_value=2.0,
        initial=1.0,
        help_text="1 is the voice's own pace.",
        widget=forms.NumberInput(attrs={"step": "0.05"}),
    )
    normalize = forms.ChoiceField(
        label="Numbers and dates",
        choices=[
            ("auto", "Written out where the language is known"),
            ("on", "Written out by the rules of English"),
            ("off", "As they stand"),
        ],
    )
    unknown_tags = forms.ChoiceField(
        label="Words in brackets",
        choices=[
            ("speak", "Read aloud where they are no tag"),
            ("drop", "Left out where they are no tag"),
            ("error", "Refused where they are no tag"),
        ],
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["voice"].choices = voice_choices(organization)  # type: ignore[attr-defined]

    def clean_text(self) -> str:
        """As it was typed: a browser sends each end of a line as two characters."""
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        if not text.strip():
            raise forms.ValidationError("The text is empty.")
        if "\x00" in text:
            raise forms.ValidationError("The text holds characters that are not text.")
        return text

    @property
    def body(self) -> SpeechBody:
        told = self.cleaned_data
        model, voice = chosen(told["voice"])
        return SpeechBody(
            text=told["text"],
            model=model,
            voice=voice,
            format=told["format"],
            speed=told["speed"],
            normalize=told["normalize"],
            unknown_tags=told["unknown_tags"],
        )


class DeleteJobForm(forms.Form):
    """Destroying asks for the name."""

    name = forms.CharField(
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, job: SpeechJob, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.job_name = job.name
        self.fields["name"].label = f"Type {job.name} to confirm"
        self.fields["name"].widget.attrs["data-confirms"] = job.name

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.job_name:
            raise forms.ValidationError(f"This is not the name of the job. Type {self.job_name}.")
        return name


class JobFilterForm(forms.Form):
    """What the list shows, from the URL; a value that means nothing is as if it were not there."""

    state = forms.ChoiceField(required=False, choices=[("", "Every state"), *SpeechJob.State.choices])
