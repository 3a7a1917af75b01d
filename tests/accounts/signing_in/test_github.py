"""Sign-in with GitHub, which verifies addresses but runs no mailboxes."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from apps.accounts.models import Organization, User
from tests.accounts.signing_in.people import make_user
from tests.accounts.signing_in.visitor import Visitor, heading
from tests.cast import PASSWORD
from tests.fakes.github import GitHub, GitHubAccount

OCTO = GitHubAccount(77, "octo", "Octo Example", (("octo@example.com", True, True),))


def test_a_newcomer_lands_on_overview_and_comes_again(github: GitHub, visitor: Visitor) -> None:
    github.has(OCTO)
    page = visitor.sign_in_with("github", "77")
    assert (page.url.path, heading(page)) == ("/", "Overview")
    visitor.sign_out()
    assert heading(visitor.sign_in_with("github", "77")) == "Overview"
    user = User.objects.get()
    assert (user.email, user.name) == ("octo@example.com", "Octo Example")
    assert Organization.objects.get().name == "Octo's organization"


def test_a_profile_without_a_name_is_enough(github: GitHub, visitor: Visitor) -> None:
    github.has(GitHubAccount(78, "nameless", None, (("quiet@example.com", True, True),)))
    assert heading(visitor.sign_in_with("github", "78")) == "Overview"
    assert User.objects.get().name == ""
    assert Organization.objects.get().name == "Quiet's organization"


def test_only_the_verified_primary_address_is_taken_over(github: GitHub, visitor: Visitor) -> None:
    """One that is not verified would stand in the way of its true owner, or share an account with them."""
    emails = (
        ("victim@example.com", False, False),
        ("second@example.com", False, True),
        ("Main@Example.com", True, True),
    )
    github.has(GitHubAccount(79, "many", "Many", emails, public_email="victim@example.com"))
    visitor.sign_in_with("github", "79")
    assert User.objects.get().email == "main@example.com"
    assert EmailAddress.objects.get().email == "main@example.com"


@pytest.mark.parametrize("emails", [(), (("new@example.com", True, False),)], ids=["none", "unverified"])
def test_no_verified_address_makes_no_account(
    github: GitHub, visitor: Visitor, emails: tuple[tuple[str, bool, bool], ...]
) -> None:
    github.has(GitHubAccount(80, "new", "New", emails, public_email="new@example.com"))
    page = visitor.sign_in_with("github", "80")
    assert (page.status_code, heading(page)) == (403, "GitHub knows no verified address of yours")
    assert not User.objects.exists()
    assert not visitor.is_signed_in()


@pytest.mark.parametrize(
    ("is_verified", "status"), [(True, 409), (False, 403)], ids=["verified", "not verified"]
)
def test_github_takes_over_no_account(
    github: GitHub, visitor: Visitor, is_verified: bool, status: int
) -> None:
    user = make_user("owner@gmail.com")
    emails = (("owner@gmail.com", True, is_verified),)
    github.has(GitHubAccount(81, "taker", "Taker", emails, public_email="owner@gmail.com"))
    page = visitor.sign_in_with("github", "81")
    assert page.status_code == status
    assert not visitor.is_signed_in()
    assert not SocialAccount.objects.exists()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
