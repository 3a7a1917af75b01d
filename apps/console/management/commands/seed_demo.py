from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.console import demo, demo_file
from apps.core.errors import AppError


class Command(BaseCommand):
    help = "Make the demo's account, organization, keys, shared deployment and campaign, and write demo.env."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            values = demo.seed()
        except AppError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"{demo_file.path()} holds the keys and the sign-in of {values['ADMIN_EMAIL']}.")
