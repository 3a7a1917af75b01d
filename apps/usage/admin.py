"""Requests, the processes that serve them, limits and what came of them, for staff."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.validators import MinValueValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.accounts.admin import ReadOnlyAdmin
from apps.core.admin_filters import StartedFilter
from apps.keys.forms import LinesField
from apps.keys.restrictions import clean_ips, clean_voices
from apps.usage import services
from apps.usage.models import OrganizationLimits, SpeechProcess, UsageNotice, UsageRecord
from apps.usage.reconciler import SILENT_AFTER

STATE_LABELS = {"Open": "info", "OK": "success", "Failed": "danger", "Cut": "danger", "Cancelled": "warning"}


@admin.register(UsageRecord)
class UsageRecordAdmin(ReadOnlyAdmin):
    """Every request. The table is never counted, and without a search only the last week is read."""

    list_display = [
        "started",
        "shown_state",
        "organization",
        "key_shown",
        "surface",
        "voice",
        "characters",
        "audio_seconds",
        "first_audio_ms",
        "whole_ms",
        "error_code",
        "request_id",
    ]
    list_filter = [
        ("id", StartedFilter),
        "state",
        "mode",
        "surface",
        ("organization", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    list_select_related = ["organization", "key"]
    list_per_page = 50
    list_fullwidth = True
    show_full_result_count = False
    paginator = InfinitePaginator
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["=request_id"]
    search_help_text = "The whole request id"
    ordering = ["-id"]
    sortable_by: list[str] = []  # any other order reads the whole table
    fieldsets = [
        (None, {"fields": ["request_id", "shown_state", "error_code", "started", "closed_at", "id"]}),
        ("Who", {"fields": ["organization", "key_shown", "mode", "surface"]}),
        (
            "What",
            {
                "fields": [
                    "model",
                    "voice",
                    "characters",
                    "characters_charged",
                    "characters_credited",
                    "credited_to",
                    "audio_ms",
                ]
            },
        ),
        ("Where and how fast", {"fields": ["deployment", "owner_id", "ttfb_ms", "total_ms", "engine_ms"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # Django's own would compare without regard to case, which no index serves.
        return (queryset.filter(request_id=search_term.strip()) if search_term else queryset), False

    @display(description="Started (UTC)")
    def started(self, record: UsageRecord) -> str:
        return f"{record.started_at:%Y-%m-%d %H:%M:%S}"

    @display(description="State", label=STATE_LABELS)
    def shown_state(self, record: UsageRecord) -> str:
        return str(record.get_state_display())

    @display(description="Key")
    def key_shown(self, record: UsageRecord) -> str:
        return record.key.masked if record.key else "playground"

    @display(description="Audio")
    def audio_seconds(self, record: UsageRecord) -> str:
        return f"{record.audio_ms / 1000:.2f} s"

    @display(description="First audio")
    def first_audio_ms(self, record: UsageRecord) -> str:
        return "–" if record.ttfb_ms is None else f"{record.ttfb_ms:.0f} ms"

    @display(description="Whole")
    def whole_ms(self, record: UsageRecord) -> str:
        return "–" if record.total_ms is None else f"{record.total_ms:.0f} ms"


@admin.register(SpeechProcess)
class SpeechProcessAdmin(ReadOnlyAdmin):
    """Processes that admit and settle requests."""

    list_display = ["__str__", "shown_life", "open_requests", "started_at", "heartbeat_at", "id"]
    search_fields = ["hostname", "=id"]
    ordering = ["-heartbeat_at"]
    fields = ["id", "hostname", "pid", "shown_life", "open_requests", "started_at", "heartbeat_at"]
    readonly_fields = fields

    @display(description="Life", label={"Alive": "success", "Silent": "danger"})
    def shown_life(self, process: SpeechProcess) -> str:
        return "Alive" if process.heartbeat_at >= timezone.now() - SILENT_AFTER else "Silent"

    @display(description="Open requests")
    def open_requests(self, process: SpeechProcess) -> int:
        # A handful of processes, each answered from the small index of open rows.
        return UsageRecord.objects.filter(owner_id=process.id, state=UsageRecord.State.OPEN).count()


LIMITS = ("requests_per_minute", "concurrent_requests", "characters_per_request", "characters_per_month")
LISTS = ("allowed_voices", "allowed_ips")


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]
    allowed_voices = LinesField(
        clean_list=clean_voices,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Names or ids, one a line; also for test keys. Empty: every voice.",
    )
    allowed_ips = LinesField(
        label="Allowed addresses",
        clean_list=clean_ips,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Where its keys may be used from, one address or network a line. Empty: anywhere.",
    )

    class Meta:
        model = OrganizationLimits
        fields = ["organization", *LIMITS, *LISTS, "may_use_shared_pool"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in LIMITS:
            if name in self.fields:
                platform = getattr(settings, f"LIMIT_{name.upper()}")
                words = f"which is {platform:,}" if platform else "which is none"
                self.fields[name].help_text = f"Empty: the platform's, {words}."
                self.fields[name].validators.append(MinValueValidator(1))


@admin.register(OrganizationLimits)
class OrganizationLimitsAdmin(ModelAdmin):
    form = LimitsForm
    list_display = [
        "organization",
        *LIMITS,
        "may_use_shared_pool",
        "updated_at",
    ]
    search_fields = ["organization__name", "organization__slug"]
    list_select_related = ["organization"]
    autocomplete_fields = ["organization"]
    ordering = ["organization__name"]

    def get_readonly_fields(self, request: HttpRequest, obj: OrganizationLimits | None = None) -> list[str]:
        return ["organization"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: OrganizationLimits | None = None) -> bool:
        return False  # emptied fields mean the platform's limits

    def save_model(self, request: HttpRequest, obj: OrganizationLimits, form: Any, change: bool) -> None:
        saved = services.set_limits(
            organization=obj.organization,
            may_use_shared_pool=obj.may_use_shared_pool,
            **{name: getattr(obj, name) for name in (*LIMITS, *LISTS)},
        )
        obj.pk = saved.pk


@admin.register(UsageNotice)
class UsageNoticeAdmin(ReadOnlyAdmin):
    """Limits of a month that were nearly or wholly used, and whether somebody was told by mail."""

    list_display = [
        "created_at",
        "organization",
        "whose",
        "shown_month",
        "shown_threshold",
        "characters_used",
        "characters_limit",
        "mailed_at",
    ]
    list_filter = ["threshold", "month", ("organization", AutocompleteSelectFilter)]
    list_filter_submit = True
    list_select_related = ["organization", "key"]
    search_fields = ["organization__name", "key__name", "=key__prefix"]
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["organization", "whose", "shown_month", "shown_threshold"]}),
        ("Characters", {"fields": ["characters_used", "characters_limit"]}),
        ("Told", {"fields": ["created_at", "wants_mail", "mailed_at"]}),
    ]

    @display(description="Limit of")
    def whose(self, notice: UsageNotice) -> str:
        return str(notice.key) if notice.key else "live requests"

    @display(description="Month")
    def shown_month(self, notice: UsageNotice) -> str:
        return f"{notice.month:%B %Y}"

    @display(description="Share", label={"80 %": "warning", "100 %": "danger"})
    def shown_threshold(self, notice: UsageNotice) -> str:
        return str(notice.get_threshold_display())
