"""DRF's side of authentication for the management API: a key with its scopes, or a signed-in person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.tenancy import current_membership
from apps.core.addresses import client_address_of
from apps.core.errors import AUTHENTICATION_SCHEME, PermissionDenied, Unauthenticated
from apps.keys import identity as identities
from apps.keys.identity import HEADER, Identity

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# What a room above knows of an organization and an address; each is added in its `AppConfig.ready`.
address_rules: list[Callable[[Identity, str | None], None]] = []


class ApiKeyAuthentication(BaseAuthentication):
    """`X-API-Key`: `request.auth` is an `Identity`, `request.user` stays `None`."""

    def raw_key(self, request: Request) -> str | None:
        """The key that the request carries, unchecked."""
        return request.headers.get(HEADER)

    def authenticate(self, request: Request) -> tuple[None, Identity] | None:
        raw = self.raw_key(request)
        if raw is None:
            return None
        identity = identities.authenticate(raw)
        address = client_address_of(request._request)
        identity.require_address(address)
        for require in address_rules:
            require(identity, address)
        structlog.contextvars.bind_contextvars(
            organization=str(identity.organization_id), key=identity.key_prefix
        )
        return None, identity

    def authenticate_header(self, request: Request) -> str:
        return AUTHENTICATION_SCHEME


class ConsoleAuthentication(SessionAuthentication):
    """A person signed in to the console, with CSRF checked."""


class HasScope(BasePermission):
    """The view's `required_scope` (default `manage`); a person may read, and write where they manage.

    Reading is also let be to keys with one of the view's `reading_scopes`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, Identity):
            reading = getattr(view, "reading_scopes", ()) if request.method in SAFE_METHODS else ()
            if not request.auth.scopes.intersection(reading):
                request.auth.require(getattr(view, "required_scope", "manage"))
            return True
        membership = current_membership(request._request) if request.user else None
        if membership is None:
            raise Unauthenticated(f"Send your API key in the {HEADER} header.", code="missing_api_key")
        if request.method not in SAFE_METHODS and not membership.can_manage:
            raise PermissionDenied("Ask an owner or admin of your organization to do this.")
        return True


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": HEADER}


class ConsoleScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ConsoleAuthentication
    name = "ConsoleSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


# For `extend_schema(auth=…)` of views that authenticate by themselves.
SPEECH_KEY_SECURITY: Any = [{ApiKeyScheme.name: []}]
