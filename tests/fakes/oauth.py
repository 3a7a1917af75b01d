"""What the stand-ins of providers share: an authorization server on loopback (RFC 6749, 7636).

It is strict: anything that the real one would refuse, and anything it would not be sent, is answered with an
error and noted in `refusals`, so that a test can see that none was made.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.fakes.loopback import Handler, Loopback

Answer = tuple[int, dict[str, str], str]


class Refused(Exception):
    """What the caller did wrong, in the words of the protocol; `status` as the real server answers."""

    def __init__(self, error: str, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.error, self.status = error, status


@dataclass(frozen=True)
class Grant:
    """A request for authorization, and, once `person` is chosen, what its code stands for."""

    redirect_uri: str
    state: str
    code_challenge: str
    nonce: str = ""
    person: str = ""


@dataclass
class AuthorizationServer(Loopback):
    """One registered client; `redirect_uri` is registered by the test, once the platform has its port."""

    scopes: frozenset[str]
    client_id: str = field(default_factory=lambda: secrets.token_hex(10))
    client_secret: str = field(default_factory=lambda: secrets.token_hex(20))
    redirect_uri: str = ""
    refusals: list[str] = field(default_factory=list)
    authorize_path = ""
    token_path = ""
    asks_nonce = False

    def __post_init__(self) -> None:
        super().__init__(_Handler)
        self._pending: dict[str, Grant] = {}
        self._codes: dict[str, Grant] = {}
        self.tokens: dict[str, str] = {}

    # ---- what each real server does in its own way ----------------------------------------------------
    def people(self) -> dict[str, str]:
        """Id to label of everybody who is signed in at the provider."""
        raise NotImplementedError

    def token_answer(self, token: str, grant: Grant) -> Answer:
        raise NotImplementedError

    def api(self, path: str, authorization: str) -> Answer:
        raise NotImplementedError

    def authenticate(self, form: dict[str, str], authorization: str) -> None:
        """Takes what says who the client is out of the form."""
        given = (form.pop("client_id", ""), form.pop("client_secret", ""), authorization)
        _require(given == (self.client_id, self.client_secret, ""), "invalid_client", "another client")

    # ---- the protocol ---------------------------------------------------------------------------------
    def answer(self, method: str, target: str, authorization: str, body: str) -> Answer:
        parts = urlsplit(target)
        try:
            match method, parts.path:
                case "GET", self.authorize_path:
                    return self._ask(_once_each(parts.query))
                case "POST", "/choose":
                    return self._choose(_once_each(body))
                case "POST", self.token_path:
                    return self._exchange(_once_each(body), authorization)
                case "GET", path:
                    return self.api(path, authorization)
            raise Refused("not_found", f"{method} {parts.path} is nothing here", 404)
        except Refused as refused:
            self.refusals.append(str(refused))
            return as_json({"error": refused.error, "error_description": str(refused)}, refused.status)

    def _ask(self, asked: dict[str, str]) -> Answer:
        """The page on which a person consents or not."""
        scope = frozenset(asked.pop("scope", "").split())
        grant = Grant(
            redirect_uri=asked.pop("redirect_uri", ""),
            state=asked.pop("state", ""),
            code_challenge=asked.pop("code_challenge", ""),
            nonce=asked.pop("nonce", ""),
        )
        expected = {"client_id": self.client_id, "response_type": "code", "code_challenge_method": "S256"}
        _require(asked == expected, "invalid_request", f"sent {sorted(asked)} or a wrong value of those")
        _require(scope == self.scopes, "invalid_scope", f"asked for {sorted(scope)}")
        _require(grant.redirect_uri == self.redirect_uri, "redirect_uri_mismatch", grant.redirect_uri)
        _require(len(grant.state) >= 16, "invalid_request", "the state can be guessed")
        challenge = re.fullmatch(r"[A-Za-z0-9_-]{43}", grant.code_challenge)
        _require(challenge is not None, "invalid_request", "no S256 code challenge")
        long_enough = len(grant.nonce) >= 16 if self.asks_nonce else not grant.nonce
        _require(long_enough, "invalid_request", "a nonce that is missing, short or not asked for")
        ticket = secrets.token_hex(8)
        self._pending[ticket] = grant
        return _page(ticket, self.people())

    def _choose(self, form: dict[str, str]) -> Answer:
        grant = self._pending.pop(form["ticket"], None)
        if grant is None:
            raise Refused("invalid_request", "this page was answered before")
        if not form["person"]:
            answer = {"error": "access_denied", "state": grant.state}
        else:
            code = secrets.token_urlsafe(24)
            self._codes[code] = replace(grant, person=form["person"])
            answer = {"code": code, "state": grant.state}
        return 302, {"Location": f"{grant.redirect_uri}?{urlencode(answer)}"}, ""

    def _exchange(self, form: dict[str, str], authorization: str) -> Answer:
        """A code works once, for the client, redirect URI and verifier it was made for."""
        grant = self._codes.pop(form.pop("code", ""), None)
        if grant is None:
            raise Refused("invalid_grant", "this code is unknown or was used")
        self.authenticate(form, authorization)
        verifier = form.pop("code_verifier", "")
        expected = {"grant_type": "authorization_code", "redirect_uri": grant.redirect_uri}
        _require(form == expected, "invalid_request", f"sent {sorted(form)} or a wrong value of those")
        _require(_challenge_of(verifier) == grant.code_challenge, "invalid_grant", "wrong code verifier")
        token = secrets.token_urlsafe(24)
        self.tokens[token] = grant.person
        return self.token_answer(token, grant)

    def person_of(self, authorization: str, scheme: str) -> str:
        given, _, token = authorization.partition(" ")
        if given != scheme or token not in self.tokens:
            raise Refused("invalid_token", "the API needs a token of ours", 401)
        return self.tokens[token]


def as_json(body: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(body)


def _require(holds: bool, error: str, why: str) -> None:
    if not holds:
        raise Refused(error, why)


def _once_each(encoded: str) -> dict[str, str]:
    pairs = parse_qsl(encoded, keep_blank_values=True)
    _require(len({name for name, _ in pairs}) == len(pairs), "invalid_request", "a parameter is there twice")
    return dict(pairs)


def _challenge_of(verifier: str) -> str:
    _require(len(verifier) >= 43, "invalid_grant", "no code verifier, or one that is too short")
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _page(ticket: str, people: dict[str, str]) -> Answer:
    buttons = "".join(
        f'<button name="person" value="{html.escape(person)}">{html.escape(label)}</button>'
        for person, label in {**people, "": "Cancel"}.items()
    )
    form = f'<form method="post" action="/choose"><input type="hidden" name="ticket" value="{ticket}">'
    page = f'<!doctype html><link rel="icon" href="data:,"><h1>Choose an account</h1>{form}{buttons}</form>'
    return 200, {"Content-Type": "text/html; charset=utf-8"}, page


class _Handler(Handler[AuthorizationServer]):
    def get(self) -> None:
        self._answer("")

    def post(self) -> None:
        self._answer(self.body().decode())

    def _answer(self, body: str) -> None:
        authorization = self.headers.get("Authorization", "")
        status, headers, text = self.owner.answer(self.command, self.path, authorization, body)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())
