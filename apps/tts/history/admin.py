"""What histories hold, for staff: which requests are kept, how much and how long.

What was said is its organization's own: staff see neither text nor audio here. Who needs them for a case is
given them by a member, who has both on the History page.
"""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.accounts.admin import ReadOnlyAdmin
from apps.tts.history.models import HistoryItem


@admin.register(HistoryItem)
class HistoryItemAdmin(ReadOnlyAdmin):
    list_display = [
        "kept",
        "organization",
        "surface",
        "mode",
        "model",
        "voice",
        "characters",
        "audio_seconds",
        "size_bytes",
        "expires_at",
        "request_id",
    ]
    list_filter = ["mode", "surface", ("organization", AutocompleteSelectFilter)]
    list_filter_submit = True
    list_select_related = ["organization"]
    show_full_result_count = False
    paginator = InfinitePaginator
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["=request_id"]
    search_help_text = "The whole request id"
    ordering = ["-id"]
    sortable_by: list[str] = []
    fieldsets = [
        (None, {"fields": ["request_id", "organization", "key", "mode", "surface", "id"]}),
        ("What", {"fields": ["model", "voice", "format", "characters", "audio_seconds", "size_bytes"]}),
        ("How long", {"fields": ["kept", "expires_at"]}),
    ]

    @display(description="Kept since (UTC)")
    def kept(self, item: HistoryItem) -> str:
        return f"{item.created_at:%Y-%m-%d %H:%M:%S}"

    @display(description="Audio")
    def audio_seconds(self, item: HistoryItem) -> str:
        return f"{item.audio_ms / 1000:.2f} s"
