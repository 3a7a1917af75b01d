"""Sign-in with an OpenID Connect provider: who comes in as whom, and what of its word is not believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken

from apps.accounts.models import Organization, User
from tests.accounts.signing_in.people import make_user
from tests.accounts.signing_in.visitor import Visitor, heading
from tests.cast import PASSWORD
from tests.e2e.conftest import Mailbox
from tests.fakes.google import make_key
from tests.fakes.oauth import Answer, as_json
from tests.fakes.openid import DISCOVERY, KEYS, TOKEN, USERINFO, Faults, OpenID, OpenIDAccount
from tests.platform import Server

ADA = OpenIDAccount("ada-1001", "Ada@work.example", "Ada Example")
NONSENSE: list[Answer] = [
    (500, {}, "down"),
    (302, {"Location": "https://evil.example/"}, ""),
    (200, {"Content-Type": "text/html"}, "<h1>Maintenance</h1>"),
    (200, {"Content-Type": "application/json"}, '["access_token", "id_token"]'),
    (200, {}, "[" * 100_000),
    (200, {}, " " * 1_000_001),
    (200, {}, "{}"),
]
NONSENSE_IDS = ["500", "a redirect", "a page", "a list", "very deep", "very long", "nothing"]


def did_not_work(visitor: Visitor, person: str = ADA.sub) -> None:
    """A page of ours says so, and nobody is signed in."""
    page = visitor.sign_in_with("openid", person)
    assert (page.status_code, heading(page)) == (401, "Sign-in with OpenID did not work")
    assert not visitor.is_signed_in()
    assert not User.objects.exists()


def reason(site: Server) -> str:
    """What the log tells the operator of the latest refusal."""
    return [line for line in site.log().splitlines() if "sign-in refused" in line][-1]


@pytest.mark.parametrize("secret_in", ["client_secret_basic", "client_secret_post"])
def test_a_newcomer_lands_on_overview_and_comes_again(
    openid: OpenID, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, secret_in: str
) -> None:
    monkeypatch.setattr(openid, "secret_in", secret_in)
    openid.has(ADA)
    page = visitor.sign_in_with("openid", ADA.sub)
    assert (page.status_code, page.url.path, heading(page)) == (200, "/", "Overview")
    user = User.objects.get()
    assert (user.email, user.name, user.has_usable_password()) == ("ada@work.example", "Ada Example", False)
    assert user.organizations.get().name == "Ada's organization"
    assert EmailAddress.objects.get(user=user, primary=True, verified=True).email == "ada@work.example"
    assert not SocialToken.objects.exists()
    visitor.sign_out()
    openid.has(OpenIDAccount(ADA.sub, "ada.new@work.example", ADA.name))
    assert heading(visitor.sign_in_with("openid", ADA.sub)) == "Overview"
    assert User.objects.get().email == "ada@work.example"
    assert Organization.objects.count() == 1


def test_a_contributor_needs_no_organization(openid: OpenID, visitor: Visitor) -> None:
    openid.has(ADA)
    page = visitor.sign_in_with("openid", ADA.sub, next="/contribute")
    assert (page.url.path, heading(page)) == ("/contribute", "Lend your voice")
    assert not Organization.objects.exists()


@pytest.mark.parametrize(
    "faults",
    [
        Faults(document={"userinfo_endpoint": None}),
        Faults(id_token={"email": None, "email_verified": None, "name": None}),
        Faults(userinfo={"email": None, "email_verified": None, "name": None}),
        Faults(id_token={"email": "other@work.example", "email_verified": False}),
        Faults(userinfo={"email_verified": "true"}),
        Faults(key={"alg": None, "use": None}),
        Faults(document={"token_endpoint_auth_methods_supported": None}),
        Faults(document={"token_endpoint_auth_methods_supported": ["client_secret_basic", "tls"]}),
    ],
    ids=[
        "no userinfo",
        "a thin token",
        "thin userinfo",
        "userinfo knows better",
        "a text that is true",
        "a bare key",
        "no word of how to authenticate",
        "several ways to authenticate",
    ],
)
def test_ways_that_providers_differ_in(openid: OpenID, visitor: Visitor, faults: Faults) -> None:
    openid.has(ADA)
    openid.faults = faults
    assert heading(visitor.sign_in_with("openid", ADA.sub)) == "Overview"
    assert (User.objects.get().email, User.objects.get().name) == ("ada@work.example", "Ada Example")


def test_an_address_of_authorization_with_a_query(openid: OpenID, visitor: Visitor) -> None:
    openid.faults.document["authorization_endpoint"] = f"{openid.url}/authorize?p=flow"
    visitor.follow_redirects = False
    answer = visitor.submit("/accounts/openid/login/")
    assert answer.headers["Location"].startswith(f"{openid.url}/authorize?p=flow&client_id=")


@pytest.mark.parametrize("claim", [False, None, "false", 1, "yes", ["true"]])
def test_an_address_that_is_not_verified_is_none(openid: OpenID, visitor: Visitor, claim: Any) -> None:
    openid.has(ADA)
    openid.faults = Faults(userinfo={"email_verified": claim}, id_token={"email": "ada@id.example"})
    page = visitor.sign_in_with("openid", ADA.sub)
    assert (page.status_code, heading(page)) == (403, "OpenID knows no verified address of yours")
    assert not visitor.is_signed_in()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "address", [None, "", "no address", 7, {"of": "ada@work.example"}, "a\0@work.example\n"]
)
def test_what_is_no_address_is_none(openid: OpenID, visitor: Visitor, address: Any) -> None:
    openid.has(OpenIDAccount("1", "", "New"))
    openid.faults = Faults(userinfo={"email": address}, id_token={"email": address})
    if isinstance(address, str) and "@" in address:
        assert heading(visitor.sign_in_with("openid", "1")) == "Overview"
        assert User.objects.get().email == "a@work.example"
    else:
        assert visitor.sign_in_with("openid", "1").status_code == 403
        assert not User.objects.exists()


@pytest.mark.parametrize("name", [None, 5, {"first": "Ada"}, "Ada\0\nExample", "x" * 5_000, "\ud800"])
def test_a_name_of_any_shape(openid: OpenID, visitor: Visitor, name: Any) -> None:
    openid.has(ADA)
    openid.faults = Faults(userinfo={"name": name}, id_token={"name": None})
    assert heading(visitor.sign_in_with("openid", ADA.sub)) == "Overview"
    assert User.objects.get().name in ("", "AdaExample", "x" * 120)


@pytest.mark.parametrize(
    ("is_verified", "status"), [(True, 409), (False, 403)], ids=["verified", "not verified"]
)
def test_it_takes_over_no_account(openid: OpenID, visitor: Visitor, is_verified: bool, status: int) -> None:
    """Whichever address it vouches for: it does not run the mailbox, as far as anybody knows."""
    user = make_user("owner@gmail.com")
    openid.has(OpenIDAccount("taker", "owner@gmail.com", "Taker", is_verified))
    openid.faults = Faults(userinfo={"hd": "gmail.com"}, id_token={"hd": "gmail.com"})
    assert visitor.sign_in_with("openid", "taker").status_code == status
    assert not visitor.is_signed_in()
    assert not SocialAccount.objects.exists()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_connecting_and_disconnecting_in_settings(
    openid: OpenID, visitor: Visitor, pat: User, site: Server
) -> None:
    openid.has(OpenIDAccount("pat", pat.email, "Pat"))
    visitor.sign_in(pat.email, PASSWORD)
    page = visitor.sign_in_with("openid", "pat", process="connect")
    assert heading(page) == "Ways to sign in"
    assert Mailbox(site.folder / "mail").newest_to(pat.email, "^Subject: OpenID is connected")
    visitor.sign_out()
    assert heading(visitor.sign_in_with("openid", "pat")) == "Overview"
    account = SocialAccount.objects.get(user=pat)
    visitor.submit("/accounts/3rdparty/", account=str(account.pk))
    assert not SocialAccount.objects.exists()


def test_a_subject_of_another_issuer_is_somebody_else(openid: OpenID, visitor: Visitor, pat: User) -> None:
    """One was set up before; its accounts stay where they are, and open nothing."""
    SocialAccount.objects.create(user=pat, provider="openid", uid=ADA.sub)
    openid.has(ADA)
    visitor.sign_in_with("openid", ADA.sub)
    assert SocialAccount.objects.exclude(uid=ADA.sub).get().user != pat


# ---- what is not believed ----------------------------------------------------------------------------
TOKENS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody else"},
    "no audience": {"aud": None},
    "another party": {"azp": "somebody else"},
    "expired": {"exp": 1},
    "no end": {"exp": None},
    "an end that is none": {"exp": "soon"},
    "an endless end": {"exp": float("inf")},
    "of the future": {"iat": int(time.time()) + 3600, "nbf": int(time.time()) + 3600},
    "no nonce": {"nonce": None},
    "another nonce": {"nonce": "n" * 64},
    "a nonce that is none": {"nonce": ["n"]},
    "nobody": {"sub": ""},
    "no subject": {"sub": None},
    "a number": {"sub": 5},
    "a subject with NUL": {"sub": "ada\0"},
    "a subject that is no text": {"sub": "\ud800"},
    "a very long subject": {"sub": "x" * 256},
}


@pytest.mark.parametrize("claims", TOKENS.values(), ids=TOKENS.keys())
def test_a_token_that_is_not_for_this_sign_in(
    openid: OpenID, visitor: Visitor, claims: dict[str, Any]
) -> None:
    openid.has(ADA)
    openid.faults = Faults(id_token=claims, document={"userinfo_endpoint": None})
    did_not_work(visitor)


def test_several_audiences_need_to_say_who_asked(openid: OpenID, visitor: Visitor) -> None:
    openid.has(ADA)
    both = [openid.client_id, "somebody else"]
    openid.faults.id_token = {"aud": both}
    did_not_work(visitor)
    openid.faults.id_token = {"aud": both, "azp": openid.client_id}
    assert heading(visitor.sign_in_with("openid", ADA.sub)) == "Overview"


def _by_the_secret(openid: OpenID) -> Callable[[dict[str, Any]], str]:
    return lambda claims: jwt.encode(claims, openid.client_secret, "HS256", {"kid": "first"})


FORGERIES: dict[str, Callable[[OpenID], Callable[[dict[str, Any]], str]]] = {
    "another key": lambda openid: lambda claims: openid.signed(claims, key=make_key()),
    "an unknown key": lambda openid: lambda claims: openid.signed(claims, kid="second"),
    "no signature": lambda _: lambda claims: jwt.encode(claims, "", "none", {"kid": "first"}),
    "the client's secret": _by_the_secret,
    "cut off": lambda openid: lambda claims: openid.signed(claims)[:-10],
    "no token": lambda _: lambda _claims: "rubbish",
    "dots": lambda _: lambda _claims: "..",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_token_that_the_issuer_did_not_sign(
    openid: OpenID, visitor: Visitor, forge: Callable[[OpenID], Callable[[dict[str, Any]], str]]
) -> None:
    openid.has(ADA)
    openid.faults.sign = forge(openid)
    did_not_work(visitor)


KEY_FAULTS: list[dict[str, Any]] = [
    {"kty": None},
    {"kty": "oct", "k": "c2VjcmV0"},
    {"use": "enc"},
    {"alg": "PS256"},
    {"alg": ["RS256"]},
    {"n": "!"},
    {"n": 7, "e": None},
    {"kid": "second"},
]


@pytest.mark.parametrize("key", KEY_FAULTS, ids=str)
def test_a_key_that_proves_nothing(openid: OpenID, visitor: Visitor, key: dict[str, Any]) -> None:
    openid.has(ADA)
    openid.faults.key = key
    did_not_work(visitor)


@pytest.mark.parametrize("answer", NONSENSE, ids=NONSENSE_IDS)
@pytest.mark.parametrize("path", [TOKEN, KEYS, USERINFO])
def test_nonsense_after_consent(openid: OpenID, visitor: Visitor, path: str, answer: Answer) -> None:
    openid.has(ADA)
    openid.faults.answers = {path: answer}
    did_not_work(visitor)


@pytest.mark.parametrize(
    "token",
    [
        {"id_token": None},
        {"id_token": 5},
        {"access_token": "é\n"},
        {"token_type": "mac"},
        {"token_type": None},
    ],
    ids=str,
)
def test_an_answer_without_what_was_asked_for(
    openid: OpenID, visitor: Visitor, token: dict[str, Any]
) -> None:
    openid.has(ADA)
    openid.faults.token = token
    did_not_work(visitor)


@pytest.mark.parametrize("sub", [None, "somebody else"])
def test_userinfo_of_somebody_else(openid: OpenID, visitor: Visitor, sub: str | None) -> None:
    openid.has(ADA)
    openid.faults.userinfo = {"sub": sub}
    did_not_work(visitor)


DOCUMENTS: list[dict[str, Any]] = [
    {"issuer": "https://evil.example"},
    {"issuer": None},
    {"issuer": 5},
    {"authorization_endpoint": None},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": "https://elsewhere.example/authorize"},
    {"token_endpoint": 7},
    {"token_endpoint": "ftp://127.0.0.1/token"},
    {"token_endpoint": "http://[::1/token"},
    {"jwks_uri": "/keys"},
    {"userinfo_endpoint": ""},
]


@pytest.mark.parametrize(
    "faults",
    [
        *(Faults(answers={DISCOVERY: answer}) for answer in NONSENSE),
        *(Faults(document=changes) for changes in DOCUMENTS),
    ],
    ids=[*NONSENSE_IDS, *map(str, DOCUMENTS)],
)
def test_a_discovery_that_is_none(openid: OpenID, visitor: Visitor, faults: Faults) -> None:
    """Before people are sent there, and when they come back."""
    openid.has(ADA)
    page = visitor.start("openid")
    openid.faults = faults
    answers = [visitor.submit("/accounts/openid/login/")]
    if "authorization_endpoint" not in faults.document:
        answers.append(visitor.choose(page, ADA.sub))
    for answer in answers:
        assert (answer.status_code, heading(answer)) == (401, "Sign-in with OpenID did not work")
    assert not User.objects.exists()


def test_a_redirect_is_not_followed(openid: OpenID, visitor: Visitor) -> None:
    moved = (302, {"Location": "/moved"}, "")
    openid.faults.answers = {DISCOVERY: moved, "/moved": as_json(openid.document())}
    assert visitor.submit("/accounts/openid/login/").status_code == 401


def test_an_answer_without_end_is_not_read_to_it(openid: OpenID, visitor: Visitor) -> None:
    openid.faults.answers = {DISCOVERY: as_json(openid.document() | {"more": "x" * 1_000_000})}
    assert visitor.submit("/accounts/openid/login/").status_code == 401


def test_the_log_says_why(openid: OpenID, visitor: Visitor, site: Server) -> None:
    openid.faults.document = {"authorization_endpoint": "https://elsewhere.example/authorize"}
    visitor.submit("/accounts/openid/login/")
    assert "https://elsewhere.example, which OPENID_ORIGINS does not name" in reason(site)
    openid.faults = Faults(answers={DISCOVERY: as_json({"error": "gone"}, 503)})
    visitor.submit("/accounts/openid/login/")
    assert "answers 503" in reason(site)
