"""Where sign-in goes when only the clients are named: the public Google and GitHub, and an issuer."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.platform import CHECKOUT

ASK = """
import json
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter as github
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter as google
from django.conf import settings
print(json.dumps({
    "google": [google.authorize_url, google.access_token_url, google.id_token_issuer],
    "github": [github.authorize_url, github.access_token_url, github.emails_url],
    "form-action": [str(source) for source in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"]],
}))
"""


def test_the_public_addresses() -> None:
    names = ("GOOGLE", "GITHUB", "OPENID")
    clients = {f"{name}_CLIENT_{part}": "x" for name in names for part in ("ID", "SECRET")}
    issuer = {
        "OPENID_URL": "https://login.example.com/realms/voices",
        "OPENID_ORIGINS": "https://people.example.com",
    }
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "shell", "--no-imports", "-c", ASK],
        cwd=CHECKOUT,
        env={**os.environ, **clients, **issuer},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(told.stdout) == {
        "google": [
            "https://accounts.google.com/o/oauth2/v2/auth",
            "https://oauth2.googleapis.com/token",
            "https://accounts.google.com",
        ],
        "github": [
            "https://github.com/login/oauth/authorize",
            "https://github.com/login/oauth/access_token",
            "https://api.github.com/user/emails",
        ],
        "form-action": [
            "'self'",
            "https://accounts.google.com",
            "https://github.com",
            "https://login.example.com",
            "https://people.example.com",
        ],
    }
