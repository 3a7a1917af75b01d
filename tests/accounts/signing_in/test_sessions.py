"""Sessions: their cookie, where sign-in leads, what ends them and what does not."""

from __future__ import annotations

import httpx
import pytest
from django.contrib.sessions.models import Session

from apps.accounts.models import User
from apps.accounts.services import set_active
from tests.accounts.signing_in.visitor import Visitor, heading
from tests.cast import PASSWORD
from tests.e2e.conftest import Mailbox
from tests.platform import Server

CHOSEN = "nine bright lanterns"


def cookies_of(response: httpx.Response) -> dict[str, set[str]]:
    """Cookie name to its attributes, of all answers on the way."""
    lines = [
        line for answer in (*response.history, response) for line in answer.headers.get_list("Set-Cookie")
    ]
    return {line.partition("=")[0]: set(line.split("; ")[1:]) for line in lines}


def test_the_cookie_is_for_no_script_and_no_other_site(visitor: Visitor, pat: User) -> None:
    cookies = cookies_of(visitor.sign_in(pat.email, PASSWORD))
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= cookies["sessionid"]
    assert "SameSite=Lax" in cookies["csrftoken"]


def test_signing_in_makes_a_new_session(visitor: Visitor, pat: User) -> None:
    """One that somebody planted before is of no use to them after."""
    visitor.get("/accounts/google/login/")
    visitor.start("google")
    planted = visitor.cookies["sessionid"]
    visitor.sign_in(pat.email, PASSWORD)
    assert visitor.cookies["sessionid"] != planted


def test_signing_out_ends_the_session_at_the_server(visitor: Visitor, pat: User, site: Server) -> None:
    visitor.sign_in(pat.email, PASSWORD)
    kept = visitor.cookies["sessionid"]
    assert Session.objects.filter(pk=kept).exists()
    visitor.sign_out()
    assert not Session.objects.filter(pk=kept).exists()
    with Visitor(site.url) as thief:
        thief.cookies.set("sessionid", kept, domain="127.0.0.1")
        assert not thief.is_signed_in()


def test_a_link_does_not_sign_anybody_out(visitor: Visitor, pat: User) -> None:
    visitor.sign_in(pat.email, PASSWORD)
    visitor.get("/accounts/logout/")
    assert visitor.is_signed_in()


def test_a_new_password_keeps_this_session_and_ends_the_others(
    visitor: Visitor, pat: User, site: Server
) -> None:
    visitor.sign_in(pat.email, PASSWORD)
    with Visitor(site.url) as elsewhere:
        elsewhere.sign_in(pat.email, PASSWORD)
        assert elsewhere.is_signed_in()
        form = {"oldpassword": PASSWORD, "password1": CHOSEN, "password2": CHOSEN}
        visitor.submit("/accounts/password/change/", **form)
        assert visitor.is_signed_in()
        assert not elsewhere.is_signed_in()
    assert Mailbox(site.folder / "mail").newest_to(pat.email, "^Your password has been changed")


def test_a_suspended_person_is_signed_out_and_reads_why(visitor: Visitor, pat: User) -> None:
    visitor.sign_in(pat.email, PASSWORD)
    set_active(user=pat, active=False)
    assert not visitor.is_signed_in()
    page = visitor.sign_in(pat.email, PASSWORD)
    assert (page.status_code, heading(page)) == (200, "This account is closed")
    assert not visitor.is_signed_in()


def test_only_the_right_password_tells_that_an_account_is_closed(visitor: Visitor, pat: User) -> None:
    set_active(user=pat, active=False)
    page = visitor.sign_in(pat.email, "wrong")
    assert heading(page) == "Sign in"
    assert "not correct" in page.text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "http:evil.example"]
)
def test_sign_in_leads_nowhere_else(visitor: Visitor, pat: User, target: str) -> None:
    page = visitor.sign_in(pat.email, PASSWORD, next=target)
    assert (page.url.host, page.url.path, heading(page)) == ("127.0.0.1", "/", "Overview")


def test_sign_out_leads_nowhere_else(visitor: Visitor, pat: User) -> None:
    visitor.sign_in(pat.email, PASSWORD)
    page = visitor.submit("/accounts/logout/", next="https://evil.example/")
    assert page.url.host == "127.0.0.1"
