"""Keys that providers' fronts ask for: staff set and rotate them, and nobody sees one again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from apps.core.errors import InvalidRequest
from apps.deployments.models import ProviderKey
from apps.deployments.provider_keys import ASKING, MAX_CHARACTERS, check_key, set_inference_key


class ProviderKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """The key is no field of the model's, so that nothing fills it in."""

    provider = forms.ChoiceField(
        choices=[(provider.value, provider.label) for provider in ASKING], widget=UnfoldAdminSelectWidget
    )
    new_key = forms.CharField(
        max_length=MAX_CHARACTERS,
        label="Inference key",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )

    class Meta:
        model = ProviderKey
        fields = ["provider"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.instance._state.adding:
            self.fields["new_key"].required = False
            self.fields["new_key"].help_text = "Kept and never shown. Empty: it stays as it is."

    def clean_new_key(self) -> str:
        key: str = self.cleaned_data["new_key"]
        try:
            return check_key(key) if key else ""
        except InvalidRequest as refused:
            raise forms.ValidationError(refused.message) from refused


@admin.register(ProviderKey)
class ProviderKeyAdmin(ModelAdmin):
    form = ProviderKeyForm
    list_display = ["provider", "shown_key", "updated_at"]
    search_fields = ["provider"]
    ordering = ["provider"]
    fields = ["provider", "new_key"]

    def get_readonly_fields(self, request: HttpRequest, obj: ProviderKey | None = None) -> list[str]:
        return ["provider", "updated_at"] if obj else []

    def get_fields(self, request: HttpRequest, obj: ProviderKey | None = None) -> list[str]:
        return ["provider", "new_key", "updated_at"] if obj else ["provider", "new_key"]

    def has_delete_permission(self, request: HttpRequest, obj: ProviderKey | None = None) -> bool:
        return False  # nothing would reach the workers behind the front: set another instead

    def save_model(self, request: HttpRequest, obj: ProviderKey, form: Any, change: bool) -> None:
        if key := form.cleaned_data["new_key"]:
            obj.pk = set_inference_key(obj.provider, key=key).pk

    @display(description="Inference key")
    def shown_key(self, key: ProviderKey) -> str:
        return "set, never shown"
