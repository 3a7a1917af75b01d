"""Sign-in that goes wrong ends on a page that says so, signed out, and never on a 500."""

from __future__ import annotations

import httpx
import pytest

from apps.accounts.models import User
from tests.accounts.signing_in.visitor import Visitor, heading
from tests.fakes.github import GitHub
from tests.fakes.google import Google, GoogleAccount
from tests.fakes.openid import OpenID
from tests.platform import Server

ADA = GoogleAccount("1001", "ada@gmail.com", "Ada Example")


@pytest.fixture
def ada(google: Google) -> GoogleAccount:
    google.has(ADA)
    return ADA


def callback_of(visitor: Visitor, person: str) -> httpx.URL:
    """Where the provider sends the browser, not followed yet."""
    visitor.follow_redirects = False
    redirect = visitor.post("/accounts/google/login/", data={"csrfmiddlewaretoken": visitor.token()})
    answer = visitor.choose(visitor.get(redirect.headers["Location"]), person)
    visitor.follow_redirects = True
    return httpx.URL(answer.headers["Location"])


def did_not_work(page: httpx.Response, provider: str = "Google") -> None:
    assert (page.status_code, heading(page)) == (401, f"Sign-in with {provider} did not work")


@pytest.mark.parametrize("provider", ["google", "github", "openid"])
def test_consent_denied(
    google: Google, github: GitHub, openid: OpenID, visitor: Visitor, provider: str
) -> None:
    page = visitor.sign_in_with(provider, "")
    assert (page.status_code, heading(page)) == (200, "You cancelled the sign-in")
    assert not visitor.is_signed_in()


@pytest.mark.parametrize("query", ["", "?code=made-up", "?code=made-up&state=made-up", "?error=server_error"])
@pytest.mark.parametrize(("path", "name"), [("google", "Google"), ("github", "GitHub"), ("openid", "OpenID")])
def test_an_answer_that_nobody_asked_for(visitor: Visitor, path: str, name: str, query: str) -> None:
    did_not_work(visitor.get(f"/accounts/{path}/login/callback/{query}"), name)


def test_a_state_of_somebody_else(visitor: Visitor, site: Server, ada: GoogleAccount) -> None:
    """The attacker's answer in the victim's browser would sign the victim in as the attacker."""
    answer = callback_of(visitor, ada.sub)
    with Visitor(site.url) as victim:
        victim.get("/accounts/login/")
        did_not_work(victim.get(answer))
        assert not victim.is_signed_in()


@pytest.mark.parametrize(("path", "name"), [("github", "GitHub"), ("openid", "OpenID")])
def test_a_state_with_another_provider(visitor: Visitor, ada: GoogleAccount, path: str, name: str) -> None:
    answer = callback_of(visitor, ada.sub)
    did_not_work(visitor.get(f"/accounts/{path}/login/callback/", params=answer.params), name)


def test_an_answer_that_comes_twice(visitor: Visitor, ada: GoogleAccount) -> None:
    answer = callback_of(visitor, ada.sub)
    assert heading(visitor.get(answer)) == "Overview"
    did_not_work(visitor.get(answer))
    assert User.objects.count() == 1


def test_a_code_that_the_provider_refuses(visitor: Visitor, google: Google, ada: GoogleAccount) -> None:
    answer = callback_of(visitor, ada.sub).copy_set_param("code", "another")
    did_not_work(visitor.get(answer))
    assert google.refusals == ["this code is unknown or was used"]
    google.refusals.clear()


def test_a_code_of_another_sign_in_fails_by_its_verifier(
    visitor: Visitor, site: Server, google: Google, ada: GoogleAccount
) -> None:
    with Visitor(site.url) as other:
        stolen = callback_of(other, ada.sub).params["code"]
    answer = callback_of(visitor, ada.sub).copy_set_param("code", stolen)
    did_not_work(visitor.get(answer))
    assert google.refusals == ["wrong code verifier"]
    google.refusals.clear()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_it_leads_nowhere_else(visitor: Visitor, ada: GoogleAccount, target: str) -> None:
    page = visitor.sign_in_with("google", ada.sub, next=target)
    assert (page.url.host, page.url.path) == ("127.0.0.1", "/")


def test_it_leads_where_the_person_wanted_to_go(visitor: Visitor, ada: GoogleAccount) -> None:
    assert visitor.sign_in_with("google", ada.sub, next="/keys").url.path == "/keys"


def test_a_link_alone_starts_no_sign_in(visitor: Visitor, google: Google) -> None:
    """Another site could else sign its visitors in here."""
    for path, name in (("google", "Google"), ("openid", "OpenID")):
        page = visitor.get(f"/accounts/{path}/login/")
        assert (page.status_code, heading(page)) == (200, f"Continue with {name}")


def test_what_is_not_set_up_is_neither_offered_nor_there(server: Server, site: Server) -> None:
    assert "Continue with" not in httpx.get(f"{server.url}/accounts/login/").text
    paths = ("google/login/", "google/login/token/", "github/login/callback/")
    for path in (*paths, "openid/login/", "openid/login/callback/", "oidc/openid/login/"):
        assert httpx.get(f"{server.url}/accounts/{path}").status_code == 404, path
    offered = httpx.get(f"{site.url}/accounts/login/").text
    assert "Continue with Google" in offered
    assert "Continue with GitHub" in offered
    assert "Continue with OpenID" in offered
    assert httpx.get(f"{site.url}/accounts/oidc/openid/login/").status_code == 404
