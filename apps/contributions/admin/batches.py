"""Payout batches for staff: proposed, approved, sent as a file, settled by the file that comes back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_safe
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminFileFieldWidget

from apps.accounts.admin import ReadOnlyAdmin
from apps.contributions import payouts
from apps.contributions.admin.base import ReadOnlyInline, do, link, page, redirected, require, staff_of
from apps.contributions.admin.money import PAYOUT_COLOURS
from apps.contributions.amounts import in_usd
from apps.contributions.models import Payout, PayoutBatch
from apps.core.errors import AppError

BATCH_COLOURS = {"Draft": "info", "Approved": "warning", "Done": "success", "Cancelled": "danger"}
# What there is to do with a batch in a state, and with one whose file is made.
OFFERED = {
    "draft": ["approve_this", "cancel_this"],
    "approved": ["make_file", "settle_this"],
    "sent": ["settle_this"],
    "done": ["settle_this"],
}
MAX_FILE_BYTES = 10_000_000


class PayoutInline(ReadOnlyInline):
    model = Payout
    fields = readonly_fields = [
        "contributor",
        "amount",
        "shown_state",
        "transfer_id",
        "problem",
        "settled_at",
    ]

    @display(description="Amount")
    def amount(self, payout: Payout) -> str:
        return in_usd(payout.cents)

    @display(description="State", label=PAYOUT_COLOURS)
    def shown_state(self, payout: Payout) -> str:
        return str(payout.get_state_display())


class SettleForm(forms.Form):
    file = forms.FileField(
        label="Payout file, filled in",
        help_text="For each line: the state paid with its transfer_id, or failed with a problem. "
        "Lines without a state stay as they are.",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,text/csv"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError("This is no payout file of ours: it is too large.")
        return file


@admin.register(PayoutBatch)
class PayoutBatchAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "shown_state", "amount", "people", "settled", "created_by", "approved_by"]
    list_filter = ["state"]
    list_select_related = ["created_by", "approved_by"]
    search_fields = ["=id", "=payouts__id", "=payouts__transfer_id"]
    search_help_text = "The id of a batch, a payout or a transfer"
    ordering = ["-id"]
    actions_list = ["propose"]
    actions_detail = ["approve_this", "make_file", "settle_this", "cancel_this"]
    inlines = [PayoutInline]
    fields = [
        *("shown_state", "amount", "people", "settled", "created_by", "created_at", "approved_by"),
        *("approved_at", "file", "file_sha256", "id"),
    ]

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<uuid:batch_id>/{name}",
                self.admin_site.admin_view(view),
                {"model_admin": self},
                name=f"contributions_payoutbatch_{kind}",
            )
            for name, kind, view in (
                ("file.csv", "file", download_file),
                ("settle/", "settle", settle_page),
            )
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayoutBatch]:
        found: QuerySet[PayoutBatch] = super().get_queryset(request)
        ended = [Payout.State.PAID, Payout.State.FAILED]
        return found.annotate(
            total=Sum("payouts__cents"),
            count=Count("payouts", distinct=True),
            ended=Count("payouts", filter=Q(payouts__state__in=ended), distinct=True),
        )

    def has_propose_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("contributions.add_payoutbatch")

    def has_pay_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("contributions.change_payoutbatch")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        batch = self.get_object(request, object_id)
        if batch is None:
            return []
        state = "sent" if batch.state == PayoutBatch.State.APPROVED and batch.file_key else batch.state
        buttons = super().get_actions_detail(request, object_id)
        return [button for button in buttons if button.path in OFFERED.get(state, [])]

    @display(description="State", ordering="state", label=BATCH_COLOURS)
    def shown_state(self, batch: PayoutBatch) -> str:
        return str(batch.get_state_display())

    @display(description="Amount")
    def amount(self, batch: Any) -> str:
        return in_usd(batch.total)

    @display(description="People")
    def people(self, batch: Any) -> int:
        return int(batch.count)

    @display(description="Settled")
    def settled(self, batch: Any) -> str:
        return f"{batch.ended} of {batch.count}"

    @display(description="Payout file")
    def file(self, batch: PayoutBatch) -> str:
        if not batch.file_key:
            return "Not made yet"
        return link(reverse("admin:contributions_payoutbatch_file", args=[batch.pk]), "Download")

    @action(
        description="Propose a batch",
        icon="payments",
        variant=ActionVariant.PRIMARY,
        permissions=["propose"],
        dialog={
            "title": "Propose a batch?",
            "description": "Of everybody who is owed $10 or more and has said where money goes to. "
            "Nothing moves before somebody approves it.",
            "form_submit_text": "Propose batch",
        },
    )
    def propose(self, request: HttpRequest, form: object) -> HttpResponse:
        batch = payouts.propose(by=staff_of(request))
        if batch is None:
            self.message_user(request, "Nobody is to be paid at the moment.", messages.INFO)
            return redirected(request, reverse("admin:contributions_payoutbatch_changelist"))
        self.log_change(request, batch, "Proposed.")
        return self._shown(request, batch.pk)

    @action(
        description="Approve",
        icon="check",
        variant=ActionVariant.SUCCESS,
        permissions=["pay"],
        dialog={
            "title": "Approve this batch?",
            "description": "Its amounts leave what is payable, and its payout file can be made.",
            "form_submit_text": "Approve batch",
        },
    )
    def approve_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        def act(batch: PayoutBatch) -> None:
            payouts.approve(batch, by=staff_of(request))

        return self._change(request, object_id, act, "Approved.")

    @action(
        description="Make payout file",
        icon="description",
        permissions=["pay"],
        dialog={
            "title": "Make the payout file?",
            "description": "It names where each amount goes to. From then on these payouts count as sent: "
            "hand the file to the bank once.",
            "form_submit_text": "Make file",
        },
    )
    def make_file(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._change(request, object_id, _send_once, "Payout file made.")

    @action(description="Enter results", icon="upload_file", permissions=["pay"])
    def settle_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirected(request, reverse("admin:contributions_payoutbatch_settle", args=[object_id]))

    @action(
        description="Cancel",
        icon="close",
        variant=ActionVariant.DANGER,
        permissions=["pay"],
        dialog={
            "title": "Cancel this batch?",
            "description": "Only a draft can be cancelled. What is owed stays payable.",
            "form_submit_text": "Cancel batch",
        },
    )
    def cancel_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        def act(batch: PayoutBatch) -> None:
            payouts.cancel(batch, by=staff_of(request))

        return self._change(request, object_id, act, "Cancelled.")

    def _change(self, request: HttpRequest, object_id: str, act: Any, done: str) -> HttpResponse:
        batch = get_object_or_404(PayoutBatch, pk=object_id)
        if do(self, request, batch, lambda: act(batch), done)[0]:
            self.message_user(request, done, messages.SUCCESS)
        return self._shown(request, batch.pk)

    def _shown(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        return redirected(request, reverse("admin:contributions_payoutbatch_change", args=[batch_id]))


@require_safe
def download_file(request: HttpRequest, batch_id: UUID, model_admin: Any) -> HttpResponse:
    """It holds accounts of people, so that each download is noted."""
    require(request, "change_payoutbatch")
    batch = get_object_or_404(PayoutBatch, pk=batch_id)
    if not batch.file_key:
        raise Http404
    try:
        content = payouts.file_of(batch)
    except FileNotFoundError as error:
        raise Http404 from error
    model_admin.log_change(request, batch, "Payout file downloaded.")
    disposition = f'attachment; filename="payouts-{batch.pk}.csv"'
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store"}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


@require_http_methods(["GET", "POST"])
def settle_page(request: HttpRequest, batch_id: UUID, model_admin: Any) -> HttpResponse:
    require(request, "change_payoutbatch")
    batch = get_object_or_404(PayoutBatch, pk=batch_id)
    form = SettleForm(request.POST, request.FILES) if request.method == "POST" else SettleForm()
    result = None
    if request.method == "POST" and form.is_valid():
        try:
            told = payouts.read_file(form.cleaned_data["file"].read())
            result = (payouts.settle(batch, told), len(told))
        except AppError as refused:
            form.add_error("file", refused.message)
            model_admin.log_change(request, batch, f"A file with results was refused: {refused.message}")
        else:
            model_admin.log_change(request, batch, f"{result[0]} payouts settled by a file.")
            form = SettleForm()
    batch.refresh_from_db()
    rows = batch.payouts.select_related("contributor").order_by("pk")
    return page(
        request,
        "settle",
        f"Results of {batch}",
        batch=batch,
        opts=PayoutBatch._meta,
        object=batch,
        form=form,
        result=result,
        payouts=[(row, in_usd(row.cents)) for row in rows],
    )


def _send_once(batch: PayoutBatch) -> None:
    """A file that was made stays the one: who pays by it must find the same lines again."""
    if batch.file_key:
        return
    payouts.provider().send(batch)
