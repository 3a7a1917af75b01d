"""The buttons in a real Chromium: content policy, cookies and redirects across origins included."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from apps.accounts.models import Membership, Organization, User
from tests.accounts.signing_in.people import make_user
from tests.cast import PASSWORD
from tests.fakes.github import GitHub, GitHubAccount
from tests.fakes.google import Google, GoogleAccount
from tests.fakes.openid import OpenID, OpenIDAccount
from tests.platform import Server

pytestmark = pytest.mark.browser

ADA = GoogleAccount("1001", "ada@gmail.com", "Ada Example")
WORK = OpenIDAccount("ada-1001", "ada@work.example", "Ada Example")
OCTO = GitHubAccount(77, "octo", "Octo Example", (("octo@example.com", True, True),))


class Complaints(list[str]):
    """What the browser logs as an error; an answer of 4xx that a test provokes is taken out by it."""

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.append(message.text)

    def expected(self, status: int) -> None:
        assert [line for line in self if f"status of {status}" in line]
        self[:] = [line for line in self if f"status of {status}" not in line]


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(browser: Browser, transactional_db: None, site: Server, complaints: Complaints) -> Iterator[Page]:
    headers = {"X-Forwarded-For": "198.51.100.10"}
    context = browser.new_context(base_url=site.url, extra_http_headers=headers)
    opened = context.new_page()
    complaints.listen(opened)
    yield opened
    context.close()
    assert complaints == []


def continue_with(page: Page, provider: str, button: str, *, path: str = "/accounts/login/") -> None:
    page.goto(path)
    page.get_by_role("button", name=f"Continue with {provider}").click()
    expect(page.get_by_role("heading", name="Choose an account")).to_be_visible()
    page.get_by_role("button", name=button).click()


def sign_out(page: Page) -> None:
    page.context.clear_cookies(name="sessionid")


def is_at(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()


def test_the_buttons_are_there_only_where_they_work(page: Page, server: Server) -> None:
    for path in ("/accounts/login/", "/accounts/signup/"):
        page.goto(path)
        buttons = page.get_by_role("button", name="Continue with")
        expect(buttons).to_have_text([f"Continue with {name}" for name in ("GitHub", "Google", "OpenID")])
        for upper, lower in itertools.pairwise(button.bounding_box() for button in buttons.all()):
            assert upper
            assert lower
            assert lower["y"] - (upper["y"] + upper["height"]) >= 8  # they do not touch
        page.goto(f"{server.url}{path}")
        expect(page.get_by_label("Email")).to_be_visible()
        expect(page.get_by_text("Continue with")).to_have_count(0)


@pytest.mark.parametrize(
    ("provider", "button", "name"),
    [
        ("Google", ADA.email, ADA.name),
        ("GitHub", "Authorize octo", "Octo Example"),
        ("OpenID", WORK.email, WORK.name),
    ],
)
def test_signing_up_and_in_again(
    page: Page, google: Google, github: GitHub, openid: OpenID, provider: str, button: str, name: str
) -> None:
    google.has(ADA)
    github.has(OCTO)
    openid.has(WORK)
    continue_with(page, provider, button, path="/accounts/signup/")
    is_at(page, "Overview")
    user = User.objects.get()
    membership = Membership.objects.get(user=user)
    assert (user.name, membership.role) == (name, Membership.Role.OWNER)
    expect(page.locator("body")).to_contain_text(membership.organization.name)
    page.goto("/settings")
    expect(page.get_by_label("Your name")).to_have_value(name)

    sign_out(page)
    continue_with(page, provider, button)
    is_at(page, "Overview")
    assert User.objects.get() == user
    assert Organization.objects.get() == membership.organization


def test_a_contributor_comes_in_by_openid(page: Page, openid: OpenID) -> None:
    openid.has(WORK)
    continue_with(page, "OpenID", WORK.email, path="/contribute")
    is_at(page, "Lend your voice")
    assert User.objects.get().email == WORK.email
    assert not Organization.objects.exists()


def test_who_signed_up_with_a_password_finds_the_same_account(page: Page, google: Google) -> None:
    user = make_user(ADA.email)
    google.has(ADA)
    continue_with(page, "Google", ADA.email)
    is_at(page, "Overview")
    expect(page.locator("body")).to_contain_text("Before")
    assert User.objects.get() == user


def test_github_asks_who_has_an_account_to_connect_it(
    page: Page, github: GitHub, complaints: Complaints
) -> None:
    user = make_user("octo@example.com")
    github.has(OCTO)
    continue_with(page, "GitHub", "Authorize octo")
    is_at(page, "You have an account already")
    complaints.expected(409)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    is_at(page, "Overview")
    page.goto("/settings")
    page.get_by_role("link", name="Connect an account").click()
    page.get_by_role("button", name="Connect GitHub").click()
    page.get_by_role("button", name="Authorize octo").click()
    is_at(page, "Ways to sign in")

    sign_out(page)
    continue_with(page, "GitHub", "Authorize octo")
    is_at(page, "Overview")
    assert User.objects.get() == user


def test_consent_denied_and_a_state_from_elsewhere(
    page: Page, google: Google, complaints: Complaints
) -> None:
    continue_with(page, "Google", "Cancel")
    is_at(page, "You cancelled the sign-in")
    page.get_by_role("link", name="Back to sign in").click()
    is_at(page, "Sign in")
    page.goto("/accounts/google/login/callback/?code=made-up&state=made-up")
    is_at(page, "Sign-in with Google did not work")
    complaints.expected(401)
    page.get_by_role("link", name="Back to sign in").click()
    is_at(page, "Sign in")
