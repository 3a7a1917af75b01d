"""Campaigns for staff: made, opened, paused, closed; gates change and clips are judged again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from apps.contributions import campaigns
from apps.contributions.admin import campaign_pages
from apps.contributions.admin.base import do, do_each, redirected, staff_of
from apps.contributions.admin.campaign_forms import GATE_FIELDS, CampaignForm
from apps.contributions.amounts import in_usd
from apps.contributions.models import Account, Campaign, Clip, Entry

STATE_COLOURS = {"Draft": "info", "Open": "success", "Paused": "warning", "Closed": "danger"}
MONEY = ["cents_per_minute", "budget_cents", "hold_days"]
WANTED = ["clips_per_prompt", "clips_per_speaker"]


@admin.register(Campaign)
class CampaignAdmin(ModelAdmin):
    form = CampaignForm
    list_display = [
        "name",
        "organization",
        "language",
        "shown_state",
        "access",
        "gathered",
        "spent",
        "ends_at",
    ]
    list_filter = ["state", "access", "language", ("organization", AutocompleteSelectFilter)]
    list_filter_submit = True
    list_select_related = ["organization"]
    list_fullwidth = True
    search_fields = ["name", "language", "organization__name", "=id"]
    ordering = ["-id"]
    autocomplete_fields = ["organization"]
    actions = ["open_all", "pause_all", "close_all", "judge_all_again"]
    actions_detail = [
        "show_progress",
        "import_sentences",
        {
            "title": "More",
            "items": ["show_trust", "invite_people", "judge_again", "open_this", "pause_this", "close_this"],
        },
    ]
    readonly_fields = ["shown_state", "missing"]
    new_fields = [
        *("organization", "name", "description", "language", "access", "licence"),
        *("purposes", "optional_purposes", "starts_at", "ends_at"),
    ]
    fieldsets = [
        (None, {"fields": ["shown_state", "missing", *new_fields]}),
        ("Recordings and pay", {"fields": [*WANTED, *MONEY], "classes": ["tab"]}),
        (
            "Quality gates",
            {
                "fields": GATE_FIELDS,
                "classes": ["tab"],
                "description": "What is left empty is judged as usual. When gates change, clips that nobody "
                "but the pipeline has decided are judged again.",
            },
        ),
    ]

    def get_urls(self) -> list[URLPattern]:
        views = {
            "progress": campaign_pages.progress_page,
            "trust": campaign_pages.trust_page,
            "import": campaign_pages.import_page,
            "invite": campaign_pages.invite_page,
        }
        own = [
            path(
                f"<uuid:campaign_id>/{name}/",
                self.admin_site.admin_view(view),
                {"model_admin": self},
                name=f"contributions_campaign_{name}",
            )
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        accepted = Count("clips", filter=Q(clips__state=Clip.State.ACCEPTED))
        open_clips = Count("clips", filter=Q(clips__state__in=Clip.UNDECIDED))
        found: QuerySet[Campaign] = super().get_queryset(request)
        return found.annotate(accepted_count=accepted, open_count=open_clips)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changes = super().get_changelist_instance(request)
        shown = [campaign.pk for campaign in changes.result_list]
        spent = Entry.objects.filter(account=Account.EXPENSE, posting__campaign__in=shown)
        sums = dict(spent.order_by().values_list("posting__campaign").annotate(total=Sum("cents")))
        for campaign in changes.result_list:
            campaign.spent_cents = sums.get(campaign.pk, 0)
        return changes

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        if obj is not None:
            return self.fieldsets
        return [(None, {"fields": self.new_fields}), *self.fieldsets[1:]]

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        """Whose it is and in which language stays once people have recorded."""
        begun = obj is not None and obj.clips.exists()
        return [*self.readonly_fields, *(["organization", "language"] if begun else [])]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        own = staff_of(request).organizations.order_by("created_at").first()
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"organization": own.pk if own else None, "purposes": ["train"], **given}

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return False  # consents and clips refer to it: close it instead

    def save_model(self, request: HttpRequest, obj: Campaign, form: CampaignForm, change: bool) -> None:
        obj.purposes = form.cleaned_data["purposes"]
        obj.optional_purposes = form.cleaned_data["optional_purposes"]
        if not change:
            obj.gates = form.gates
            super().save_model(request, obj, form, change)
            return
        # Its state and gates have doors of their own, through which somebody else may go meanwhile.
        changed = set(CampaignForm.Meta.fields) & set(form.changed_data)
        obj.save(update_fields=[*changed, "purposes", "optional_purposes", "updated_at"])
        if campaigns.set_gates(obj, form.gates):
            told = "The gates have changed: clips that the pipeline decided are judged again in a moment."
            self.message_user(request, told, messages.INFO)

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def shown_state(self, campaign: Campaign) -> str:
        return str(campaign.get_state_display())

    @display(description="Missing")
    def missing(self, campaign: Campaign) -> str:
        return " ".join(campaigns.what_is_missing(campaign)) or "Nothing: it can be open."

    @display(description="Clips")
    def gathered(self, campaign: Any) -> str:
        return f"{campaign.accepted_count:,} accepted, {campaign.open_count:,} open"

    @display(description="Spent")
    def spent(self, campaign: Any) -> str:
        budget = "" if campaign.budget_cents is None else f" of {in_usd(campaign.budget_cents)}"
        return f"{in_usd(campaign.spent_cents)}{budget}"

    @action(description="Progress", icon="monitoring", variant=ActionVariant.PRIMARY)
    def show_progress(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirected(request, reverse("admin:contributions_campaign_progress", args=[object_id]))

    @action(description="Agreement and suspicions", icon="troubleshoot")
    def show_trust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirected(request, reverse("admin:contributions_campaign_trust", args=[object_id]))

    @action(description="Import sentences", icon="upload_file", permissions=["change"])
    def import_sentences(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirected(request, reverse("admin:contributions_campaign_import", args=[object_id]))

    @action(description="Invite people", icon="person_add", permissions=["change"])
    def invite_people(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirected(request, reverse("admin:contributions_campaign_invite", args=[object_id]))

    @action(
        description="Open",
        icon="play_arrow",
        permissions=["change"],
        dialog={
            "title": "Open the campaign?",
            "description": "People record in it from now on, within its dates.",
            "form_submit_text": "Open campaign",
        },
    )
    def open_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._change(request, object_id, campaigns.open_campaign, "Opened.")

    @action(
        description="Pause",
        icon="pause",
        permissions=["change"],
        dialog={
            "title": "Pause the campaign?",
            "description": "Nobody records until it opens again; what was recorded is checked and paid.",
            "form_submit_text": "Pause campaign",
        },
    )
    def pause_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._change(request, object_id, campaigns.pause_campaign, "Paused.")

    @action(
        description="Close",
        icon="stop",
        permissions=["change"],
        dialog={
            "title": "Close the campaign?",
            "description": "Nobody records in it any more; what was recorded is checked and paid.",
            "form_submit_text": "Close campaign",
        },
    )
    def close_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._change(request, object_id, campaigns.close_campaign, "Closed.")

    @action(
        description="Judge again",
        icon="rule",
        permissions=["change"],
        dialog={
            "title": "Judge clips again?",
            "description": "By the gates as they are now: clips that nobody but the pipeline has decided.",
            "form_submit_text": "Judge again",
        },
    )
    def judge_again(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._change(request, object_id, campaigns.judge_again, "Clips are judged again.")

    def _change(self, request: HttpRequest, object_id: str, act: Any, done: str) -> HttpResponse:
        campaign = get_object_or_404(Campaign, pk=object_id)
        if do(self, request, campaign, lambda: act(campaign), done)[0]:
            self.message_user(request, done, messages.SUCCESS)
        return redirected(request, reverse("admin:contributions_campaign_change", args=[object_id]))

    @admin.action(description="Open: people record from now on", permissions=["change"])
    def open_all(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        do_each(self, request, chosen, campaigns.open_campaign, "Opened.")

    @admin.action(description="Pause: nobody records until it opens again", permissions=["change"])
    def pause_all(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        do_each(self, request, chosen, campaigns.pause_campaign, "Paused.")

    @admin.action(description="Close: nobody records any more", permissions=["change"])
    def close_all(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        do_each(self, request, chosen, campaigns.close_campaign, "Closed.")

    @admin.action(description="Judge clips again by the gates of now", permissions=["change"])
    def judge_all_again(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        do_each(self, request, chosen, campaigns.judge_again, "Clips are judged again.")
