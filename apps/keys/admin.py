"""API keys for staff: found, looked at, revoked. They are made in the console, which shows a secret once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from apps.keys import services
from apps.keys.models import ApiKey
from apps.keys.restrictions import NAMES

LABELS = {"Active": "success", "Rotating": "info", "Expired": "warning", "Revoked": "danger"}


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in ApiKey.State.choices]

    def queryset(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        alive = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
        conditions = {
            ApiKey.State.ACTIVE: alive & Q(rotated_to=None),
            ApiKey.State.ROTATING: alive & Q(rotated_to__isnull=False),
            ApiKey.State.EXPIRED: Q(revoked_at=None, expires_at__lte=timezone.now()),
            ApiKey.State.REVOKED: Q(revoked_at__isnull=False),
        }
        chosen = self.value()
        return keys.filter(conditions[ApiKey.State(chosen)]) if chosen in ApiKey.State.values else keys


class ScopeFilter(admin.SimpleListFilter):
    title = "scope"
    parameter_name = "scope"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in ApiKey.Scope.choices]

    def queryset(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        return keys.filter(scopes__contains=[self.value()]) if self.value() else keys


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    list_display = [
        "masked_key",
        "name",
        "organization",
        "mode",
        "scope_words",
        "shown_state",
        "last_used_at",
        "expires_at",
        "created_at",
    ]
    list_filter = [
        StateFilter,
        "mode",
        ScopeFilter,
        ("organization", AutocompleteSelectFilter),
        ("last_used_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["organization"]
    search_fields = [
        "prefix__startswith",
        "=last4",
        "name",
        "organization__name",
        "organization__slug",
        "=id",
    ]
    search_help_text = "Beginning of the key, its last four characters, its name, or the organization"
    ordering = ["-id"]
    actions = ["revoke"]
    actions_detail = ["revoke_this"]
    # Everything but hash and pepper.
    fieldsets = [
        (None, {"fields": ["masked_key", "name", "organization", "mode", "scope_words", "shown_state"]}),
        ("Restrictions", {"fields": list(NAMES)}),
        (
            "Life",
            {
                "fields": [
                    "expires_at",
                    "revoked_at",
                    "rotated_to",
                    "last_used_at",
                    "created_by",
                    "created_at",
                    "id",
                ]
            },
        ),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # its secret would be lost

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False  # revoke instead: usage names it

    def has_revoke_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("keys.change_apikey")

    @display(description="Key", ordering="prefix")
    def masked_key(self, key: ApiKey) -> str:
        return key.masked

    @display(description="Scopes")
    def scope_words(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description="State", ordering=F("revoked_at").asc(nulls_first=True), label=LABELS)
    def shown_state(self, key: ApiKey) -> str:
        return str(key.state.label)

    @admin.action(description="Revoke: end them at once, for good", permissions=["revoke"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        usable = [key for key in keys if key.revoked_at is None]
        for key in usable:
            self._revoke(request, key)
        self.message_user(request, f"{len(usable)} revoked.", messages.SUCCESS)

    @action(
        description="Revoke",
        permissions=["revoke"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Revoke this key?",
            "description": "Whatever uses it is refused at once. This cannot be undone.",
            "form_submit_text": "Revoke key",
        },
    )
    def revoke_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        key = ApiKey.objects.get(pk=object_id)
        self._revoke(request, key)
        self.message_user(request, f"{key} is revoked.", messages.SUCCESS)
        target = reverse("admin:keys_apikey_change", args=[object_id])
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": target})
        return HttpResponseRedirect(target)

    def _revoke(self, request: HttpRequest, key: ApiKey) -> None:
        services.revoke_key(key=key, by=request.user)  # type: ignore[arg-type]
        self.log_change(request, key, "Revoked.")
