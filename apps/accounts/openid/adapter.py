"""allauth's dance with a provider of OAuth 2, in the steps that OpenID Connect has beyond it."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.conf import settings
from django.http import HttpRequest

from . import claims
from .issuer import Client, Issuer, OpenIDError


class RedirectClient(OAuth2Client):  # type: ignore[misc]
    def get_redirect_url(self, authorization_url: str, scope: list[str], extra_params: dict[str, Any]) -> str:
        """Some issuers have a query in that address already."""
        query: str = super().get_redirect_url("", scope, extra_params)
        return authorization_url + (query.replace("?", "&", 1) if "?" in authorization_url else query)


class OpenIDAdapter(OAuth2Adapter):  # type: ignore[misc]
    provider_id = "openid"
    client_class = RedirectClient

    @cached_property
    def issuer(self) -> Issuer:
        return Issuer.discover(settings.OPENID_URL)

    @property
    def access_token_url(self) -> str:
        return self.issuer.token_url

    @property
    def authorize_url(self) -> str:
        """Where our content policy lets a button lead; else the browser would stay here, in silence."""
        parts = urlsplit(self.issuer.authorize_url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in settings.SIGN_IN_ORIGINS:
            raise OpenIDError(f"it asks people at {origin}, which OPENID_ORIGINS does not name")
        return self.issuer.authorize_url

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str = ""
    ) -> dict[str, Any]:
        """The tokens, and what the person's claims are by them."""
        us = Client(app.client_id, app.secret)
        access_token, id_token = self.issuer.exchange(
            us, code=request.GET["code"], verifier=pkce_code_verifier, redirect_uri=client.callback_url
        )
        token = claims.verified(id_token, self.issuer, us.id, nonce=claims.nonce_of(pkce_code_verifier))
        userinfo = self.issuer.userinfo(access_token) if self.issuer.userinfo_url else None
        return {"access_token": access_token, "person": claims.person(token, userinfo)}

    def complete_login(self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any) -> Any:
        return self.get_provider().sociallogin_from_response(request, kwargs["response"]["person"])
