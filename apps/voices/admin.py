"""Voices for staff: found, heard, suspended. What people agreed to is looked at and never changed."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.admin import ReadOnlyAdmin
from apps.core.errors import AppError
from apps.core.media import serving
from apps.core.media.links import Linked
from apps.voices import services, statements
from apps.voices.models import ENDED, CloningTerms, Voice, VoiceConsent

STATE_LABELS = {
    "Active": "success",
    "Suspended": "danger",
    "Consent withdrawn": "warning",
    "Deleted": "info",
}


class SuspendForm(BaseDialogForm):
    reason = forms.CharField(
        max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Its owner reads it."
    )


class ConsentInline(TabularInline):
    model = VoiceConsent
    fields = readonly_fields = [
        "person_name",
        "via",
        "text_version",
        "given_at",
        "withdrawn_at",
        "withdrawn_reason",
    ]
    extra = 0
    tab = True
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Voice)
class VoiceAdmin(ReadOnlyAdmin):
    list_display = ["name", "whose", "category", "shown_state", "is_offered", "spoken", "created_at"]
    list_filter = [
        "state",
        "category",
        "is_offered",
        ("organization", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["organization"]
    search_fields = ["name", "=engine_voice", "organization__name", "=reference_sha256", "=id"]
    search_help_text = "Name, id or SHA-256 of a voice, or its organization"
    ordering = ["-id"]
    actions = ["suspend", "lift"]
    actions_detail = ["suspend_this", "lift_this"]
    inlines = [ConsentInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "name",
                    "whose",
                    "shown_state",
                    "suspended_reason",
                    "preview",
                    "recording",
                    "description",
                    "labels",
                    "languages",
                ]
            },
        ),
        ("Of an engine", {"fields": ["engine_voice", "engine_models", "is_offered"], "classes": ["tab"]}),
        (
            "Cloned",
            {
                "fields": [
                    "reference_sha256",
                    "reference_seconds",
                    "reference_sample_rate",
                    "reference_bytes",
                    "files_removed_at",
                    "created_by",
                    "created_at",
                    "id",
                ],
                "classes": ["tab"],
            },
        ),
    ]
    readonly_fields = ["whose", "shown_state", "preview", "recording"]

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"<uuid:voice_id>/{name}", self.admin_site.admin_view(view), name=f"voices_voice_{kind}")
            for name, kind, view in (
                ("preview.mp3", "preview", self._hear_preview),
                ("recording.wav", "recording", self._hear_recording),
            )
        ]
        return [*own, *super().get_urls()]

    def has_suspend_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("voices.change_voice")

    @display(description="Whose", ordering="organization__name")
    def whose(self, voice: Voice) -> str:
        return str(voice.organization) if voice.organization else "The platform's"

    @display(description="State", ordering="state", label=STATE_LABELS)
    def shown_state(self, voice: Voice) -> str:
        return str(voice.get_state_display())

    @display(description="Languages")
    def spoken(self, voice: Voice) -> str:
        return ", ".join(voice.languages)

    @display(description="Preview")
    def preview(self, voice: Voice) -> SafeString | str:
        if not voice.preview_key:
            return voice.preview_problem or "None yet"
        return _audio("preview", voice)

    @display(description="Recording")
    def recording(self, voice: Voice) -> SafeString | str:
        if not voice.is_cloned or voice.state in ENDED:
            return "None"
        return _audio("recording", voice)

    @admin.action(description="Suspend: not spoken until lifted", permissions=["suspend"])
    def suspend(self, request: HttpRequest, voices: QuerySet[Voice]) -> None:
        change = partial(services.suspend_voice, reason="Suspended by the platform's staff.")
        self._change_all(request, voices.filter(state=Voice.State.ACTIVE), change, "Suspended.")

    @admin.action(description="Lift the suspension", permissions=["suspend"])
    def lift(self, request: HttpRequest, voices: QuerySet[Voice]) -> None:
        suspended = voices.filter(state=Voice.State.SUSPENDED)
        self._change_all(request, suspended, services.unsuspend_voice, "Suspension lifted.")

    @action(
        description="Suspend",
        permissions=["suspend"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Suspend this voice?",
            "description": "Nothing is spoken with it until that is lifted; a running answer is cut.",
            "form_class": SuspendForm,
            "form_submit_text": "Suspend voice",
        },
    )
    def suspend_this(self, request: HttpRequest, form: SuspendForm, object_id: str) -> HttpResponse:
        change = partial(services.suspend_voice, reason=form.cleaned_data["reason"])
        return self._change_one(request, object_id, change, f"Suspended: {form.cleaned_data['reason']}")

    @action(
        description="Lift suspension",
        permissions=["suspend"],
        dialog={
            "title": "Lift the suspension?",
            "description": "The voice can be spoken again at once.",
            "form_submit_text": "Lift suspension",
        },
    )
    def lift_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._change_one(request, object_id, services.unsuspend_voice, "Suspension lifted.")

    def _change_all(self, request: HttpRequest, voices: QuerySet[Voice], change: Any, words: str) -> None:
        chosen = list(voices)
        for voice in chosen:
            change(voice=voice)
            self.log_change(request, voice, words)
        self.message_user(request, f"{len(chosen)} changed. {words}", messages.SUCCESS)

    def _change_one(self, request: HttpRequest, voice_id: str, change: Any, words: str) -> HttpResponse:
        voice = get_object_or_404(Voice, pk=voice_id)
        try:
            change(voice=voice)
        except AppError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.log_change(request, voice, words)
            self.message_user(request, words, messages.SUCCESS)
        target = reverse("admin:voices_voice_change", args=[voice_id])
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": target})
        return HttpResponseRedirect(target)

    def _hear_preview(self, request: HttpRequest, voice_id: UUID) -> HttpResponseBase:
        voice = self._heard(request, voice_id)
        if not voice.preview_key:
            raise Http404
        return serving.answer(request, Linked(voice.preview_key, 0, "preview.mp3", "audio/mpeg", False))

    def _hear_recording(self, request: HttpRequest, voice_id: UUID) -> HttpResponseBase:
        voice = self._heard(request, voice_id)
        if not voice.is_cloned or voice.state in ENDED:
            raise Http404
        if "Range" not in request.headers:  # a player asks for the parts of one hearing one by one
            self.log_change(request, voice, "Listened to its recording.")
        return serving.answer(request, Linked(voice.reference_key, 0, "recording.wav", "audio/wav", False))

    def _heard(self, request: HttpRequest, voice_id: UUID) -> Voice:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Voice, pk=voice_id)


@admin.register(VoiceConsent)
class VoiceConsentAdmin(ReadOnlyAdmin):
    list_display = ["voice", "organization", "person_name", "via", "text_version", "given_at", "withdrawn_at"]
    list_filter = [
        "via",
        "text_version",
        ("organization", AutocompleteSelectFilter),
        ("given_at", RangeDateTimeFilter),
        ("withdrawn_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["voice", "organization"]
    search_fields = [
        "person_name",
        "person_email",
        "voice__name",
        "organization__name",
        "=reference_sha256",
        "=id",
    ]
    fields = [
        "voice",
        "organization",
        "person",
        "person_name",
        "person_email",
        "address",
        "via",
        "terms",
        "text_version",
        "text_sha256",
        "text",
        "reference_sha256",
        "given_at",
        "withdrawn_at",
        "withdrawn_by_name",
        "withdrawn_reason",
    ]
    readonly_fields = ["text"]

    @display(description="Statement")
    def text(self, consent: VoiceConsent) -> str:
        if consent.via == VoiceConsent.Via.COLLECTION:
            return "The campaign's own; it is among the consent texts of voice collection."
        return statements.text_of(consent.text_version)


@admin.register(CloningTerms)
class CloningTermsAdmin(ReadOnlyAdmin):
    list_display = ["organization", "person_name", "text_version", "given_at"]
    list_filter = ["text_version", ("organization", AutocompleteSelectFilter)]
    list_filter_submit = True
    list_select_related = ["organization"]
    search_fields = ["organization__name", "person_name", "person_email", "=id"]
    fields = [
        "organization",
        "person",
        "person_name",
        "person_email",
        "address",
        "text_version",
        "text_sha256",
        "text",
        "given_at",
    ]
    readonly_fields = ["text"]

    @display(description="Terms")
    def text(self, terms: CloningTerms) -> str:
        return statements.text_of(terms.text_version)


def _audio(kind: str, voice: Voice) -> SafeString:
    source = reverse(f"admin:voices_voice_{kind}", args=[voice.pk])
    return format_html('<audio controls preload="none" src="{}"></audio>', source)
