"""What else ends when a consent is withdrawn: each is called in the transaction that does so."""

from __future__ import annotations

from collections.abc import Callable

from apps.contributions.models import ConsentRecord

on_withdrawal: list[Callable[[ConsentRecord], None]] = []
