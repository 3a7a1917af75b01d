"""English as it is written made English as it is said. Other languages have no rules here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gpu_worker.text.normalization import (
    abbreviations,
    acronyms,
    addresses,
    dates,
    electronic,
    emoji,
    markdown,
    measures,
    money,
    numbers,
    ranges,
    roman,
    symbols,
    telephone,
    times,
)
from gpu_worker.text.rewriting import TAKEN, Rewrite, Rule, Spoken, apply, assemble

__all__ = ["normalize"]

# Precedence: what is most surely one thing comes first, bare numbers and symbols last.
_RULES: Final[tuple[Rule, ...]] = (
    *emoji.RULES,
    *markdown.RULES,
    *electronic.RULES,
    *markdown.INLINE_RULES,
    *telephone.EARLY_RULES,
    *addresses.RULES,
    *abbreviations.EARLY_RULES,
    *acronyms.EARLY_RULES,
    *symbols.EARLY_RULES,
    *dates.RULES,
    *times.RULES,
    *money.RULES,
    *telephone.RULES,
    *measures.RULES,
    *ranges.RULES,
    *roman.RULES,
    *abbreviations.RULES,
    *numbers.RULES,
    *acronyms.RULES,
    *symbols.RULES,
)
_MARKS: Final = re.compile(f"{TAKEN}++")


def normalize(text: str, taken: Sequence[Rewrite] = ()) -> Spoken:
    """`text` as it is said in English; `taken` are rewrites that stand already. Never raises."""
    return assemble(text, apply(text, _RULES, _without_marks(text, taken) if TAKEN in text else taken))


def _without_marks(text: str, taken: Sequence[Rewrite]) -> list[Rewrite]:
    """`taken`, and the characters of `text` that the rules could mistake for what is taken left unsaid."""
    covered = [(rewrite.start, rewrite.stop) for rewrite in taken] + [(len(text), len(text))]
    marks: list[Rewrite] = []
    at = 0
    for start, stop in covered:
        marks += (Rewrite(mark.start(), mark.end(), "") for mark in _MARKS.finditer(text, at, start))
        at = stop
    return sorted([*taken, *marks], key=lambda rewrite: rewrite.start)
