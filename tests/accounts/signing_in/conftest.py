"""A second server that is set up with stand-ins of Google, GitHub and OpenID, and people who visit it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from apps.accounts.models import User
from tests.accounts.signing_in.people import make_user
from tests.accounts.signing_in.visitor import Visitor
from tests.e2e.conftest import browser
from tests.fakes.github import GitHub
from tests.fakes.google import Google
from tests.fakes.openid import Faults, OpenID
from tests.platform import Server, test_database_url

__all__ = ["browser"]

Authorities = tuple[Google, GitHub, OpenID]


@pytest.fixture(scope="package")
def authorities() -> Iterator[Authorities]:
    with Google() as google, GitHub() as github, OpenID() as openid:
        yield google, github, openid


@pytest.fixture(scope="package")
def site(
    authorities: Authorities,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The platform behind one proxy, which says who calls."""
    google, github, openid = authorities
    environment = {
        "GOOGLE_URL": google.url,
        "GOOGLE_CLIENT_ID": google.client_id,
        "GOOGLE_CLIENT_SECRET": google.client_secret,
        "GITHUB_URL": github.url,
        "GITHUB_CLIENT_ID": github.client_id,
        "GITHUB_CLIENT_SECRET": github.client_secret,
        "OPENID_URL": openid.url,
        "OPENID_CLIENT_ID": openid.client_id,
        "OPENID_CLIENT_SECRET": openid.client_secret,
        "TRUSTED_PROXY_COUNT": "1",
    }
    with django_db_blocker.unblock():
        running = Server(tmp_path_factory.mktemp("sign-in"), test_database_url(), **environment)
    google.redirect_uri = f"{running.url}/accounts/google/login/callback/"
    github.redirect_uri = f"{running.url}/accounts/github/login/callback/"
    openid.redirect_uri = f"{running.url}/accounts/openid/login/callback/"
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


@pytest.fixture
def google(authorities: Authorities) -> Iterator[Google]:
    """Nobody has an account yet; at the end the platform must have kept to the protocol."""
    yield from _clean(authorities[0])


@pytest.fixture
def github(authorities: Authorities) -> Iterator[GitHub]:
    yield from _clean(authorities[1])


@pytest.fixture
def openid(authorities: Authorities) -> Iterator[OpenID]:
    authorities[2].faults = Faults()
    yield from _clean(authorities[2])


def _clean(authority: Any) -> Iterator[Any]:
    authority.accounts.clear()
    authority.refusals.clear()
    yield authority
    assert authority.refusals == []


@pytest.fixture
def pat(transactional_db: None) -> User:
    """Has a password, a verified address and an organization; limits of other tests do not count here."""
    return make_user(f"pat-{secrets.token_hex(4)}@elsewhere.example")


@pytest.fixture
def visitor(transactional_db: None, site: Server) -> Iterator[Visitor]:
    with Visitor(site.url) as somebody:
        yield somebody
