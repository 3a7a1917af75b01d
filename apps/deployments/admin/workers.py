"""Workers and timelines are only read; no token is shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from apps.accounts.admin import ReadOnlyAdmin
from apps.deployments.models import DeploymentEvent, Worker

WORKER_COLOURS = {
    Worker.State.READY.label: "success",
    Worker.State.STARTING.label: "info",
    Worker.State.DRAINING.label: "warning",
    Worker.State.UNREACHABLE.label: "warning",
    Worker.State.INCOMPATIBLE.label: "danger",
    Worker.State.LOST.label: "danger",
}


class _ReadOnlyInline(TabularInline):
    """Rows that only the platform writes."""

    per_page = 25

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EventInline(_ReadOnlyInline):
    model = DeploymentEvent
    verbose_name_plural = "Timeline"
    fields = ["created_at", "from_state", "to_state", "reason", "actor", "key_prefix"]
    readonly_fields = fields
    ordering = ["-id"]


class WorkerInline(_ReadOnlyInline):
    model = Worker
    fields = ["provider_id", "state", "message", "url", "in_flight", "last_seen_at"]
    readonly_fields = fields
    ordering = ["-id"]


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ["provider_id", "deployment", "shown_state", "in_flight", "url", "last_seen_at", "message"]
    list_filter = ["state", "deployment__engine", "deployment__provider"]
    search_fields = ["provider_id", "=id", "deployment__name"]
    list_select_related = ["deployment"]
    ordering = ["-id"]
    sortable_by = ["provider_id", "deployment", "shown_state", "in_flight", "last_seen_at"]
    fields = [*list_display, "capabilities", "generation", "created_at"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        found: QuerySet[Worker] = super().get_queryset(request).defer("token")
        return found

    @display(description="State", ordering="state", label=WORKER_COLOURS)
    def shown_state(self, worker: Worker) -> str:
        return str(worker.get_state_display())


@admin.register(DeploymentEvent)
class DeploymentEventAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "deployment", "from_state", "to_state", "reason", "actor", "key_prefix"]
    list_filter = ["to_state"]
    search_fields = ["deployment__name", "=deployment__id", "reason"]
    list_select_related = ["deployment", "actor"]
    ordering = ["-id"]
