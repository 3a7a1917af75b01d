"""Idempotency keys for staff: which there are and what became of them; never the answers."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from apps.accounts.admin import ReadOnlyAdmin
from apps.tts.idempotency.models import IdempotentAnswer

STATE_LABELS = {"Running": "info", "Done": "success", "Too large": "warning", "Lost": "danger"}


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(ReadOnlyAdmin):
    list_display = [
        "idempotency_key",
        "shown_state",
        "organization",
        "api_key",
        "size_bytes",
        "created_at",
        "expires_at",
    ]
    list_filter = ["state", ("organization", AutocompleteSelectFilter)]
    list_filter_submit = True
    list_select_related = ["organization", "api_key"]
    search_fields = ["=idempotency_key"]
    search_help_text = "The whole idempotency key"
    ordering = ["-id"]
    fields = [
        "idempotency_key",
        "shown_state",
        "organization",
        "api_key",
        "status",
        "size_bytes",
        "owner_id",
        "created_at",
        "expires_at",
        "id",
    ]

    @display(description="State", label=STATE_LABELS)
    def shown_state(self, answer: IdempotentAnswer) -> str:
        return str(answer.get_state_display())
