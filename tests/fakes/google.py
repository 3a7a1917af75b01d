"""Stands in for Google's three hosts: consent, signed id tokens, and the certificates to check them with."""

from __future__ import annotations

import datetime
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.oauth import Answer, AuthorizationServer, Grant, Refused, as_json


@dataclass(frozen=True)
class GoogleAccount:
    """`hosted_domain` is set for accounts of a Workspace."""

    sub: str
    email: str
    name: str
    is_verified: bool = True
    hosted_domain: str = ""

    def claims(self) -> dict[str, Any]:
        hosted = {"hd": self.hosted_domain} if self.hosted_domain else {}
        return {
            "sub": self.sub,
            "email": self.email,
            "email_verified": self.is_verified,
            "name": self.name,
            **hosted,
        }


@dataclass
class Google(AuthorizationServer):
    scopes: frozenset[str] = frozenset({"openid", "email", "profile"})
    accounts: dict[str, GoogleAccount] = field(default_factory=dict)
    authorize_path = "/o/oauth2/v2/auth"
    token_path = "/token"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.key = make_key()

    def has(self, account: GoogleAccount) -> None:
        self.accounts[account.sub] = account

    def people(self) -> dict[str, str]:
        return {person: account.email for person, account in self.accounts.items()}

    def id_token(self, person: str, *, key: rsa.RSAPrivateKey | None = None, **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": self.client_id,
            "azp": self.client_id,
            "iat": now,
            "exp": now + 3600,
            "jti": uuid.uuid4().hex,
            **self.accounts[person].claims(),
            **changes,
        }
        return jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": "first"})

    def token_answer(self, token: str, grant: Grant) -> Answer:
        return as_json(
            {
                "access_token": token,
                "expires_in": 3599,
                "scope": " ".join(self.scopes),
                "token_type": "Bearer",
                "id_token": self.id_token(grant.person),
            }
        )

    def api(self, path: str, authorization: str) -> Answer:
        if path == "/oauth2/v1/certs":
            return as_json({"first": certificate(self.key)})
        raise Refused("not_found", f"{path} is nothing here", 404)


def make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: rsa.RSAPrivateKey) -> str:
    """Self-signed, in PEM, as Google publishes its keys."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
