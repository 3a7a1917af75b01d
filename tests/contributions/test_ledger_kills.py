"""Operations with money at random, each committed, by processes that are killed at random."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models import Count, Q, Sum

from apps.accounts.models import Organization, User
from apps.contributions import ledger, people
from apps.contributions.models import Account, Campaign, Clip, Payout, Posting
from tests.contributions import collecting, dying, held
from tests.platform import CHECKOUT

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

OPERATIONS = 1_000
# Of one process, before it is killed amid the next one or soon after.
MOST_OF_ONE = 25


class Lives:
    """Processes that do operations one after the other, each going on where the one before was killed."""

    def __init__(self, campaign: Campaign, staff: User, media_folder: Path) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "tests.contributions.lives"]
        self.forking = subprocess.Popen(
            [*command, str(campaign.pk), str(staff.pk)],
            cwd=CHECKOUT,
            env=dying.surroundings(media_folder).environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def one(self, seed: int, *, operations: int, and_seconds: float) -> int:
        """Killed so long after so many; answers how many it had done."""
        assert self.forking.stdin is not None
        self.forking.stdin.write(f"{seed}\n")
        self.forking.stdin.flush()
        begun, pid = self._said().split()
        assert begun == "begun"
        for _ in range(operations):
            assert self._said() == "done"
        time.sleep(and_seconds)
        os.kill(int(pid), signal.SIGKILL)
        more = 0
        while (said := self._said()) == "done":
            more += 1
        assert said == f"ended {-signal.SIGKILL}"
        held.until_gone(dying.NAME)
        return operations + more

    def _said(self) -> str:
        assert self.forking.stdout is not None
        return self.forking.stdout.readline().strip()

    def end(self) -> None:
        self.forking.kill()
        self.forking.communicate()


@pytest.fixture
def campaign(acme: Organization) -> Campaign:
    return collecting.campaign(acme, hold_days=0)


@pytest.fixture
def lives(campaign: Campaign, staff: User, media_folder: Path) -> Iterator[Lives]:
    for name in ("dora", "emil", "fay"):
        person = collecting.speaker(name)
        people.set_payout_account(person, f"account of {name}")
    running = Lives(campaign, staff, media_folder)
    yield running
    running.end()


def flaws() -> list[str]:
    """Of the ledger, and of what is not the ledger's own business."""
    earned, reversed_ = (Count("postings", Q(postings__kind=kind)) for kind in ("earned", "reversed"))
    often = Clip.objects.annotate(times=earned - reversed_).filter(times__gt=1)
    paid = Payout.objects.filter(state=Payout.State.PAID).aggregate(total=Sum("cents"))["total"] or 0
    found = [
        *ledger.flaws(),
        *(f"{clip_id} has earned {times} times" for clip_id, times in often.values_list("pk", "times")),
    ]
    if paid != -ledger.totals().get(Account.CASH, 0):
        found.append(f"{paid} cents were paid, {ledger.totals()} says the ledger")
    return found


def test_a_thousand_operations_with_kills_sum_to_zero(lives: Lives) -> None:
    dice = random.Random(20261130)
    done = kills = 0
    while done < OPERATIONS:
        done += lives.one(
            dice.getrandbits(32),
            operations=dice.randrange(MOST_OF_ONE),
            and_seconds=dice.uniform(0.001, 0.05),
        )
        kills += 1
        assert flaws() == [], f"after {kills} kills and {done} operations"
    assert kills >= 30
    assert set(Posting.objects.values_list("kind", flat=True)) == set(Posting.Kind.values)
