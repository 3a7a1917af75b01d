"""Who lends a voice, for staff: as a speaker, without a name or an address in any list."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from apps.accounts.admin import ReadOnlyAdmin
from apps.contributions import ledger, people, withdrawing
from apps.contributions.admin.base import ReadOnlyInline, do, do_each, link, redirected
from apps.contributions.amounts import in_usd
from apps.contributions.models import Clip, ConsentRecord, ConsentWithdrawal, Contributor, Entry, Payout
from apps.contributions.models.money import Account

ACTIVE, SUSPENDED, ERASED = "Active", "Suspended", "Erased"
_COLOURS = {ACTIVE: "success", SUSPENDED: "danger", ERASED: "info"}
_WITHDRAWAL_COLOURS = {"Being carried out": "warning", "Carried out": "success"}


class ConsentInline(ReadOnlyInline):
    model = ConsentRecord
    fields = readonly_fields = ["campaign", "purpose", "version", "locale", "created_at", "ended"]
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentRecord]:
        found: QuerySet[ConsentRecord] = super().get_queryset(request)
        return found.select_related("campaign", "withdrawal")

    @display(description="Withdrawn")
    def ended(self, consent: ConsentRecord) -> str:
        withdrawal = getattr(consent, "withdrawal", None)
        return f"{withdrawal.created_at:%Y-%m-%d %H:%M} UTC" if withdrawal else "–"


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name.lower(), name) for name in (ACTIVE, SUSPENDED, ERASED)]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        conditions = {
            "active": Q(erased_at=None, is_suspended=False),
            "suspended": Q(erased_at=None, is_suspended=True),
            "erased": Q(erased_at__isnull=False),
        }
        condition = conditions.get(str(self.value()))
        return rows.filter(condition) if condition is not None else rows


@admin.register(Contributor)
class ContributorAdmin(ReadOnlyAdmin):
    list_display = [
        "speaker",
        "shown_state",
        "recorded",
        "accepted",
        "rejected",
        "owed",
        "paid",
        "created_at",
    ]
    list_filter = [StateFilter, ("created_at", RangeDateTimeFilter)]
    list_filter_submit = True
    search_fields = ["=id", "=user__email"]
    search_help_text = "A speaker's id, or the whole address of an account"
    ordering = ["-id"]
    actions = ["suspend", "lift"]
    actions_detail = ["suspend_this", "lift_this", "erase_this"]
    inlines = [ConsentInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("speaker", "shown_state", "account", "age_band", "gender", "accent"),
                    *("has_payout_account", "created_at", "erased_at", "id"),
                ]
            },
        ),
        ("Recordings and money", {"fields": ["clips_link", "counts", "balance", "postings_link"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contributor]:
        found: QuerySet[Contributor] = super().get_queryset(request)
        return found.annotate(
            recorded_count=Count("clips"),
            accepted_count=Count("clips", filter=Q(clips__state=Clip.State.ACCEPTED)),
            rejected_count=Count("clips", filter=Q(clips__state=Clip.State.REJECTED)),
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changes = super().get_changelist_instance(request)
        shown = [row.pk for row in changes.result_list]
        entries = Entry.objects.filter(contributor__in=shown, account__in=[Account.PENDING, Account.PAYABLE])
        owed = dict(entries.order_by().values_list("contributor").annotate(total=Sum("cents")))
        payouts = Payout.objects.filter(contributor__in=shown, state=Payout.State.PAID)
        paid = dict(payouts.order_by().values_list("contributor").annotate(total=Sum("cents")))
        for row in changes.result_list:
            row.owed_cents, row.paid_cents = -owed.get(row.pk, 0), paid.get(row.pk, 0)
        return changes

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("contributions.change_contributor")

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("contributions.delete_contributor")

    @display(description="Speaker", ordering="id")
    def speaker(self, row: Contributor) -> str:
        return str(row)

    @display(description="State", label=_COLOURS)
    def shown_state(self, row: Contributor) -> str:
        if row.erased_at:
            return ERASED
        return SUSPENDED if row.is_suspended else ACTIVE

    @display(description="Recorded", ordering="recorded_count")
    def recorded(self, row: Any) -> int:
        return int(row.recorded_count)

    @display(description="Accepted", ordering="accepted_count")
    def accepted(self, row: Any) -> int:
        return int(row.accepted_count)

    @display(description="Rejected", ordering="rejected_count")
    def rejected(self, row: Any) -> int:
        return int(row.rejected_count)

    @display(description="Owed")
    def owed(self, row: Any) -> str:
        return in_usd(row.owed_cents)

    @display(description="Paid")
    def paid(self, row: Any) -> str:
        return in_usd(row.paid_cents)

    @display(description="Account")
    def account(self, row: Contributor) -> str:
        if row.user_id is None:
            return "None: the person was erased"
        return link(reverse("admin:accounts_user_change", args=[row.user_id]), "The person's account")

    @display(description="Payout account given", boolean=True)
    def has_payout_account(self, row: Contributor) -> bool:
        return bool(row.payout_account)

    @display(description="Recordings")
    def clips_link(self, row: Contributor) -> str:
        url = reverse("admin:contributions_clip_changelist")
        return link(f"{url}?contributor__id__exact={row.pk}", "Their clips")

    @display(description="Clips")
    def counts(self, row: Any) -> str:
        return f"{row.recorded_count} recorded, {row.accepted_count} accepted, {row.rejected_count} rejected"

    @display(description="Balance")
    def balance(self, row: Contributor) -> str:
        held = ledger.balance(row)
        return (
            f"{in_usd(held.pending)} on hold, {in_usd(held.payable)} payable, "
            f"{in_usd(held.on_the_way)} on its way, {in_usd(held.paid)} paid"
        )

    @display(description="Ledger")
    def postings_link(self, row: Contributor) -> str:
        url = reverse("admin:contributions_posting_changelist")
        return link(f"{url}?q={row.pk}", "Their postings")

    @admin.action(description="Suspend: may not record or vote", permissions=["act"])
    def suspend(self, request: HttpRequest, chosen: QuerySet[Contributor]) -> None:
        do_each(self, request, chosen, partial(people.set_suspended, suspended=True), "Suspended.")

    @admin.action(description="Lift the suspension", permissions=["act"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Contributor]) -> None:
        do_each(self, request, chosen, partial(people.set_suspended, suspended=False), "Suspension lifted.")

    @action(
        description="Suspend",
        permissions=["act"],
        dialog={
            "title": "Suspend this speaker?",
            "description": "They may not record or vote, and no payout is proposed, until it is lifted.",
            "form_submit_text": "Suspend speaker",
        },
    )
    def suspend_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._change(request, object_id, partial(people.set_suspended, suspended=True), "Suspended.")

    @action(
        description="Lift suspension",
        permissions=["act"],
        dialog={
            "title": "Lift the suspension?",
            "description": "They may record and vote again at once.",
            "form_submit_text": "Lift suspension",
        },
    )
    def lift_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        lift = partial(people.set_suspended, suspended=False)
        return self._change(request, object_id, lift, "Suspension lifted.")

    @action(
        description="Erase",
        permissions=["erase"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Erase this person?",
            "description": "On the person's request. All consents are withdrawn, recordings and what was "
            "made of them are deleted, and the person leaves the row; the ledger stays under the speaker's "
            "number. What is on hold is taken back. This cannot be undone.",
            "form_submit_text": "Erase for good",
        },
    )
    def erase_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._change(request, object_id, withdrawing.erase, "Erased on request.")

    def _change(self, request: HttpRequest, object_id: str, act: Any, done: str) -> HttpResponse:
        row = get_object_or_404(Contributor, pk=object_id)
        if do(self, request, row, lambda: act(row), done)[0]:
            self.message_user(request, done, messages.SUCCESS)
        return redirected(request, reverse("admin:contributions_contributor_change", args=[object_id]))


@admin.register(ConsentRecord)
class ConsentRecordAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "contributor", "campaign", "purpose", "version", "locale", "withdrawn"]
    list_filter = [
        "purpose",
        ("campaign", AutocompleteSelectFilter),
        ("withdrawal", admin.EmptyFieldListFilter),
    ]
    list_filter_submit = True
    list_select_related = ["campaign", "contributor", "withdrawal"]
    search_fields = ["=id", "=contributor__id", "campaign__name", "=sha256"]
    ordering = ["-id"]
    fields = [
        *("contributor", "campaign", "purpose", "version", "locale", "sha256", "shown_text"),
        *("is_adult", "network", "user_agent", "created_at", "withdrawn", "id"),
    ]

    @display(description="Withdrawn")
    def withdrawn(self, consent: ConsentRecord) -> str:
        withdrawal = getattr(consent, "withdrawal", None)
        return f"{withdrawal.created_at:%Y-%m-%d %H:%M} UTC" if withdrawal else "–"

    @display(description="Text")
    def shown_text(self, consent: ConsentRecord) -> str:
        return consent.text.text


@admin.register(ConsentWithdrawal)
class ConsentWithdrawalAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "contributor", "campaign", "purpose", "shown_state", "done_at"]
    list_filter = ["state", "consent__purpose"]
    list_filter_submit = True
    list_select_related = ["consent__campaign", "consent__contributor"]
    search_fields = ["=id", "=consent__contributor__id", "consent__campaign__name"]
    ordering = ["-id"]
    fields = [*list_display, "reason", "id"]

    @display(description="Speaker")
    def contributor(self, row: ConsentWithdrawal) -> str:
        return str(row.consent.contributor)

    @display(description="Campaign")
    def campaign(self, row: ConsentWithdrawal) -> str:
        return str(row.consent.campaign)

    @display(description="Purpose")
    def purpose(self, row: ConsentWithdrawal) -> str:
        return str(row.consent.get_purpose_display())

    @display(description="State", label=_WITHDRAWAL_COLOURS)
    def shown_state(self, row: ConsentWithdrawal) -> str:
        return str(row.get_state_display())
