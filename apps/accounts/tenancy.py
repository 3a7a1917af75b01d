"""Whose console this is: the organization of a signed-in request."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from apps.accounts.models import Membership, Organization, User

SESSION_KEY = "organization_id"
View = Callable[..., HttpResponseBase]


class OrganizationRequest(HttpRequest):
    """What a view behind `organization_required` is given."""

    user: User
    organization: Organization
    membership: Membership


def current_membership(request: HttpRequest) -> Membership | None:
    """The membership chosen in this session, else the oldest; `None` for who belongs nowhere.

    Looked up once a request; a choice the person no longer belongs to is forgotten.
    """
    cached: Membership | None = getattr(request, "_membership", None)
    if cached is not None or not request.user.is_authenticated:
        return cached
    memberships = list(
        Membership.objects.filter(user=request.user).select_related("organization").order_by("created_at")
    )
    chosen = request.session.get(SESSION_KEY)
    membership = next((m for m in memberships if str(m.organization_id) == chosen), None)
    membership = membership or (memberships[0] if memberships else None)
    request._membership = membership  # type: ignore[attr-defined]
    request._memberships = memberships  # type: ignore[attr-defined]
    return membership


def memberships_of(request: HttpRequest) -> list[Membership]:
    """All memberships of the person, oldest first, without another query."""
    current_membership(request)
    return getattr(request, "_memberships", [])


def current_organization(request: HttpRequest) -> Organization | None:
    membership = current_membership(request)
    return membership.organization if membership else None


def organization_required(view: View) -> View:
    """Signed in and at home somewhere: sets `request.organization` and `request.membership`."""

    @login_required
    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        membership = current_membership(request)
        if membership is None:
            return redirect("organization_create")
        request.membership = membership  # type: ignore[attr-defined]
        request.organization = membership.organization  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return wrapped


def manager_required(view: View) -> View:
    """As `organization_required`, for owners and admins of the organization only."""

    @organization_required
    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.membership.can_manage:  # type: ignore[attr-defined]
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return wrapped
