"""The ledger for staff: read, never written; and the check that its sums hold."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from apps.accounts.admin import ReadOnlyAdmin
from apps.contributions import ledger
from apps.contributions.admin.base import ReadOnlyInline, page, redirected, require
from apps.contributions.amounts import in_usd
from apps.contributions.models import Entry, Payout, Posting
from apps.contributions.models.money import Account

_KINDS = {
    "Earned": "success",
    "Taken back": "danger",
    "Hold is over": "info",
    "Payout begun": "info",
    "Paid": "success",
    "Payout failed": "warning",
    "Payout came back": "warning",
}
PAYOUT_COLOURS = {
    "In a batch": "info",
    "Sent": "warning",
    "Paid": "success",
    "Failed": "danger",
    "Cancelled": "info",
}


class EntryInline(ReadOnlyInline):
    model = Entry
    fields = readonly_fields = ["shown_account", "contributor", "debit", "credit"]

    @display(description="Account")
    def shown_account(self, entry: Entry) -> str:
        return str(entry.get_account_display())

    @display(description="Debit")
    def debit(self, entry: Entry) -> str:
        return in_usd(entry.cents) if entry.cents > 0 else ""

    @display(description="Credit")
    def credit(self, entry: Entry) -> str:
        return in_usd(-entry.cents) if entry.cents < 0 else ""


@admin.register(Posting)
class PostingAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "shown_kind", "amount", "speaker", "campaign", "of_what", "due_at"]
    list_filter = ["kind", ("campaign", AutocompleteSelectFilter), ("created_at", RangeDateTimeFilter)]
    list_filter_submit = True
    list_select_related = ["campaign", "clip__contributor", "payout__contributor"]
    list_fullwidth = True
    show_full_result_count = False
    search_fields = ["=id"]
    search_help_text = "The id of a posting, a clip, a payout or a speaker; or a campaign's name"
    ordering = ["-id"]
    actions_list = ["check_now"]
    inlines = [EntryInline]
    fields = [
        "shown_kind",
        "campaign",
        "of_what",
        "speaker",
        "round",
        "currency",
        "due_at",
        "created_at",
        "id",
    ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(ledger_page)
        return [path("ledger/", view, name="contributions_posting_ledger"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        found: QuerySet[Posting] = super().get_queryset(request)
        return found.annotate(cents=Sum("entries__cents", filter=Q(entries__cents__gt=0)))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            wanted = UUID(term)
        except ValueError:
            return queryset.filter(campaign__name__icontains=term), False
        by_id = Q(pk=wanted) | Q(clip=wanted) | Q(payout=wanted)
        of_speaker = Q(clip__contributor=wanted) | Q(payout__contributor=wanted)
        return queryset.filter(by_id | of_speaker), False

    @display(description="Kind", ordering="kind", label=_KINDS)
    def shown_kind(self, posting: Posting) -> str:
        return str(posting.get_kind_display())

    @display(description="Amount")
    def amount(self, posting: Any) -> str:
        return in_usd(posting.cents)

    @display(description="Speaker")
    def speaker(self, posting: Posting) -> str:
        return str(_subject(posting).contributor)

    @display(description="Of")
    def of_what(self, posting: Posting) -> str:
        subject = _subject(posting)
        if isinstance(subject, Payout):
            return f"payout {subject.pk.hex[-8:]}"
        return f"{subject}, round {posting.round}"

    @action(description="Check the ledger", icon="balance", variant=ActionVariant.PRIMARY)
    def check_now(self, request: HttpRequest) -> HttpResponse:
        return redirected(request, reverse("admin:contributions_posting_ledger"))


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    list_display = [
        "created_at",
        "contributor",
        "amount",
        "shown_state",
        "batch",
        "transfer_id",
        "settled_at",
    ]
    list_filter = ["state", ("batch", AutocompleteSelectFilter), ("created_at", RangeDateTimeFilter)]
    list_filter_submit = True
    list_select_related = ["contributor", "batch"]
    search_fields = ["=id", "=contributor__id", "=transfer_id"]
    ordering = ["-id"]
    fields = [
        *("contributor", "amount", "shown_state", "batch", "transfer_id", "problem"),
        *("settled_at", "created_at", "id"),
    ]

    @display(description="Amount", ordering="cents")
    def amount(self, payout: Payout) -> str:
        return in_usd(payout.cents)

    @display(description="State", ordering="state", label=PAYOUT_COLOURS)
    def shown_state(self, payout: Payout) -> str:
        return str(payout.get_state_display())


@require_safe
def ledger_page(request: HttpRequest) -> HttpResponse:
    """Reads all of the ledger each time that it is opened."""
    require(request, "view_posting")
    totals = ledger.totals()
    rows = [(account.label, totals.get(account, 0)) for account in Account]
    return page(
        request,
        "ledger",
        "Ledger check",
        opts=Posting._meta,
        flaws=ledger.flaws(),
        checked_at=timezone.now(),
        rows=[(label, in_usd(max(cents, 0)), in_usd(max(-cents, 0))) for label, cents in rows],
        total=in_usd(sum(totals.values())),
        postings=Posting.objects.count(),
    )


def _subject(posting: Posting) -> Any:
    """What it is of: the database holds that it is a clip or a payout."""
    return posting.clip if posting.clip_id else posting.payout
