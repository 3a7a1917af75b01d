"""Guessing is slow and tells nothing: limits that all processes count in Redis, answers that are alike."""

from __future__ import annotations

import re

import httpx
import pytest

from apps.accounts.models import User
from tests.accounts.signing_in.people import make_user
from tests.accounts.signing_in.visitor import Visitor, heading
from tests.cast import PASSWORD
from tests.platform import Server

TOO_MANY = "Too many failed login attempts. Try again later."
SIGN_UP = {"name": "New", "organization": "New", "password1": "nine bright lanterns"}


def fail_to_sign_in(visitor: Visitor, email: str, *, times: int) -> httpx.Response:
    token = visitor.token()
    form = {"csrfmiddlewaretoken": token, "login": email, "password": "wrong"}
    return [visitor.post("/accounts/login/", data=form) for _ in range(times)][-1]


def test_guesses_at_one_account_are_limited_wherever_they_come_from(site: Server, server: Server) -> None:
    """By other addresses, in capitals, under another Host, and at another process: they share a count."""
    with Visitor(site.url) as first, Visitor(site.url) as second, Visitor(server.url) as third:
        assert TOO_MANY not in fail_to_sign_in(first, "guessed@example.com", times=3).text
        second.headers["Host"] = "localhost:81"
        assert TOO_MANY not in fail_to_sign_in(second, "Guessed@Example.com", times=2).text
        for visitor in (first, second, third):
            page = fail_to_sign_in(visitor, "guessed@example.com", times=1)
            assert (page.status_code, heading(page)) == (200, "Sign in")
            assert TOO_MANY in page.text


def test_the_right_password_waits_too_and_others_do_not(visitor: Visitor, site: Server, pat: User) -> None:
    fail_to_sign_in(visitor, pat.email, times=5)
    assert TOO_MANY in visitor.sign_in(pat.email, PASSWORD).text
    other = make_user("other@elsewhere.example")
    with Visitor(site.url) as somebody:
        assert heading(somebody.sign_in(other.email, PASSWORD)) == "Overview"


@pytest.mark.parametrize(
    ("path", "form", "limit"),
    [
        ("/accounts/login/", {"login": "{}@example.com", "password": "wrong"}, 30),
        ("/accounts/signup/", {**SIGN_UP, "email": "{}@example.com", "password1": "short"}, 20),
        ("/accounts/password/reset/", {"email": "{}@example.com"}, 20),
    ],
    ids=["sign in", "sign up", "reset"],
)
def test_one_address_is_limited_with_a_page_that_says_so(
    visitor: Visitor, site: Server, path: str, form: dict[str, str], limit: int
) -> None:
    """The address is what the one trusted proxy says; what a caller writes before it changes nothing."""
    token = visitor.token()

    def send(number: int, forwarded_for: str) -> httpx.Response:
        fields = {name: value.format(f"n{number}") for name, value in form.items()}
        headers = {"X-Forwarded-For": forwarded_for}
        return visitor.post(path, data={"csrfmiddlewaretoken": token, **fields}, headers=headers)

    statuses = [send(number, f"203.0.113.{number}, {visitor.address}").status_code for number in range(limit)]
    assert set(statuses) == {200}
    refused = send(limit, f"203.0.113.200, {visitor.address}")
    assert (refused.status_code, heading(refused)) == (429, "Too many attempts")
    assert refused.headers["Retry-After"] == "60"
    assert send(limit + 1, "198.51.100.77").status_code == 200


def test_guesses_at_a_code_end_at_the_sign_in_page(visitor: Visitor) -> None:
    visitor.submit("/accounts/signup/", email="coded@example.com", **SIGN_UP)
    pages = [guess_a_code(visitor) for _ in range(3)]
    assert [heading(page) for page in pages] == ["Confirm your email", "Confirm your email", "Sign in"]
    assert TOO_MANY in pages[-1].text
    assert not visitor.is_signed_in()


def guess_a_code(visitor: Visitor) -> httpx.Response:
    page = visitor.get("/accounts/confirm-email/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "code": "WRONG1"}
    return visitor.post("/accounts/confirm-email/", data=form)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/accounts/signup/", SIGN_UP),
        ("/accounts/password/reset/", {}),
        ("/accounts/login/", {"password": "wrong"}),
    ],
    ids=["sign up", "reset", "sign in"],
)
def test_who_has_an_account_cannot_be_found_out(
    site: Server, pat: User, path: str, form: dict[str, str]
) -> None:
    answers = []
    for email in (pat.email, pat.email.replace("pat", "pot")):
        with Visitor(site.url) as visitor:
            page = visitor.submit(path, email=email, login=email, **form)
            steps = [(answer.status_code, answer.url.path) for answer in (*page.history, page)]
            answers.append((steps, comparable(page.text.replace(email, "EMAIL"))))
    assert answers[0] == answers[1]


def comparable(page: str) -> str:
    """Without what differs from one answer to the next anyhow."""
    return re.sub(r'(nonce=|name="csrfmiddlewaretoken" value=)"[^"]*"', r"\1", page)
