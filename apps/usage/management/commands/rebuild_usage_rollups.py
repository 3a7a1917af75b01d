from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.usage.rollups import rebuild, roll_up


class Command(BaseCommand):
    help = "Make the sums of usage by hour and by day anew from records, for a span of UTC days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("first", type=date.fromisoformat, help="the first day, as 2026-01-31")
        parser.add_argument("last", type=date.fromisoformat, help="the last day, included")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = options["first"], options["last"]
        count = (last - first).days + 1
        if count < 1:
            raise CommandError("The last day lies before the first.")
        roll_up()
        rebuild(first, last)
        days = "the day" if count == 1 else f"{count} days"
        self.stdout.write(f"The sums of {days}, {first} to {last}, are made anew.")
