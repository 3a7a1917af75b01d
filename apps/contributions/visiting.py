"""Who is asking: a signed-in person as a contributor, with an organization or without one."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.accounts.models import User
from apps.contributions import consenting, people
from apps.contributions.models import Campaign, CampaignInvitation, Contributor
from apps.core.errors import NotFound

View = Callable[..., HttpResponseBase]
_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


class ContributorRequest(HttpRequest):
    """What a view behind `contributor_required` is given."""

    user: User
    contributor: Contributor


def contributor_required(view: View) -> View:
    """Signed in: sets `request.contributor`, which is made at the first visit."""

    @login_required
    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.contributor = people.contributor_of(request.user)  # type: ignore[attr-defined, arg-type]
        return view(request, *args, **kwargs)

    return wrapped


def locale_of(request: HttpRequest) -> str:
    """The tag that the browser names first."""
    first = request.headers.get("Accept-Language", "").split(",")[0].split(";")[0].strip()
    return first if _TAG.fullmatch(first) and len(first) <= 35 else consenting.FALLBACK_LOCALE


def find_campaign(contributor: Contributor, campaign_id: UUID) -> Campaign:
    """One that the person may see: open to them, or agreed to, or recorded for before.

    Raises `NotFound` for any other, as if there were none.
    """
    campaign: Campaign | None = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None or not _may_see(contributor, campaign):
        raise NotFound("There is no such campaign.")
    return campaign


def is_open_to(contributor: Contributor, campaign: Campaign) -> bool:
    """Whether they may record in it now."""
    if not campaign.is_running or contributor.user is None:
        return False
    if campaign.access == Campaign.Access.OPEN:
        return True
    return CampaignInvitation.objects.filter(campaign=campaign, email__iexact=contributor.user.email).exists()


def _may_see(contributor: Contributor, campaign: Campaign) -> bool:
    return (
        is_open_to(contributor, campaign)
        or contributor.consents.filter(campaign=campaign).exists()
        or contributor.clips.filter(campaign=campaign).exists()
    )
