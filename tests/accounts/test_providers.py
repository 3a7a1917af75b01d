"""Google, GitHub and OpenID are offered where they are configured, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.test import Client

SCRIPT = """
import django
django.setup()
from django.conf import settings
from django.urls import NoReverseMatch, reverse
for provider in ("google", "github", "openid"):
    print(provider, provider in settings.SOCIALACCOUNT_PROVIDERS)
"""


def settings_with(**environment: str) -> subprocess.CompletedProcess[str]:
    """What a process started with these variables says."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "voiceflow.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/"])
def test_without_them_nothing_is_offered(client: Client, db: None, path: str) -> None:
    page = client.get(path).content.decode().lower()
    assert "google" not in page
    assert "github" not in page
    assert "openid" not in page


def test_each_is_there_where_it_is_configured() -> None:
    done = settings_with(GITHUB_CLIENT_ID="id", GITHUB_CLIENT_SECRET="secret")
    assert done.stdout.split() == ["google", "False", "github", "True", "openid", "False"], done.stderr


def test_half_of_a_pair_stops_the_start_with_one_line() -> None:
    done = settings_with(GOOGLE_CLIENT_ID="id")
    assert done.returncode != 0
    assert done.stderr.splitlines() == [
        "voiceflow: GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET belong together: set both or none."
    ]
