"""Sign-in with Google: who comes in as whom."""

from __future__ import annotations

import httpx
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken

from apps.accounts.models import Organization, User
from apps.accounts.services import set_active
from tests.accounts.signing_in.people import make_user
from tests.accounts.signing_in.visitor import Visitor, heading
from tests.cast import PASSWORD
from tests.e2e.conftest import Mailbox
from tests.fakes.google import Google, GoogleAccount, make_key
from tests.platform import Server

ADA = GoogleAccount("1001", "Ada@gmail.com", "Ada Example")


def test_a_newcomer_lands_on_overview_with_an_organization(google: Google, visitor: Visitor) -> None:
    google.has(ADA)
    page = visitor.sign_in_with("google", ADA.sub)
    assert (page.status_code, page.url.path, heading(page)) == (200, "/", "Overview")
    user = User.objects.get()
    assert (user.email, user.name, user.has_usable_password()) == ("ada@gmail.com", "Ada Example", False)
    assert user.organizations.get().name == "Ada's organization"
    assert EmailAddress.objects.get(user=user, primary=True, verified=True).email == "ada@gmail.com"
    assert not SocialToken.objects.exists()


def test_who_comes_again_is_the_same_person_even_with_another_address(
    google: Google, visitor: Visitor
) -> None:
    google.has(ADA)
    visitor.sign_in_with("google", ADA.sub)
    visitor.sign_out()
    assert not visitor.is_signed_in()
    google.has(GoogleAccount(ADA.sub, "ada.new@gmail.com", ADA.name))
    assert heading(visitor.sign_in_with("google", ADA.sub)) == "Overview"
    assert User.objects.get().email == "ada@gmail.com"
    assert Organization.objects.count() == 1


@pytest.mark.parametrize(
    "account",
    [
        GoogleAccount("1", "pat@gmail.com", "Pat"),
        GoogleAccount("1", "pat@work.example", "Pat", True, "work.example"),
    ],
    ids=["gmail", "workspace"],
)
def test_google_opens_the_account_of_a_mailbox_that_google_runs(
    google: Google, visitor: Visitor, site: Server, account: GoogleAccount
) -> None:
    user = make_user(account.email)
    google.has(account)
    assert heading(visitor.sign_in_with("google", "1")) == "Overview"
    assert SocialAccount.objects.get().user == user
    assert Organization.objects.get().name == "Before"
    user.refresh_from_db()
    assert (user.name, user.check_password(PASSWORD)) == ("Password", True)
    assert Mailbox(site.folder / "mail").newest_to(account.email, "^Subject: Google is connected")


@pytest.mark.parametrize(
    ("account", "is_verified"),
    [
        (GoogleAccount("1", "pat@elsewhere.example", "Pat"), True),
        (GoogleAccount("1", "pat@gmail.com", "Pat"), False),
    ],
    ids=["a mailbox elsewhere", "an address that the account has not verified"],
)
def test_google_opens_no_other_account(
    google: Google, visitor: Visitor, account: GoogleAccount, is_verified: bool
) -> None:
    user = make_user(account.email, is_verified=is_verified)
    google.has(account)
    page = visitor.sign_in_with("google", "1")
    assert (page.status_code, heading(page)) == (409, "You have an account already")
    assert not visitor.is_signed_in()
    assert not SocialAccount.objects.exists()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_an_address_that_google_has_not_verified_is_none(google: Google, visitor: Visitor) -> None:
    google.has(GoogleAccount("1", "new@gmail.com", "New", is_verified=False))
    page = visitor.sign_in_with("google", "1")
    assert (page.status_code, heading(page)) == (403, "Google knows no verified address of yours")
    assert not User.objects.exists()


def test_who_is_suspended_reads_so(google: Google, visitor: Visitor) -> None:
    google.has(ADA)
    visitor.sign_in_with("google", ADA.sub)
    set_active(user=User.objects.get(), active=False)
    assert not visitor.is_signed_in()
    page = visitor.sign_in_with("google", ADA.sub)
    assert (page.status_code, heading(page)) == (200, "This account is closed")
    assert not visitor.is_signed_in()


def test_connecting_and_disconnecting_in_settings(google: Google, visitor: Visitor, pat: User) -> None:
    """Also for an address of which Google's word alone opens nothing."""
    google.has(GoogleAccount("1", "other@private.example", "Pat"))
    visitor.sign_in(pat.email, PASSWORD)
    assert "Connect an account" in visitor.get("/settings").text
    page = visitor.sign_in_with("google", "1", process="connect")
    assert heading(page) == "Ways to sign in"
    assert "other@private.example" in page.text
    visitor.sign_out()
    assert heading(visitor.sign_in_with("google", "1")) == "Overview"
    account = SocialAccount.objects.get(user=pat)
    visitor.submit("/accounts/3rdparty/", account=str(account.pk))
    assert not SocialAccount.objects.exists()


def test_the_last_way_in_is_kept_until_there_is_a_password(google: Google, visitor: Visitor) -> None:
    google.has(ADA)
    visitor.sign_in_with("google", ADA.sub)
    account = str(SocialAccount.objects.get().pk)
    page = visitor.submit("/accounts/3rdparty/", account=account)
    assert "Your account has no password set up." in page.text
    assert heading(visitor.get("/accounts/password/change/")) == "Choose a password"
    visitor.submit(
        "/accounts/password/set/", password1="nine bright lanterns", password2="nine bright lanterns"
    )
    assert visitor.is_signed_in()
    visitor.submit("/accounts/3rdparty/", account=account)
    assert not SocialAccount.objects.exists()


def test_a_token_that_google_did_not_sign_is_refused(google: Google, visitor: Visitor) -> None:
    """allauth's one-tap door takes an id token from the browser, so here the signature is all there is."""
    google.has(ADA)
    forged = {
        "another key": google.id_token(ADA.sub, key=make_key()),
        "another audience": google.id_token(ADA.sub, aud="somebody else"),
        "another issuer": google.id_token(ADA.sub, iss="https://evil.example"),
        "too late": google.id_token(ADA.sub, exp=1),
    }
    for why, token in forged.items():
        page = hand_over(visitor, token)
        assert (page.status_code, heading(page)) == (401, "Sign-in with Google did not work"), why
    assert not User.objects.exists()
    genuine = google.id_token(ADA.sub)
    assert heading(hand_over(visitor, genuine)) == "Overview"
    visitor.sign_out()
    assert hand_over(visitor, genuine).status_code == 401  # works once


def hand_over(visitor: Visitor, credential: str) -> httpx.Response:
    visitor.cookies.set("g_csrf_token", "double", domain="127.0.0.1")
    form = {"credential": credential, "g_csrf_token": "double"}
    return visitor.post("/accounts/google/login/token/", data=form)
