"""Forms of people; they check shape and have no effects."""

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


class OrganizationForm(forms.Form):
    name = forms.CharField(label="Organization name", max_length=120, widget=ORGANIZATION)
