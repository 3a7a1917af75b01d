"""Whose a request of the management API is, whatever it proved itself with."""

from __future__ import annotations

from typing import Protocol, cast
from uuid import UUID

from rest_framework.request import Request

from apps.accounts.models import Organization, User
from apps.accounts.tenancy import current_membership
from apps.core.errors import Unauthenticated


class Credential(Protocol):
    """What `request.auth` holds for a key of an organization."""

    @property
    def organization_id(self) -> UUID: ...

    @property
    def key_prefix(self) -> str: ...


def organization_of(request: Request) -> Organization:
    """The organization of an authenticated request: that of its key, else of the signed-in person."""
    if request.auth is not None:
        return Organization.objects.get(pk=cast("Credential", request.auth).organization_id)
    membership = current_membership(request._request)
    if membership is None:
        raise Unauthenticated("Sign in to an organization.")
    return membership.organization


def person_of(request: Request) -> User | None:
    """Who is signed in; `None` where a key asks."""
    return request.user if isinstance(request.user, User) else None
