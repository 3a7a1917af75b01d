"""What people and staff do that moves money, in no order: for tests that do so at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.contributions import consenting, deciding, ledger, payouts, withdrawing
from apps.contributions.models import Campaign, Clip, Contributor, Decision, Payout, PayoutBatch
from apps.core.errors import Conflict
from tests.contributions import collecting


class Operations:
    """Over a campaign without a hold, with contributors who have an account; the dice decide."""

    def __init__(
        self, campaign: Campaign, people: Sequence[Contributor], staff: User, dice: random.Random
    ) -> None:
        self.campaign, self.people, self.staff, self.dice = campaign, people, staff, dice
        self.prompts = list(campaign.prompts.order_by("id"))
        self.all: list[Callable[[], object]] = [
            *(self.record, self.record, self.record),
            *(self.accept, self.accept, self.reject, self.take_back, self.withdraw),
            *(self.release, self.propose, self.approve, self.send, self.settle, self.send_back),
        ]

    def do_any(self) -> None:
        """One of them; raises `AppError` where it is refused."""
        self.dice.choice(self.all)()

    def record(self) -> None:
        who, prompt = self.dice.choice(self.people), self.dice.choice(self.prompts)
        if not Clip.objects.counting().filter(contributor=who, prompt=prompt).exists():
            if not consenting.may_record(who, self.campaign):
                collecting.agree(who, self.campaign)
            collecting.clip(who, prompt, speech_ms=self.dice.randrange(100, 2_000_000))

    def accept(self) -> None:
        if clip := self._any(Clip.objects.filter(state=Clip.State.IN_REVIEW)):
            deciding.decide(clip, to=Clip.State.ACCEPTED, source=Decision.Source.STAFF)

    def reject(self) -> None:
        """Whatever it is: refused where it was decided."""
        if clip := self._any(Clip.objects.exclude(state=Clip.State.WITHDRAWN)):
            deciding.decide(clip, to=Clip.State.REJECTED, source=Decision.Source.STAFF, reason="no")

    def take_back(self) -> None:
        if clip := self._any(Clip.objects.exclude(state=Clip.State.WITHDRAWN)):
            deciding.take_back(clip, by=self.staff, reason="again")

    def withdraw(self) -> None:
        for withdrawal in withdrawing.withdraw_all(self.dice.choice(self.people)):
            withdrawing.carry_out(withdrawal.pk)

    def release(self) -> None:
        ledger.release_due()

    def propose(self) -> None:
        payouts.propose(by=self.staff)

    def approve(self) -> None:
        if batch := self._any(PayoutBatch.objects.filter(state=PayoutBatch.State.DRAFT)):
            try:
                payouts.approve(batch, by=self.staff)
            except Conflict:
                payouts.cancel(batch, by=self.staff)

    def send(self) -> None:
        if batch := self._any(PayoutBatch.objects.filter(state=PayoutBatch.State.APPROVED)):
            payouts.provider().send(batch)

    def settle(self) -> None:
        sent = Payout.objects.filter(state=Payout.State.SENT)
        batches = PayoutBatch.objects.filter(payouts__in=sent).distinct()
        if batch := self._any(batches):
            payouts.settle(batch, [self._word(payout) for payout in sent.filter(batch=batch).order_by("id")])

    def send_back(self) -> None:
        """The bank does: what was paid did not arrive."""
        if payout := self._any(Payout.objects.filter(state=Payout.State.PAID)):
            payouts.settle(payout.batch, [payouts.Told(payout.pk, paid=False, problem="returned")])

    def _word(self, payout: Payout) -> payouts.Told:
        if self.dice.random() < 0.7:
            return payouts.Told(payout.pk, paid=True, transfer_id=f"tr_{payout.pk}")
        return payouts.Told(payout.pk, paid=False, problem="account closed")

    def _any(self, rows: QuerySet[Any]) -> Any:
        ids = list(rows.order_by("id").values_list("pk", flat=True))
        return rows.get(pk=self.dice.choice(ids)) if ids else None
