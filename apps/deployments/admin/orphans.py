"""What runs at providers without a deployment here: seen, and ended at once where staff say so."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from apps.accounts.admin import ReadOnlyAdmin
from apps.core.errors import AppError
from apps.deployments import orphans
from apps.deployments.models import Orphan
from apps.deployments.providers.base import ProviderError


@admin.register(Orphan)
class OrphanAdmin(ReadOnlyAdmin):
    list_display = ["provider_id", "provider", "shown_state", "created_at", "seen_at", "removed_at"]
    list_filter = ["provider", ("removed_at", admin.EmptyFieldListFilter)]
    search_fields = ["=provider_id"]
    ordering = ["-id"]
    fields = list_display
    actions = ["remove_now"]

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("deployments.change_orphan")

    @display(description="State", ordering="removed_at", label={"Running": "warning", "Removed": "success"})
    def shown_state(self, orphan: Orphan) -> str:
        return "Removed" if orphan.removed_at else "Running"

    @admin.action(description="Remove now: end it at its provider, without waiting", permissions=["remove"])
    def remove_now(self, request: HttpRequest, chosen: QuerySet[Orphan]) -> None:
        for orphan in chosen:
            try:
                orphans.remove_now(orphan)
            except (AppError, ProviderError) as error:
                self.message_user(request, f"{orphan}: {error.message}", messages.ERROR)
            else:
                self.log_change(request, orphan, "Removed at its provider.")
                self.message_user(request, f"Removed {orphan}.", messages.SUCCESS)
