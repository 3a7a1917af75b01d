"""Stands in for an OpenID Connect provider: discovery, consent, signed ID tokens, keys and userinfo.

`faults` has it do what a real one must not, or does on a bad day.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.google import make_key
from tests.fakes.oauth import Answer, AuthorizationServer, Grant, Refused, as_json

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"
TOKEN = "/token"
USERINFO = "/userinfo"


@dataclass(frozen=True)
class OpenIDAccount:
    sub: str
    email: str
    name: str
    is_verified: bool = True

    def claims(self) -> dict[str, Any]:
        return {
            "sub": self.sub,
            "email": self.email,
            "email_verified": self.is_verified,
            "name": self.name,
        }


@dataclass
class Faults:
    """Changes go over what is true; one that is None takes a claim away."""

    answers: dict[str, Answer] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    id_token: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    key: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None


@dataclass
class OpenID(AuthorizationServer):
    """`secret_in` as the client has to authenticate: `client_secret_post` or `client_secret_basic`."""

    scopes: frozenset[str] = frozenset({"openid", "email", "profile"})
    accounts: dict[str, OpenIDAccount] = field(default_factory=dict)
    secret_in: str = "client_secret_basic"
    faults: Faults = field(default_factory=Faults)
    authorize_path = "/authorize"
    token_path = TOKEN
    asks_nonce = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.key = make_key()

    def has(self, account: OpenIDAccount) -> None:
        self.accounts[account.sub] = account

    def people(self) -> dict[str, str]:
        return {person: account.email for person, account in self.accounts.items()}

    def answer(self, method: str, target: str, authorization: str, body: str) -> Answer:
        said = super().answer(method, target, authorization, body)
        return self.faults.answers.get(target.partition("?")[0], said)

    def authenticate(self, form: dict[str, str], authorization: str) -> None:
        if self.secret_in == "client_secret_post":
            super().authenticate(form, authorization)
            return
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        if authorization != f"Basic {base64.b64encode(pair.encode()).decode()}":
            raise Refused("invalid_client", "the client does not say who it is in the header", 401)

    def token_answer(self, token: str, grant: Grant) -> Answer:
        answer = {
            "access_token": token,
            "expires_in": 300,
            "token_type": "Bearer",
            "id_token": self.id_token(grant),
        }
        return as_json(_changed(answer, self.faults.token))

    def id_token(self, grant: Grant) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": grant.nonce,
            **self.accounts[grant.person].claims(),
        }
        claims = _changed(claims, self.faults.id_token)
        return self.faults.sign(claims) if self.faults.sign else self.signed(claims)

    def signed(
        self, claims: dict[str, Any], *, key: rsa.RSAPrivateKey | None = None, kid: str = "first"
    ) -> str:
        return jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": kid})

    def api(self, path: str, authorization: str) -> Answer:
        if path == DISCOVERY:
            return as_json(_changed(self.document(), self.faults.document))
        if path == KEYS:
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            key = {**public, "kid": "first", "use": "sig", "alg": "RS256"}
            return as_json({"keys": [_changed(key, self.faults.key)]})
        if path == USERINFO:
            claims = self.accounts[self.person_of(authorization, "Bearer")].claims()
            return as_json(_changed(claims, self.faults.userinfo))
        raise Refused("not_found", f"{path} is nothing here", 404)

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": self.url + self.authorize_path,
            "token_endpoint": self.url + TOKEN,
            "jwks_uri": self.url + KEYS,
            "userinfo_endpoint": self.url + USERINFO,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": [self.secret_in],
        }


def _changed(said: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**said, **changes}.items() if value is not None}
