"""Forms of the voice pages; they check shape, `apps.voices.services` decides and acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from apps.voices.models import Voice
from apps.voices.recordings.checking import MAX_UPLOAD_BYTES

LANGUAGES = [
    ("", "Not said"),
    ("en", "English"),
    ("ar", "Arabic"),
    ("zh", "Chinese"),
    ("da", "Danish"),
    ("nl", "Dutch"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("de", "German"),
    ("el", "Greek"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ko", "Korean"),
    ("ms", "Malay"),
    ("no", "Norwegian"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ru", "Russian"),
    ("es", "Spanish"),
    ("sw", "Swahili"),
    ("sv", "Swedish"),
    ("tr", "Turkish"),
]


class RecordingsInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class RecordingsField(forms.FileField):
    """One file or several; a list of them."""

    widget = RecordingsInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[bytes]]:
        files = data if isinstance(data, list | tuple) else [data]
        return [super(RecordingsField, self).clean(file, initial) for file in files or [None]]


class LabelsField(forms.CharField):
    """`accent: Scottish, mood: calm` as words by word."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        labels = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, colon, word = (piece.strip() for piece in part.partition(":"))
            if not (name and colon and word):
                raise forms.ValidationError("Write each as a word, a colon and a word: accent: Scottish.")
            labels[name] = word
        return labels

    def prepare_value(self, value: Any) -> Any:
        return (
            ", ".join(f"{name}: {word}" for name, word in value.items()) if isinstance(value, dict) else value
        )


class VoiceForm(forms.Form):
    """What is told of a voice."""

    name = forms.CharField(
        max_length=80,
        help_text="Requests may name the voice by it.",
        widget=forms.TextInput(
            attrs={"autofocus": True, "autocomplete": "off", "placeholder": "Ada, reading"}
        ),
    )
    language = forms.ChoiceField(
        choices=LANGUAGES, required=False, help_text="The one that is spoken in the recording."
    )
    description = forms.CharField(max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    labels = LabelsField(
        required=False,
        max_length=1000,
        help_text="Words to find it by, such as accent: Scottish, mood: calm.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    @property
    def told(self) -> dict[str, Any]:
        """As services take it."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "description": data["description"],
            "labels": data["labels"] or {},
            "languages": [data["language"]] if data["language"] else [],
        }


class NewVoiceForm(VoiceForm):
    file = RecordingsField(
        label="Recording",
        help_text="3 to 120 seconds of one voice, without music or noise; several files are joined. "
        "WAV, FLAC, MP3, Ogg, M4A or WebM, 20 MB at most.",
        widget=RecordingsInput(
            attrs={
                "accept": "audio/*,.wav,.flac,.mp3,.ogg,.opus,.m4a,.aac,.webm",
                "data-max-bytes": str(MAX_UPLOAD_BYTES),
            }
        ),
    )
    consent = forms.BooleanField(error_messages={"required": "Without this consent no voice is cloned."})
    consent_version = forms.CharField(max_length=32, widget=forms.HiddenInput)

    field_order = ["name", "file", "language", "description", "labels", "consent", "consent_version"]


class ConfirmVoiceForm(forms.Form):
    """What cannot be undone asks for the name."""

    name = forms.CharField(
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, voice: Voice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.voice_name = voice.name
        self.fields["name"].label = f"Type {voice.name} to confirm"
        self.fields["name"].widget.attrs["data-confirms"] = voice.name

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.voice_name:
            raise forms.ValidationError(f"This is not the name of the voice. Type {self.voice_name}.")
        return name


class WithdrawForm(ConfirmVoiceForm):
    reason = forms.CharField(
        max_length=500, required=False, help_text="Kept with the consent.", widget=forms.TextInput()
    )


class TermsForm(forms.Form):
    accept = forms.BooleanField(error_messages={"required": "Accept the terms first."})
    version = forms.CharField(max_length=32, widget=forms.HiddenInput)


class VoiceFilterForm(forms.Form):
    """What the list shows, from the URL; a value that means nothing is as if it were not there."""

    q = forms.CharField(required=False, max_length=80)
    category = forms.ChoiceField(
        required=False, choices=[("", "Every voice"), ("cloned", "Your own"), ("premade", "The platform's")]
    )
    language = forms.ChoiceField(required=False, choices=[("", "Every language"), *LANGUAGES[1:]])
