"""Paying contributors: batches that staff approve, sent by a provider, settled by what it says."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from apps.accounts.models import User
from apps.contributions import events, ledger
from apps.contributions.models import (
    Account,
    Campaign,
    Contributor,
    Entry,
    Payout,
    PayoutBatch,
    Posting,
)
from apps.core import media
from apps.core.crypto import decrypt_bytes, encrypt_bytes
from apps.core.errors import Conflict, InvalidRequest

MINIMUM_CENTS: Final = 1000
HEAD: Final = ("payout_id", "contributor", "account", "amount", "currency", "transfer_id", "state", "problem")
_P = Payout.State
_B = PayoutBatch.State


class PayoutProvider(Protocol):
    """What carries money. It may be asked twice for the same batch: a payout's id is sent once."""

    def send(self, batch: PayoutBatch) -> None:
        """Hands over what is pending; each becomes sent. What came of it is told later."""


@dataclass(frozen=True)
class Told:
    """What a provider says of one payout."""

    payout_id: UUID
    paid: bool
    transfer_id: str = ""
    problem: str = ""


@transaction.atomic
def propose(*, by: User | None) -> PayoutBatch | None:
    """What is payable from the minimum on, to people with an account; None where there is nothing."""
    owed = (
        Entry.objects.filter(
            account=Account.PAYABLE,
            contributor__erased_at=None,
            contributor__is_suspended=False,
        )
        .values("contributor_id")
        .annotate(total=Sum("cents"))
        .filter(total__lte=-MINIMUM_CENTS)
        .order_by("contributor_id")
    )
    amounts = {row["contributor_id"]: -row["total"] for row in owed}
    busy = Payout.objects.filter(contributor_id__in=amounts, state__in=Payout.OPEN)
    for contributor_id in busy.values_list("contributor_id", flat=True):
        del amounts[contributor_id]
    people = [row for row in Contributor.objects.filter(pk__in=amounts).order_by("pk") if row.payout_account]
    if not people:
        return None
    batch: PayoutBatch = PayoutBatch.objects.create(created_by=by)
    Payout.objects.bulk_create(
        Payout(batch=batch, contributor=person, cents=amounts[person.pk]) for person in people
    )
    return batch


@transaction.atomic
def approve(batch: PayoutBatch, *, by: User) -> None:
    """The amounts leave what is payable. Raises `Conflict` where the batch or a balance has changed."""
    locked = PayoutBatch.objects.select_for_update().get(pk=batch.pk)
    if locked.state != _B.DRAFT:
        raise Conflict(f"The batch is {locked.get_state_display().lower()}.")
    for payout in locked.payouts.select_related("contributor").order_by("contributor_id"):
        Contributor.objects.select_for_update(no_key=True).only("pk").get(pk=payout.contributor_id)
        if ledger.balance(payout.contributor).payable < payout.cents:
            raise Conflict(f"{payout.contributor} is owed less by now. Cancel the batch and propose another.")
        ledger.begin_payout(payout)
    locked.state, locked.approved_by, locked.approved_at = _B.APPROVED, by, timezone.now()
    locked.save()
    batch.refresh_from_db()


@transaction.atomic
def cancel(batch: PayoutBatch, *, by: User) -> None:
    """Only what nobody has approved: nothing has moved yet."""
    if not PayoutBatch.objects.filter(pk=batch.pk, state=_B.DRAFT).update(state=_B.CANCELLED):
        raise Conflict("Only a draft can be cancelled.")
    batch.payouts.update(state=_P.CANCELLED)
    batch.refresh_from_db()


class CsvPayouts:
    """A file that staff hand to their bank; the transfers' ids are entered back from it.

    It names accounts of people, so that it lies encrypted, as the accounts do.
    """

    def send(self, batch: PayoutBatch) -> None:
        if batch.state != _B.APPROVED:
            raise Conflict("The batch is not approved.")
        content = payout_file(batch)
        key = f"payouts/{batch.pk}.csv.encrypted"
        media.save(key, encrypt_bytes(content))
        with transaction.atomic():
            PayoutBatch.objects.filter(pk=batch.pk).update(
                file_key=key, file_sha256=hashlib.sha256(content).hexdigest(), updated_at=timezone.now()
            )
            batch.payouts.filter(state=_P.PENDING).update(state=_P.SENT, updated_at=timezone.now())
        batch.refresh_from_db()


def file_of(batch: PayoutBatch) -> bytes:
    """As it was made. Raises `FileNotFoundError`, `Unavailable`."""
    return decrypt_bytes(media.read(batch.file_key))


def provider() -> PayoutProvider:
    """What carries money on this platform."""
    return CsvPayouts()


def payout_file(batch: PayoutBatch) -> bytes:
    """The same bytes each time: amounts were frozen when it was proposed."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEAD)
    for payout in batch.payouts.select_related("contributor").order_by("pk"):
        amount = f"{payout.cents // 100}.{payout.cents % 100:02}"
        account = _cell(payout.contributor.payout_account)
        writer.writerow([payout.pk, payout.contributor.pk, account, amount, "USD", "", "", ""])
    return out.getvalue().encode()


def read_file(content: bytes) -> list[Told]:
    """A payout file that was filled in: state `paid` with a transfer's id, or `failed`.

    Raises `InvalidRequest` that names the line.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise InvalidRequest("The file is no CSV in UTF-8.", param="file") from None
    told = []
    for line, row in enumerate(rows, start=2):
        state = (row.get("state") or "").strip().lower()
        if not state:
            continue
        transfer_id = (row.get("transfer_id") or "").strip()
        if state not in ("paid", "failed") or (state == "paid" and not transfer_id):
            raise InvalidRequest(
                f"Line {line}: the state is paid, with a transfer_id, or failed.", param="file"
            )
        try:
            payout_id = UUID((row.get("payout_id") or "").strip())
        except ValueError:
            raise InvalidRequest(f"Line {line}: this is no payout_id.", param="file") from None
        problem = (row.get("problem") or "").strip()[:300]
        told.append(Told(payout_id, state == "paid", transfer_id[:120], problem))
    return told


def settle(batch: PayoutBatch, told: Iterable[Told]) -> int:
    """What became of payouts; answers how many this call settled. The same word twice changes nothing.

    Raises `InvalidRequest` for a payout of another batch, `Conflict` for a transfer that paid another one.
    """
    changed, told = 0, list(told)
    own = set(batch.payouts.values_list("pk", flat=True))
    # All before the first, so that a wrong file settles nothing.
    for word in told:
        if word.payout_id not in own:
            raise InvalidRequest(f"{word.payout_id} is no payout of this batch.", param="file")
    for word in told:
        changed += _settle(word)
    with transaction.atomic():
        if not batch.payouts.filter(state__in=Payout.OPEN).exists():
            PayoutBatch.objects.filter(pk=batch.pk, state=_B.APPROVED).update(state=_B.DONE)
    batch.refresh_from_db()
    return changed


def _settle(word: Told) -> int:
    """A payout that was paid and turns out to have failed after all is payable again."""
    try:
        with transaction.atomic():
            payout = (
                Payout.objects.select_for_update(of=("self",))
                .select_related("contributor", "batch")
                .get(pk=word.payout_id)
            )
            if payout.state == (_P.PAID if word.paid else _P.FAILED):
                return 0
            _write(payout, word)
            payout.state = _P.PAID if word.paid else _P.FAILED
            payout.settled_at = timezone.now()
            payout.save()
            if word.paid:
                _tell(payout)
    except IntegrityError:
        raise Conflict(f"The transfer {word.transfer_id} paid another payout.") from None
    return 1


def _write(payout: Payout, word: Told) -> None:
    """Raises `Conflict` where its end was told before and is another one."""
    is_open = payout.state in Payout.OPEN and payout.batch.state == _B.APPROVED
    if word.paid and is_open:
        ledger.finish_payout(payout)
        payout.transfer_id = word.transfer_id
    elif not word.paid and is_open:
        ledger.fail_payout(payout)
    elif not word.paid and payout.state == _P.PAID:
        ledger.return_payout(payout)
    else:
        raise Conflict(f"{payout} is {payout.get_state_display().lower()} already.")
    payout.problem = word.problem


def _tell(payout: Payout) -> None:
    """Each campaign's organization: what its speech had earned since the payout before."""
    before = (
        Payout.objects.filter(contributor=payout.contributor, state=_P.PAID)
        .exclude(pk=payout.pk)
        .order_by("-settled_at")
        .values_list("created_at", flat=True)
        .first()
    )
    released = Entry.objects.filter(
        contributor=payout.contributor,
        account=Account.PAYABLE,
        posting__kind=Posting.Kind.RELEASED,
        posting__created_at__lte=payout.created_at,
    )
    if before is not None:
        released = released.filter(posting__created_at__gt=before)
    sums = released.order_by().values("posting__campaign").annotate(total=Sum("cents"))
    campaigns = Campaign.objects.in_bulk([row["posting__campaign"] for row in sums])
    for row in sums:
        events.payout_paid(payout, campaigns[row["posting__campaign"]], -row["total"])


def _cell(text: str) -> str:
    """A spreadsheet takes what begins so for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
