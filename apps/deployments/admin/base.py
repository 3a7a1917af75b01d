"""What the pages of this room share."""

from __future__ import annotations

from decimal import Decimal

from django.http import HttpRequest

from apps.accounts.models import User


def staff_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - admin lets nobody else in
    return request.user


def in_usd(amount: Decimal | None, *, places: int = 2, is_estimated: bool = False) -> str:
    if amount is None:
        return "–"
    return f"{'about ' if is_estimated else ''}${amount:,.{places}f}"
