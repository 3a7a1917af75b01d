"""What allauth finds when it looks for providers."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.providers.base import ProviderAccount
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider

from . import claims
from .adapter import OpenIDAdapter


class OpenIDProvider(OAuth2Provider):  # type: ignore[misc]
    id = "openid"
    name = "OpenID"
    account_class = ProviderAccount
    oauth2_adapter_class = OpenIDAdapter

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = self.app.name

    def get_default_scope(self) -> list[str]:
        return ["openid", "email", "profile"]

    def get_pkce_params(self) -> dict[str, Any]:
        """With the nonce, which the ID token has to repeat."""
        params: dict[str, Any] = super().get_pkce_params()
        return {**params, "nonce": claims.nonce_of(params["code_verifier"])}

    def extract_uid(self, data: dict[str, Any]) -> str:
        return claims.uid_of(data["iss"], data["sub"])

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"email": data["email"], "name": data["name"]}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[EmailAddress]:
        if not data["email"]:
            return []
        return [EmailAddress(email=data["email"], verified=data["email_verified"], primary=True)]


provider_classes = [OpenIDProvider]
