"""Money and time as staff read them."""

from __future__ import annotations


def in_usd(cents: int | None) -> str:
    """US cents as dollars; a dash where nothing is known."""
    if cents is None:
        return "–"
    return f"{'−' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def in_time(milliseconds: int | None) -> str:
    """1 h 05 min, 4 min 10 s, 4.2 s."""
    if milliseconds is None:
        return "–"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
