"""What campaigns have people read: consent texts, published by version and never edited, and sentences."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from apps.accounts.admin import ReadOnlyAdmin
from apps.contributions import consenting
from apps.contributions.admin.base import ReadOnlyInline, do_each, staff_of
from apps.contributions.admin.campaign_forms import ConsentTextForm
from apps.contributions.models import Clip, ConsentText, Prompt, PromptReport

WANTED = {"Wanted": "success", "Not wanted": "info"}


@admin.register(ConsentText)
class ConsentTextAdmin(ModelAdmin):
    form = ConsentTextForm
    list_display = ["campaign", "purpose", "locale", "version", "created_at", "agreed"]
    list_filter = [("campaign", AutocompleteSelectFilter), "purpose", "locale"]
    list_filter_submit = True
    list_select_related = ["campaign"]
    search_fields = ["campaign__name", "locale", "=sha256"]
    ordering = ["-id"]
    autocomplete_fields = ["campaign"]
    new_fields = ["campaign", "purpose", "locale", "text"]
    fields = [*new_fields, "version", "sha256", "created_at", "agreed"]
    readonly_fields = ["version", "sha256", "created_at", "agreed"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentText]:
        found: QuerySet[ConsentText] = super().get_queryset(request)
        return found.annotate(records_count=Count("records"))

    def get_fields(self, request: HttpRequest, obj: ConsentText | None = None) -> list[str]:
        return self.fields if obj else self.new_fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # people agreed to the very words: another text is another version

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ConsentText, form: Any, change: bool) -> None:
        """The same text again is the version that there is."""
        made = consenting.publish_text(
            campaign=obj.campaign, purpose=obj.purpose, locale=obj.locale, text=obj.text
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    @display(description="Agreed to")
    def agreed(self, text: Any) -> str:
        return f"{text.records_count:,} times"


class ReportInline(ReadOnlyInline):
    model = PromptReport
    fields = readonly_fields = ["contributor", "reason", "created_at", "resolved_by"]
    verbose_name_plural = "reports"


class ReportedFilter(admin.SimpleListFilter):
    title = "reports"
    parameter_name = "reported"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Nobody looked at"), ("any", "Any")]

    def queryset(self, request: HttpRequest, prompts: QuerySet[Any]) -> QuerySet[Any]:
        reports = PromptReport.objects.exclude(reason=PromptReport.Reason.SKIPPED)
        if self.value() == "open":
            reports = reports.filter(resolved_by=None)
        return prompts.filter(pk__in=reports.values("prompt")) if self.value() else prompts


@admin.register(Prompt)
class PromptAdmin(ReadOnlyAdmin):
    list_display = ["number", "text", "campaign", "wanted", "accepted", "reported"]
    list_filter = [("campaign", AutocompleteSelectFilter), "is_wanted", ReportedFilter]
    list_filter_submit = True
    list_select_related = ["campaign"]
    search_fields = ["text", "campaign__name", "=id"]
    ordering = ["campaign", "number"]
    fields = ["campaign", "number", "text", "wanted", "accepted", "reported"]
    inlines = [ReportInline]
    actions = ["drop", "want", "resolve"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prompt]:
        found: QuerySet[Prompt] = super().get_queryset(request)
        serious = Q(reports__resolved_by=None) & ~Q(reports__reason=PromptReport.Reason.SKIPPED)
        return found.annotate(
            accepted_count=Count("clips", filter=Q(clips__state=Clip.State.ACCEPTED), distinct=True),
            reported_count=Count("reports", filter=serious, distinct=True),
        )

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("contributions.change_prompt")

    @display(description="State", ordering="is_wanted", label=WANTED)
    def wanted(self, prompt: Prompt) -> str:
        return "Wanted" if prompt.is_wanted else "Not wanted"

    @display(description="Accepted", ordering="accepted_count")
    def accepted(self, prompt: Any) -> str:
        return f"{prompt.accepted_count} of {prompt.campaign.clips_per_prompt}"

    @display(description="Open reports", ordering="reported_count")
    def reported(self, prompt: Any) -> int:
        return int(prompt.reported_count)

    @admin.action(description="Want it no more: nobody is asked to read it", permissions=["act"])
    def drop(self, request: HttpRequest, chosen: QuerySet[Prompt]) -> None:
        do_each(self, request, chosen, _want(False), "No longer wanted.")

    @admin.action(description="Want it again", permissions=["act"])
    def want(self, request: HttpRequest, chosen: QuerySet[Prompt]) -> None:
        do_each(self, request, chosen, _want(True), "Wanted.")

    @admin.action(description="Reports looked at: show it to people again", permissions=["act"])
    def resolve(self, request: HttpRequest, chosen: QuerySet[Prompt]) -> None:
        def act(prompt: Prompt) -> None:
            prompt.reports.filter(resolved_by=None).update(resolved_by=staff_of(request))

        do_each(self, request, chosen, act, "Reports looked at.")


def _want(is_wanted: bool) -> Any:
    def act(prompt: Prompt) -> None:
        Prompt.objects.filter(pk=prompt.pk).update(is_wanted=is_wanted)

    return act
