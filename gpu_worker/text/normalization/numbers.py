"""Rules for numbers."""

from __future__ import annotations

from typing import Final

from gpu_worker.text.rewriting import Rule

RULES: Final[tuple[Rule, ...]] = ()
