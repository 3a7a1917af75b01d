"""Sign-in with Google, GitHub and an OpenID Connect provider: those whose client the environment names."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .env import ENV
from .environment import GITHUB_URL, GOOGLE_URL


def _client(prefix: str) -> list[dict[str, str]]:
    return [
        {"client_id": ENV[f"{prefix}_CLIENT_ID"], "secret": ENV[f"{prefix}_CLIENT_SECRET"], "key": ""},
    ]


def _google_urls(base: str) -> dict[str, str]:
    """Google spreads its paths over three hosts; what stands in for it has them all under one address."""
    if base == GOOGLE_URL:
        return {}
    return {
        "ID_TOKEN_ISSUER": base,
        "AUTHORIZE_URL": f"{base}/o/oauth2/v2/auth",
        "ACCESS_TOKEN_URL": f"{base}/token",
        "CERTS_URL": f"{base}/oauth2/v1/certs",
        "IDENTITY_URL": f"{base}/oauth2/v2/userinfo",
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {}
if ENV["GOOGLE_CLIENT_ID"]:
    SOCIALACCOUNT_PROVIDERS["google"] = {
        "APPS": _client("GOOGLE"),
        "SCOPE": ["openid", "email", "profile"],
        "OAUTH_PKCE_ENABLED": True,
        "EMAIL_AUTHENTICATION": True,  # narrowed by apps.accounts.adapters
        **_google_urls(ENV["GOOGLE_URL"]),
    }
if ENV["GITHUB_CLIENT_ID"]:
    SOCIALACCOUNT_PROVIDERS["github"] = {
        "APPS": _client("GITHUB"),
        "SCOPE": ["user:email"],
        "OAUTH_PKCE_ENABLED": True,
        # allauth takes any GITHUB_URL for an Enterprise Server, whose API has another place.
        **({} if ENV["GITHUB_URL"] == GITHUB_URL else {"GITHUB_URL": ENV["GITHUB_URL"]}),
    }

OPENID_URL = ENV["OPENID_URL"]
if OPENID_URL:
    [_openid] = _client("OPENID")
    SOCIALACCOUNT_PROVIDERS["openid"] = {
        "APPS": [{**_openid, "name": ENV["OPENID_NAME"]}],
        "OAUTH_PKCE_ENABLED": True,
    }

# One that is not set up has no URLs either: allauth's would answer 500.
SIGN_IN_APPS = [
    "apps.accounts.openid" if name == "openid" else f"allauth.socialaccount.providers.{name}"
    for name in SOCIALACCOUNT_PROVIDERS
]

# Browsers hold form-action against the redirect that answers a sign-in button, too.
SIGN_IN_ORIGINS = [
    *(_origin(ENV[f"{name.upper()}_URL"]) for name in SOCIALACCOUNT_PROVIDERS),
    *ENV["OPENID_ORIGINS"],
]
