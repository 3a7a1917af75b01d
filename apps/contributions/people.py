"""A contributor's own row: made at the first visit, described if they like, exported, erased."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.contributions.models import Contributor
from apps.core.errors import Conflict, InvalidRequest, PermissionDenied

MAX_ACCENT = 80


def contributor_of(user: User) -> Contributor:
    """Made where there is none yet."""
    found, _ = Contributor.objects.get_or_create(user=user)
    return found


def require_active(contributor: Contributor) -> None:
    """Raises `PermissionDenied` for one who was suspended."""
    if contributor.is_suspended:
        raise PermissionDenied("Your account cannot record or vote at the moment.", code="suspended")


@transaction.atomic
def describe(contributor: Contributor, *, age_band: str = "", gender: str = "", accent: str = "") -> None:
    """All optional; empty takes back what was said before."""
    if age_band and age_band not in Contributor.AgeBand.values:
        raise InvalidRequest("Choose one of the ages.", param="age_band")
    if gender and gender not in Contributor.Gender.values:
        raise InvalidRequest("Choose one of the genders.", param="gender")
    accent = " ".join(accent.split())
    if len(accent) > MAX_ACCENT or not accent.isprintable():
        raise InvalidRequest(f"An accent has at most {MAX_ACCENT} characters.", param="accent")
    contributor.age_band, contributor.gender, contributor.accent = age_band, gender, accent
    contributor.save(update_fields=["age_band", "gender", "accent", "updated_at"])


def set_payout_account(contributor: Contributor, account: str) -> None:
    account = " ".join(account.split())
    if len(account) > 200 or not account.isprintable():
        raise InvalidRequest("This is too long for an account.", param="payout_account")
    contributor.payout_account = account
    contributor.save(update_fields=["payout_account", "updated_at"])


def set_suspended(contributor: Contributor, *, suspended: bool) -> None:
    """Who is suspended may not record or vote, and is proposed for no payout. `Conflict` once erased."""
    if not Contributor.objects.filter(pk=contributor.pk, erased_at=None).update(is_suspended=suspended):
        raise Conflict("The person was erased.")
    contributor.refresh_from_db(fields=["is_suspended"])


def profile(contributor: Contributor) -> dict[str, Any]:
    return {
        "age_band": contributor.age_band,
        "gender": contributor.gender,
        "accent": contributor.accent,
        "has_payout_account": bool(contributor.payout_account),
    }
