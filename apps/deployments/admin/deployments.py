"""Deployments for staff: what they cost beside what they do; actions call services, no secret is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from apps.core.errors import AppError
from apps.deployments import costs, services
from apps.deployments.admin.base import in_usd, staff_of
from apps.deployments.admin.workers import EventInline, WorkerInline
from apps.deployments.forms import HARDWARE_FIELDS, NewDeploymentForm
from apps.deployments.models import Deployment, Worker
from apps.deployments.services import SCALING_FIELDS
from apps.deployments.states import State

STATE_COLOURS = {
    State.READY.label: "success",
    State.ASLEEP.label: "info",
    State.REQUESTED.label: "info",
    State.PROVISIONING.label: "info",
    State.STARTING.label: "info",
    State.UPDATING.label: "info",
    State.DEGRADED.label: "warning",
    State.DRAINING.label: "warning",
    State.STOPPING.label: "warning",
    State.FAILED.label: "danger",
}


@admin.register(Deployment)
class DeploymentAdmin(ModelAdmin):
    list_display = [
        "name",
        "owner",
        "shown_state",
        "ready_workers",
        "per_hour",
        "month_to_date",
        "engine",
        "provider",
        "state_changed_at",
    ]
    list_filter = [
        "state",
        "provider",
        "engine",
        "stopped_by_budget",
        ("organization", admin.EmptyFieldListFilter),
    ]
    search_fields = ["name", "=id", "organization__name", "organization__slug"]
    list_select_related = ["organization"]
    list_fullwidth = True
    ordering = ["-id"]
    actions = ["stop", "start", "restart", "sleep", "pause", "remove"]
    form = NewDeploymentForm
    inlines = [WorkerInline, EventInline]
    autocomplete_fields = ["organization"]
    new_fields = ["organization", *NewDeploymentForm.Meta.fields]
    shown_fields = [
        "name",
        "id",
        "owner",
        "shown_state",
        "state_changed_at",
        "error_code",
        "error_message",
        "provider_failures",
        "provider_waits_until",
        "engine",
        "provider",
        "kind",
        "ready_workers",
        "desired_replicas",
        *SCALING_FIELDS,
        *HARDWARE_FIELDS,
        "price_per_hour",
        "per_hour",
        "month_to_date",
        "stopped_by_budget",
        "last_used_at",
        "start_seconds",
        "generation",
        "capabilities",
        "created_at",
        "deleted_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deployment]:
        ready = Count("workers", filter=Q(workers__state=Worker.State.READY))
        found: QuerySet[Deployment] = super().get_queryset(request).annotate(ready_count=ready)
        return found

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changes = super().get_changelist_instance(request)
        changes.result_list = costs.with_spending(changes.result_list)
        return changes

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        found = super().get_object(*args, **kwargs)
        return found and costs.with_spending([found])[0]

    def get_fields(self, request: HttpRequest, obj: Deployment | None = None) -> list[str]:
        return self.shown_fields if obj else self.new_fields

    def get_readonly_fields(self, request: HttpRequest, obj: Deployment | None = None) -> list[str]:
        return self.shown_fields if obj else []

    def get_inlines(self, request: HttpRequest, obj: Deployment | None) -> list[type[Any]]:
        return self.inlines if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Deployment | None = None) -> bool:
        return False  # usage refers to it: stop it instead

    def save_model(
        self, request: HttpRequest, obj: Deployment, form: NewDeploymentForm, change: bool
    ) -> None:
        if change:
            return  # nothing on that page is for changing
        made = services.create_deployment(
            organization=obj.organization,
            name=obj.name,
            engine=obj.engine,
            provider=obj.provider,
            kind=obj.kind,
            scaling=form.scaling,
            hardware=form.hardware,
            by=staff_of(request),
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    @display(description="Organization", ordering="organization__name")
    def owner(self, deployment: Deployment) -> str:
        return str(deployment.organization) if deployment.organization else "Shared by all"

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def shown_state(self, deployment: Deployment) -> str:
        return str(deployment.get_state_display())

    @display(description="Workers ready")
    def ready_workers(self, deployment: Any) -> str:
        return f"{deployment.ready_count} of {deployment.desired_replicas}"

    @display(description="Costs an hour")
    def per_hour(self, deployment: Any) -> str:
        return in_usd(deployment.spending.per_hour)

    @display(description="This month")
    def month_to_date(self, deployment: Any) -> str:
        return in_usd(deployment.spending.month_to_date, is_estimated=deployment.spending.is_estimated)

    @admin.action(
        description="Stop: finish what is being spoken, then end the workers", permissions=["change"]
    )
    def stop(self, request: HttpRequest, chosen: QuerySet[Deployment]) -> None:
        self._each(request, chosen, services.stop_deployment, "Stopping")

    @admin.action(description="Start: also what sleeps, or has failed", permissions=["change"])
    def start(self, request: HttpRequest, chosen: QuerySet[Deployment]) -> None:
        self._each(request, chosen, services.start_deployment, "Starting")

    @admin.action(description="Restart: replace every worker", permissions=["change"])
    def restart(self, request: HttpRequest, chosen: QuerySet[Deployment]) -> None:
        self._each(request, chosen, services.restart_deployment, "Restarting")

    @admin.action(
        description="Sleep: finish what is being spoken, then run nothing until a request wakes it",
        permissions=["change"],
    )
    def sleep(self, request: HttpRequest, chosen: QuerySet[Deployment]) -> None:
        self._each(request, chosen, services.sleep_deployment, "Putting to sleep")

    @admin.action(
        description="Pause: run nothing until it is started again, whoever asks", permissions=["change"]
    )
    def pause(self, request: HttpRequest, chosen: QuerySet[Deployment]) -> None:
        self._each(request, chosen, services.pause_deployment, "Pausing")

    @admin.action(description="Delete: stop, and free the name", permissions=["change"])
    def remove(self, request: HttpRequest, chosen: QuerySet[Deployment]) -> None:
        self._each(request, chosen, services.delete_deployment, "Deleting")

    def _each(
        self, request: HttpRequest, chosen: QuerySet[Deployment], service: Callable[..., None], doing: str
    ) -> None:
        """Each by itself: what one may not do holds no other back."""
        for deployment in chosen:
            try:
                service(deployment, by=staff_of(request))
            except AppError as error:
                self.message_user(request, f"{deployment}: {error.message}", messages.ERROR)
            else:
                self.log_change(request, deployment, f"{doing}.")
                self.message_user(request, f"{doing} {deployment}.", messages.SUCCESS)
