"""What contributors earn and are paid: a ledger by double entry, in whole US cents."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.contributions.models.campaigns import Campaign
from apps.contributions.models.clips import Clip
from apps.contributions.models.people import Contributor
from apps.core.models import BaseModel

CURRENCY = "USD"


class Account(models.TextChoices):
    """Debits are positive, credits negative; what is owed to somebody is a negative balance."""

    EXPENSE = "collection_expense", "Collection expense"
    PENDING = "contributor_pending", "Owed, on hold"
    PAYABLE = "contributor_payable", "Owed, payable"
    CLEARING = "payout_clearing", "On its way"
    CASH = "cash", "Cash"


class PayoutBatch(BaseModel):
    """Payouts that staff approve and send together."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        APPROVED = "approved", "Approved"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    file_key = models.CharField(max_length=200, blank=True, editable=False)
    file_sha256 = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "payout batches"

    def __str__(self) -> str:
        return f"batch {self.pk.hex[-8:]}"


class Payout(BaseModel):
    """Money on its way to one person. Its id is what makes sending it twice impossible."""

    class State(models.TextChoices):
        PENDING = "pending", "In a batch"
        SENT = "sent", "Sent"
        PAID = "paid", "Paid"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN = (State.PENDING, State.SENT)

    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="payouts")
    contributor = models.ForeignKey(Contributor, on_delete=models.PROTECT, related_name="payouts")
    cents = models.PositiveBigIntegerField()
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    transfer_id = models.CharField(max_length=120, blank=True, help_text="The provider's, entered back.")
    problem = models.CharField(max_length=300, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "contributor"], name="payout_once_in_batch"),
            # While one is on its way, nobody begins another: a payable amount is sent once.
            models.UniqueConstraint(
                fields=["contributor"], condition=Q(state__in=["pending", "sent"]), name="payout_one_open"
            ),
            models.UniqueConstraint(
                fields=["transfer_id"], condition=~Q(transfer_id=""), name="payout_transfer_once"
            ),
            models.CheckConstraint(condition=Q(cents__gt=0), name="payout_is_money"),
        ]

    def __str__(self) -> str:
        return f"{self.cents / 100:.2f} $ to {self.contributor}"


class Posting(BaseModel):
    """One transaction of the ledger. It never changes; what was wrong is reversed by another one."""

    class Kind(models.TextChoices):
        EARNED = "earned", "Earned"
        REVERSED = "reversed", "Taken back"
        RELEASED = "released", "Hold is over"
        PAYOUT_BEGUN = "payout_begun", "Payout begun"
        PAYOUT_PAID = "payout_paid", "Paid"
        PAYOUT_FAILED = "payout_failed", "Payout failed"
        PAYOUT_RETURNED = "payout_returned", "Payout came back"

    kind = models.CharField(max_length=16, choices=Kind)
    clip = models.ForeignKey(Clip, null=True, blank=True, on_delete=models.PROTECT, related_name="postings")
    round = models.PositiveSmallIntegerField(default=0)
    payout = models.ForeignKey(
        Payout, null=True, blank=True, on_delete=models.PROTECT, related_name="postings"
    )
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.PROTECT, related_name="postings"
    )
    currency = models.CharField(max_length=3, default=CURRENCY)
    due_at = models.DateTimeField(
        null=True, blank=True, help_text="Of what was earned: when the hold is over."
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(kind="earned"), name="posting_on_hold"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["clip", "round", "kind"], condition=Q(clip__isnull=False), name="posting_once_by_clip"
            ),
            models.UniqueConstraint(
                fields=["payout", "kind"], condition=Q(payout__isnull=False), name="posting_once_by_payout"
            ),
            models.CheckConstraint(
                condition=Q(clip__isnull=False, payout=None) | Q(clip=None, payout__isnull=False),
                name="posting_of_clip_or_payout",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk.hex[-8:]}"


class Entry(models.Model):
    """One line of a posting. The database holds that those of a posting sum to zero."""

    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=20, choices=Account)
    contributor = models.ForeignKey(
        Contributor, null=True, blank=True, on_delete=models.PROTECT, related_name="entries"
    )
    cents = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "entries"
        indexes = [models.Index(fields=["contributor", "account"], name="entry_by_contributor")]
        constraints = [
            models.UniqueConstraint(fields=["posting", "account"], name="entry_once_by_account"),
            models.CheckConstraint(condition=~Q(cents=0), name="entry_is_money"),
            models.CheckConstraint(
                condition=Q(
                    account__in=["contributor_pending", "contributor_payable"], contributor__isnull=False
                )
                | Q(account__in=["collection_expense", "payout_clearing", "cash"], contributor=None),
                name="entry_names_whom_it_owes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.cents}"
