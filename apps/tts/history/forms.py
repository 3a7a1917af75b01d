"""What the pages of the history ask; they check shape and have no effects."""

from __future__ import annotations

from django import forms

from apps.accounts.models import Organization


class DeleteAllForm(forms.Form):
    """Destroying asks for the name."""

    name = forms.CharField(
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: object, organization: Organization, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._wanted = organization.name
        self.fields["name"].label = f"Type {organization.name} to confirm"
        self.fields["name"].widget.attrs["data-confirms"] = organization.name

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self._wanted:
            raise forms.ValidationError(f"This is not its name. Type {self._wanted}.")
        return name
