"""What the frame of every console page shows, looked up only where the frame is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.accounts.models import Membership
from apps.accounts.tenancy import current_membership, memberships_of
from apps.console import navigation


@dataclass(frozen=True)
class Frame:
    membership: Membership | None
    memberships: list[Membership]
    groups: list[navigation.Group]
    is_demo: bool
    mails_are_files: bool


def console(request: HttpRequest) -> dict[str, Any]:
    return {"console": SimpleLazyObject(lambda: _frame(request))}


def _frame(request: HttpRequest) -> Frame:
    return Frame(
        membership=current_membership(request),
        memberships=memberships_of(request),
        groups=navigation.groups(request.path),
        is_demo=settings.DEMO_MODE,
        mails_are_files=settings.DEMO_MODE and settings.MAIL_TO_FILES,
    )
