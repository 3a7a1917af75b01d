"""What else ends when a consent is withdrawn; the parts of this room say so in `AppConfig.ready`."""

from __future__ import annotations

from collections.abc import Callable

from apps.contributions.models import ConsentRecord

# Called in the transaction that withdraws.
on_withdrawal: list[Callable[[ConsentRecord], None]] = []
# Called by the task that carries it out, before it counts as carried out; maybe more than once.
on_carrying_out: list[Callable[[ConsentRecord], None]] = []
