"""`python -m tests.contributions.lives CAMPAIGN STAFF`: operations with money, by processes that are killed.

For each seed on a line of its own a process is forked, which does one operation after the other: it says
`begun` with its pid, then `done` for each. How it ended is said last. Which database it is, and where media
lie, the environment tells.
"""

from __future__ import annotations

import os
import random
import sys
from contextlib import suppress
from typing import NoReturn
from uuid import UUID

import django

django.setup()

from apps.accounts.models import User  # noqa: E402
from apps.contributions.models import Campaign, Contributor  # noqa: E402
from apps.core.errors import AppError  # noqa: E402
from apps.core.processes import die_with_parent  # noqa: E402
from tests.contributions.operations import Operations  # noqa: E402


def say(*words: object) -> None:
    """At once: who is killed loses nothing that was said."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def live(campaign_id: UUID, staff_id: int, seed: int) -> NoReturn:
    die_with_parent()
    campaign, staff = Campaign.objects.get(pk=campaign_id), User.objects.get(pk=staff_id)
    people = list(Contributor.objects.order_by("id"))
    operations = Operations(campaign, people, staff, random.Random(seed))
    say("begun", os.getpid())
    while True:
        with suppress(AppError):
            operations.do_any()
        say("done")


def main() -> None:
    campaign_id, staff_id = UUID(sys.argv[1]), int(sys.argv[2])
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            live(campaign_id, staff_id, int(line))
        _, status = os.waitpid(pid, 0)
        say("ended", os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
