"""What a bench prints: small tables for people, and one last line of JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence


def say(line: str) -> None:
    """Progress, apart from the figures."""
    print(line, file=sys.stderr, flush=True)


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Names to the left, figures to the right."""
    cells = [list(head), *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}")
    for first, *rest in cells:
        columns = [figure.rjust(width) for figure, width in zip(rest, widths[1:], strict=True)]
        print("  " + "  ".join([first.ljust(widths[0]), *columns]))


def last_line(figures: dict[str, object]) -> None:
    print(f"\n{json.dumps(figures, ensure_ascii=False)}", flush=True)


def _shown(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.2f}"
    return "–" if cell is None else str(cell)
