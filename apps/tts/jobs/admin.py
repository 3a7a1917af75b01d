"""Jobs for staff: how far they are, why they wait or failed; cancelled where they must be.

Neither text nor audio is shown: what was said is its organization's own.
"""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.paginator import InfinitePaginator

from apps.accounts.admin import ReadOnlyAdmin
from apps.core.errors import Conflict
from apps.tts.jobs import services
from apps.tts.jobs.models import JobPart, SpeechJob

LABELS = {
    "Queued": "info",
    "Running": "info",
    "Completed": "success",
    "Failed": "danger",
    "Cancelled": "warning",
}


class PartInline(TabularInline):
    model = JobPart
    fields = ["number", "state", "start", "stop", "characters_charged", "attempts", "record_id"]
    readonly_fields = fields
    extra = 0
    per_page = 50
    tab = True
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(SpeechJob)
class SpeechJobAdmin(ReadOnlyAdmin):
    list_display = [
        "created_at",
        "shown_state",
        "organization",
        "voice",
        "format",
        "characters",
        "done",
        "audio_minutes",
        "waits_for",
        "error_code",
        "id",
    ]
    list_filter = [
        "state",
        "mode",
        ("organization", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["organization"]
    list_fullwidth = True
    show_full_result_count = False
    paginator = InfinitePaginator
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["=id", "organization__name", "organization__slug"]
    search_help_text = "The whole id, or the organization"
    ordering = ["-id"]
    inlines = [PartInline]
    actions = ["cancel"]
    actions_detail = ["cancel_this"]
    fieldsets = [
        (
            None,
            {"fields": ["shown_state", "waits_for", "waiting_since", "error_code", "error_message", "id"]},
        ),
        ("Who", {"fields": ["organization", "key", "created_by", "mode"]}),
        ("What", {"fields": ["model", "voice", "format", "options", "characters", "audio_minutes"]}),
        (
            "How far",
            {"fields": ["done", "characters_charged", "parts_done", "parts_total", "tries", "not_before"]},
        ),
        (
            "When",
            {"fields": ["created_at", "turn_at", "started_at", "ended_at", "expires_at", "text_erased_at"]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpeechJob]:
        jobs: QuerySet[SpeechJob] = super().get_queryset(request).filter(deleted_at=None)
        return jobs

    def has_cancel_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("tts.change_speechjob")

    @display(description="State", ordering="state", label=LABELS)
    def shown_state(self, job: SpeechJob) -> str:
        return str(job.get_state_display())

    @display(description="Done")
    def done(self, job: SpeechJob) -> str:
        return f"{100 * job.progress:.0f} %"

    @display(description="Audio")
    def audio_minutes(self, job: SpeechJob) -> str:
        return f"{job.audio_ms / 60_000:.1f} min"

    @admin.action(description="Cancel: end them within seconds", permissions=["cancel"])
    def cancel(self, request: HttpRequest, jobs: QuerySet[SpeechJob]) -> None:
        active = [job for job in jobs if job.is_active]
        for job in active:
            self._cancel(request, job)
        self.message_user(request, f"{len(active)} cancelled.", messages.SUCCESS)

    @action(
        description="Cancel job",
        permissions=["cancel"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Cancel this job?",
            "description": "It ends within seconds. What was made of it is charged and thrown away.",
            "form_submit_text": "Cancel job",
        },
    )
    def cancel_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        job = SpeechJob.objects.get(pk=object_id)
        try:
            self._cancel(request, job)
        except Conflict as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.message_user(request, "The job is cancelled.", messages.SUCCESS)
        target = reverse("admin:tts_speechjob_change", args=[object_id])
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": target})
        return HttpResponseRedirect(target)

    def _cancel(self, request: HttpRequest, job: SpeechJob) -> None:
        services.cancel_job(job=job)
        self.log_change(request, job, "Cancelled.")
