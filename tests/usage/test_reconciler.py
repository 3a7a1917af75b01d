"""Rows of processes that died are closed as cut and charged nothing; those of the living are left alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta
from io import StringIO

from django.core.management import call_command

from apps.accounts.models import Organization
from apps.usage.models import SpeechProcess, UsageRecord
from apps.usage.reconciler import reconcile
from tests.usage.rows import process, record

SILENT = timedelta(seconds=31)


def dead_pid() -> int:
    """The pid of a process that has just ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def state_of(row: UsageRecord) -> str:
    row.refresh_from_db()
    return row.state


def test_rows_of_a_silent_process_are_cut_and_charged_nothing(acme: Organization) -> None:
    row = record(acme, state="open", owner_id=process(silent_for=SILENT).id)
    assert reconcile() == 1
    row.refresh_from_db()
    assert (row.state, row.error_code, row.characters_charged) == ("cut", "process_died", 0)
    assert row.closed_at is not None


def test_rows_of_a_process_that_is_alive_stay_open(acme: Organization) -> None:
    row = record(acme, state="open", owner_id=process(silent_for=timedelta(seconds=25)).id)
    assert reconcile() == 0
    assert state_of(row) == "open"


def test_rows_of_a_process_that_nobody_knows_are_cut(acme: Organization) -> None:
    row = record(acme, state="open")
    assert reconcile() == 1
    assert state_of(row) == "cut"


def test_what_is_settled_stays_as_it_is(acme: Organization) -> None:
    row = record(acme, state="ok", owner_id=process(silent_for=SILENT).id, characters_charged=7)
    assert reconcile() == 0
    row.refresh_from_db()
    assert (row.state, row.characters_charged) == ("ok", 7)


def test_twice_is_as_once(acme: Organization) -> None:
    row = record(acme, state="open")
    assert reconcile() == 1
    row.refresh_from_db()
    closed_at = row.closed_at
    assert reconcile() == 0
    row.refresh_from_db()
    assert row.closed_at == closed_at


def test_at_the_start_a_process_of_this_machine_that_is_gone_is_not_waited_for(acme: Organization) -> None:
    here = socket.gethostname()
    gone = record(acme, state="open", owner_id=process(hostname=here, pid=dead_pid()).id)
    alive = record(acme, state="open", owner_id=process(hostname=here, pid=os.getpid()).id)
    elsewhere = record(acme, state="open", owner_id=process(hostname="other", pid=dead_pid()).id)
    assert reconcile() == 0
    assert reconcile(include_dead_here=True) == 1
    assert [state_of(row) for row in (gone, alive, elsewhere)] == ["cut", "open", "open"]


def test_the_command_says_what_it_did(acme: Organization) -> None:
    record(acme, state="open", owner_id=process(hostname=socket.gethostname(), pid=dead_pid()).id)
    said = StringIO()
    call_command("reconcile_usage", stdout=said)
    call_command("reconcile_usage", "--all", stdout=said)
    assert said.getvalue().splitlines() == [
        "0 open requests closed as cut.",
        "1 open request closed as cut.",
    ]


def test_processes_are_forgotten_after_a_day(acme: Organization) -> None:
    old, recent = process(silent_for=timedelta(hours=25)), process(silent_for=timedelta(hours=23))
    reconcile()
    # Others may be there: the server of other tests beats in this database, too.
    left = set(SpeechProcess.objects.values_list("pk", flat=True))
    assert recent.pk in left
    assert old.pk not in left
