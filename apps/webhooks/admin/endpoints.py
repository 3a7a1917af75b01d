"""Endpoints for staff: how they do, and what is done about it. No secret and no header's value is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import CharField, Min, Q, QuerySet
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from apps.accounts.admin import ReadOnlyAdmin
from apps.core.errors import AppError
from apps.core.ids import uuid7_time
from apps.webhooks import listing, recovery, services, words
from apps.webhooks.models import Delivery, Endpoint

LABELS = {"Enabled": "success", "Failing": "warning", "Disabled": "danger", "Deleted": "info"}
DELETED = "deleted"


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((str(value), str(label)) for value, label in Endpoint.State.choices), (DELETED, "Deleted")]

    def queryset(self, request: HttpRequest, endpoints: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
        kept = Q(deleted_at=None)
        conditions: dict[str | None, Q] = {
            Endpoint.State.ENABLED: kept & Q(disabled_at=None, failing_since=None),
            Endpoint.State.FAILING: kept & Q(disabled_at=None, failing_since__isnull=False),
            Endpoint.State.DISABLED: kept & Q(disabled_at__isnull=False),
            DELETED: Q(deleted_at__isnull=False),
        }
        condition = conditions.get(self.value())
        return endpoints if condition is None else endpoints.filter(condition)


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "organization",
        "shown_state",
        "why",
        "failing_since",
        "last_day",
        "oldest_waiting",
        "last_success_at",
        "where",
    ]
    list_filter = [StateFilter, "disabled_because", ("organization", AutocompleteSelectFilter)]
    list_filter_submit = True
    list_select_related = ["organization"]
    list_fullwidth = True
    search_fields = ["url", "description", "organization__name", "organization__slug", "=id"]
    search_help_text = "A part of its URL or description, or the organization"
    ordering = ["-id"]
    actions = ["disable", "enable", "recover_day", "recover_days"]
    # Everything but secrets, and what its own headers hold.
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "url",
                    "description",
                    "organization",
                    "wanted",
                    "header_names",
                    "rate_limit_per_minute",
                    "created_by",
                    "created_at",
                    "id",
                ]
            },
        ),
        (
            "Health",
            {
                "fields": [
                    "shown_state",
                    "why",
                    "disabled_at",
                    "failing_since",
                    "last_success_at",
                    "last_day",
                    "oldest_waiting",
                    "slow_until",
                    "mail_due",
                    "deleted_at",
                    "log",
                ]
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        return super().get_queryset(request).defer("headers")  # type: ignore[no-any-return]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changes = super().get_changelist_instance(request)
        changes.result_list = with_health(list(changes.result_list))
        return changes

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        found = super().get_object(*args, **kwargs)
        return found and with_health([found])[0]

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_endpoint")

    @display(description="Endpoint", ordering="-id")
    def name(self, endpoint: Endpoint) -> str:
        return words.name_of(endpoint)

    @display(description="Host")
    def where(self, endpoint: Endpoint) -> str:
        return endpoint.host

    @display(description="State", label=LABELS)
    def shown_state(self, endpoint: Endpoint) -> str:
        return "Deleted" if endpoint.deleted_at else str(endpoint.state.label)

    @display(description="Disabled because")
    def why(self, endpoint: Endpoint) -> str:
        return str(endpoint.get_disabled_because_display()) or "–"

    @display(description="Events")
    def wanted(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.events) or "Every event"

    @display(description="Its own headers")
    def header_names(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.own_headers) or "None"

    @display(description="Delivered, failed, waiting (24 h)")
    def last_day(self, endpoint: Any) -> str:
        tally: listing.Tally = endpoint.tally
        return f"{tally.delivered:,} / {tally.failed:,} / {tally.waiting:,}"

    @display(description="Oldest waiting")
    def oldest_waiting(self, endpoint: Any) -> str:
        return timesince(endpoint.waits_since) if endpoint.waits_since else "–"

    @display(description="Log")
    def log(self, endpoint: Endpoint) -> str:
        url = reverse("admin:webhooks_delivery_changelist")
        link = '<a class="text-primary-600 dark:text-primary-500" href="{}?endpoint__id__exact={}">{}</a>'
        return format_html(link, url, endpoint.pk, "Its deliveries")

    @admin.action(description="Disable: send nothing there until it is enabled again", permissions=["act"])
    def disable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        def act(endpoint: Endpoint) -> str:
            services.disable_endpoint(endpoint=endpoint, because=Endpoint.Disabled.BY_STAFF)
            return "Disabled"

        self._each(request, chosen, act)

    @admin.action(description="Enable: what waited goes out at once", permissions=["act"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        def act(endpoint: Endpoint) -> str:
            services.enable_endpoint(endpoint=endpoint)
            return "Enabled"

        self._each(request, chosen, act)

    @admin.action(description="Send again what failed in the last 24 hours", permissions=["act"])
    def recover_day(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        self._each(request, chosen, _recover(timedelta(days=1)))

    @admin.action(description="Send again what failed in the last 5 days", permissions=["act"])
    def recover_days(self, request: HttpRequest, chosen: QuerySet[Endpoint]) -> None:
        self._each(request, chosen, _recover(timedelta(days=5)))

    def _each(self, request: HttpRequest, chosen: QuerySet[Endpoint], act: Callable[[Endpoint], str]) -> None:
        """Each by itself: what one may not do holds no other back."""
        for endpoint in chosen:
            name = words.name_of(endpoint)
            try:
                done = act(endpoint)
            except AppError as error:
                self.message_user(request, f"{name}: {error.message}", messages.ERROR)
            else:
                self.log_change(request, endpoint, f"{done}.")
                self.message_user(request, f"{name}: {done}.", messages.SUCCESS)


def _recover(reach: timedelta) -> Callable[[Endpoint], str]:
    def act(endpoint: Endpoint) -> str:
        return f"{recovery.recover(endpoint, since=timezone.now() - reach):,} sent again"

    return act


def with_health(endpoints: list[Any]) -> list[Any]:
    """Each with `tally` and `waits_since`, in two queries."""
    tallies = listing.tallies(endpoints)
    oldest = _oldest_waiting([endpoint.pk for endpoint in endpoints])
    for endpoint in endpoints:
        endpoint.tally = tallies[endpoint.pk]
        endpoint.waits_since = uuid7_time(oldest[endpoint.pk]) if endpoint.pk in oldest else None
    return endpoints


def _oldest_waiting(endpoint_ids: list[UUID]) -> dict[UUID, UUID]:
    """As text, whose order is that of the ids: older PostgreSQL has no least UUID. Reads only what waits."""
    waiting = Delivery.objects.filter(state=Delivery.State.PENDING, endpoint__in=endpoint_ids)
    rows = waiting.values("endpoint_id").annotate(oldest=Min(Cast("id", CharField()))).order_by()
    return {row["endpoint_id"]: UUID(row["oldest"]) for row in rows}
