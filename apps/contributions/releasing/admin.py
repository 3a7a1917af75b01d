"""Releases and voices from collection for staff: made here, watched, and given out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.models import User
from apps.contributions import voicing
from apps.contributions.models import Release, VoiceFromCollection
from apps.contributions.releasing import services
from apps.core.errors import AppError

STATE_LABELS = {"Queued": "info", "Being made": "info", "Ready": "success", "Failed": "danger"}


class _MadeByServices(ModelAdmin):
    """Rows that a service makes of the form for new ones; what it refuses is told there. Never changed."""

    new_fields: list[str] = []
    shown_fields: list[str] = []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.shown_fields if obj else self.new_fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.shown_fields if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            form.by = request.user
        return form

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        return form.made

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """It is written already."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """As above."""


class _NewForm(forms.ModelForm):  # type: ignore[type-arg]
    """Made as the form is checked, so that what a service refuses stands beside what was typed."""

    by: User
    made: Any = None

    def make(self, told: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _post_clean(self) -> None:
        if self.errors:
            return
        try:
            self.made = self.make(self.cleaned_data)
        except AppError as error:
            self.add_error(error.param if error.param in self.fields else None, error.message)
        else:
            self.instance = self.made


class NewReleaseForm(_NewForm):
    class Meta:
        model = Release
        fields = ["campaign", "notes"]

    def make(self, told: dict[str, Any]) -> Release:
        return services.freeze(campaign=told["campaign"], notes=told["notes"], by=self.by)


@admin.register(Release)
class ReleaseAdmin(_MadeByServices):
    form = NewReleaseForm
    list_display = [
        "shown_name",
        "shown_state",
        "progress",
        "clips_count",
        "removed",
        "frozen_at",
        "ready_at",
    ]
    list_filter = ["state", ("campaign", AutocompleteSelectFilter)]
    list_filter_submit = True
    list_select_related = ["campaign"]
    search_fields = ["campaign__name", "=id"]
    ordering = ["-id"]
    autocomplete_fields = ["campaign"]
    actions_detail = ["make_again"]
    new_fields = ["campaign", "notes"]
    shown_fields = [
        *("campaign", "version", "shown_state", "progress", "problem", "clips_count", "shown_files"),
        *("removed", "shown_removed", "notes", "created_by", "frozen_at", "ready_at", "files_gone_at", "id"),
    ]

    def has_make_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("contributions.add_release")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        release = self.get_object(request, object_id)
        has_failed = release is not None and release.state == Release.State.FAILED
        return super().get_actions_detail(request, object_id) if has_failed else []

    @display(description="Release", ordering="campaign__name")
    def shown_name(self, release: Release) -> str:
        return str(release)

    @display(description="State", ordering="state", label=STATE_LABELS)
    def shown_state(self, release: Release) -> str:
        return str(release.get_state_display())

    @display(description="Progress")
    def progress(self, release: Release) -> str:
        if not release.steps_total:
            return "–"
        return f"{release.steps_done} of {release.steps_total} files and papers"

    @display(description="Withdrawn since the one before")
    def removed(self, release: Release) -> int:
        return len(release.removed_ids)

    @display(description="Their ids, of the one before")
    def shown_removed(self, release: Release) -> str:
        return ", ".join(release.removed_ids) or "None"

    @display(description="Files")
    def shown_files(self, release: Release) -> SafeString | str:
        try:
            links = services.links_of(release)
        except AppError as error:
            return error.message
        row = '<li><a class="text-primary-600" href="{}">{}</a> {} <code>{}</code></li>'
        rows = ((link.url, link.name, filesizeformat(link.bytes), link.sha256) for link in links)
        return format_html("<ul>{}</ul>", format_html_join("", row, rows))

    @action(
        description="Make again",
        permissions=["make"],
        dialog={
            "title": "Make this release again?",
            "description": "Of one that failed: all of its files are made anew, of the same clips.",
            "form_submit_text": "Make again",
        },
    )
    def make_again(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        release = Release.objects.get(pk=object_id)
        try:
            services.try_again(release)
        except AppError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.log_change(request, release, "Made again.")
            self.message_user(request, "It is being made.", messages.SUCCESS)
        target = reverse("admin:contributions_release_change", args=[object_id])
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": target})
        return HttpResponseRedirect(target)


class NewVoiceForm(_NewForm):
    name = forms.CharField(
        max_length=80, widget=UnfoldAdminTextInputWidget, help_text="What the organization calls it."
    )

    class Meta:
        model = VoiceFromCollection
        fields = ["campaign", "contributor"]

    def make(self, told: dict[str, Any]) -> VoiceFromCollection:
        return voicing.make_voice(
            campaign=told["campaign"], contributor=told["contributor"], name=told["name"], by=self.by
        )


@admin.register(VoiceFromCollection)
class VoiceFromCollectionAdmin(_MadeByServices):
    form = NewVoiceForm
    list_display = ["voice", "shown_state", "campaign", "contributor", "created_by", "created_at"]
    list_filter = ["voice__state", ("campaign", AutocompleteSelectFilter)]
    list_filter_submit = True
    list_select_related = ["voice", "campaign", "contributor", "created_by"]
    search_fields = ["voice__name", "campaign__name", "=id"]
    ordering = ["-id"]
    autocomplete_fields = ["campaign", "contributor"]
    new_fields = ["campaign", "contributor", "name"]
    shown_fields = [
        *("voice", "shown_state", "campaign", "contributor", "consent", "shown_clips"),
        *("created_by", "created_at", "id"),
    ]

    @display(description="State")
    def shown_state(self, made: VoiceFromCollection) -> str:
        return str(made.voice.get_state_display())

    @display(description="Made of")
    def shown_clips(self, made: VoiceFromCollection) -> str:
        return ", ".join(str(clip) for clip in made.clips.all())
