"""Forms of the staff pages about people and organizations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.admin import PaginationInlineFormSet
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from apps.accounts.models import Membership, Organization, User


class UserAddForm(UserCreationForm):
    class Meta:
        model = User
        fields = ["email", "name"]

    def clean_email(self) -> str:
        return _free_email(self.cleaned_data["email"], self.instance)


class UserEditForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        return _free_email(self.cleaned_data["email"], self.instance)


class OrganizationChangeForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Organization
        fields = ["name", "history_days"]


class OrganizationAddForm(forms.ModelForm):  # type: ignore[type-arg]
    name = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget)
    owner_email = forms.EmailField(
        label="Owner's email",
        help_text="Somebody who has an account already.",
        widget=UnfoldAdminEmailInputWidget,
    )

    class Meta:
        model = Organization
        fields = ["name"]

    def clean_owner_email(self) -> User:
        owner = User.objects.filter(email__iexact=self.cleaned_data["owner_email"]).first()
        if owner is None:
            raise ValidationError("Nobody has an account with this address.")
        return owner


class MembershipFormSet(PaginationInlineFormSet):
    """Members of one organization, of whom one at least owns it."""

    def clean(self) -> None:
        super().clean()
        roles = [_role(form) for form in self.forms if not form.cleaned_data.get("DELETE")]
        if Membership.Role.OWNER not in roles:
            raise ValidationError("An organization needs at least one owner.")


def _role(form: Any) -> str | None:
    role: str | None = form.cleaned_data.get("role")
    return role if form.cleaned_data.get("user") else None


def _free_email(email: str, user: User) -> str:
    email = User.objects.normalize_email(email).lower()
    if User.objects.filter(email__iexact=email).exclude(pk=user.pk).exists():
        raise ValidationError("Another account has this address.")
    return email
