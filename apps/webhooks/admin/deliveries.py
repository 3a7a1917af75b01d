"""Deliveries for staff: read, sent again, cancelled. What receivers answered is text, and shown as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.accounts.admin import ReadOnlyAdmin
from apps.core.admin_filters import StartedFilter
from apps.core.errors import AppError
from apps.webhooks import listing, recovery, words
from apps.webhooks.models import Delivery

LABELS = {
    "Waiting": "info",
    "Being sent": "info",
    "Delivered": "success",
    "Failed": "danger",
    "Cancelled": "warning",
}


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The log. The table is never counted, and without a search only the last week is read."""

    list_display = [
        "happened",
        "event_type",
        "shown_state",
        "organization",
        "where",
        "attempts",
        "last_status",
        "problem",
        "due_at",
        "id",
    ]
    list_filter = [
        ("id", StartedFilter),
        "state",
        ("organization", AutocompleteSelectFilter),
        ("endpoint", AutocompleteSelectFilter),
    ]
    list_filter_submit = True
    list_select_related = ["organization", "endpoint"]
    list_per_page = 50
    list_fullwidth = True
    show_full_result_count = False
    paginator = InfinitePaginator
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["event_type", "=id"]
    search_help_text = "An event's name, its evt_… id, or a delivery's id"
    ordering = ["-id"]
    sortable_by: list[str] = []  # any other order reads the whole table
    actions = ["resend", "cancel"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "event_type",
                    "shown_state",
                    "organization",
                    "endpoint",
                    "happened",
                    "attempts",
                    "last_status",
                    "problem",
                    "due_at",
                    "message_id",
                    "id",
                ]
            },
        ),
        ("Log", {"fields": ["log"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (_found(queryset, search_term.strip()) if search_term else queryset), False

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_delivery")

    @display(description="Happened (UTC)")
    def happened(self, delivery: Delivery) -> str:
        return f"{delivery.created_at:%Y-%m-%d %H:%M:%S}"

    @display(description="State", label=LABELS)
    def shown_state(self, delivery: Delivery) -> str:
        return str(delivery.get_state_display())

    @display(description="Endpoint")
    def where(self, delivery: Delivery) -> str:
        return words.name_of(delivery.endpoint)

    @display(description="Problem")
    def problem(self, delivery: Delivery) -> str:
        return words.problem(delivery.last_problem) or "–"

    @display(description="webhook-id")
    def message_id(self, delivery: Delivery) -> str:
        return delivery.event.message_id

    @display(description="Body and attempts")
    def log(self, delivery: Delivery) -> str:
        values = {"body": delivery.event.body, "attempts": listing.attempts(delivery)}
        return render_to_string("admin/webhooks/log.html", values)

    @admin.action(description="Send again: at once, and by the whole schedule", permissions=["act"])
    def resend(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        self._each(request, chosen, recovery.resend, "sent again")

    @admin.action(description="Cancel: attempt it no more", permissions=["act"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        self._each(request, chosen, recovery.cancel, "cancelled")

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[Delivery],
        service: Callable[[Delivery], None],
        done: str,
    ) -> None:
        """Each by itself; what was done is told in one line, what was refused in one a row."""
        count = 0
        for delivery in chosen:
            try:
                service(delivery)
            except AppError as error:
                self.message_user(request, f"{delivery.pk}: {error.message}", messages.ERROR)
            else:
                count += 1
                self.log_change(request, delivery, f"{done.capitalize()}.")
        if count:
            self.message_user(request, f"{count:,} {done}.", messages.SUCCESS)


def _found(deliveries: QuerySet[Any], term: str) -> QuerySet[Any]:
    """By an id or a whole name: nothing else has an index, or bounds that partitions can serve."""
    hexadecimal = term.removeprefix("evt_").replace("-", "")
    if len(hexadecimal) != 32 or not all(digit in "0123456789abcdef" for digit in hexadecimal.lower()):
        return deliveries.filter(event_type=term)
    return deliveries.filter(event_id=hexadecimal) | deliveries.filter(pk=hexadecimal)
