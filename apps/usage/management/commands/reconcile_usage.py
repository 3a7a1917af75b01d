from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.usage.reconciler import reconcile


class Command(BaseCommand):
    help = "Close the usage rows of speech processes that died."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--all",
            action="store_true",
            help="do not wait 30 s for the silence of processes of this machine that are gone",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        closed = reconcile(include_dead_here=options["all"])
        self.stdout.write(f"{closed} open request{'' if closed == 1 else 's'} closed as cut.")
