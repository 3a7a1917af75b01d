"""Who may use the contributors' API: whoever is signed in, with an organization or without one."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.contributions import people
from apps.contributions.models import Contributor
from apps.core.errors import Unauthenticated
from apps.keys.authentication import ConsoleAuthentication


class IsSignedIn(BasePermission):
    """Keys belong to organizations: a contributor is a person."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, User):
            raise Unauthenticated("Sign in to contribute.", code="not_signed_in")
        return True


class ContributorView(APIView):
    """Of a signed-in person, with CSRF checked."""

    authentication_classes = [ConsoleAuthentication]
    permission_classes = [IsSignedIn]

    @property
    def contributor(self) -> Contributor:
        """Made at the first use."""
        if not hasattr(self, "_contributor"):
            assert isinstance(self.request.user, User)  # noqa: S101 - behind IsSignedIn
            self._contributor = people.contributor_of(self.request.user)
        return self._contributor
