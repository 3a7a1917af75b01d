"""Issuers that the stand-in is not: away, on https, with keys of other kinds."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt import algorithms

from apps.accounts.openid import claims, issuer
from apps.accounts.openid.issuer import Issuer, OpenIDError
from tests.fakes.google import make_key
from tests.platform import free_port

NAME = "https://login.example"
ENDPOINTS = {
    "issuer": f"{NAME}/",
    "authorization_endpoint": f"{NAME}/authorize",
    "token_endpoint": f"{NAME}/token",
    "jwks_uri": "https://keys.example/jwks",
}
KINDS: dict[str, tuple[Any, type[Any]]] = {
    "PS256": (make_key(), algorithms.RSAAlgorithm),
    "ES256": (ec.generate_private_key(ec.SECP256R1()), algorithms.ECAlgorithm),
    "ES512": (ec.generate_private_key(ec.SECP521R1()), algorithms.ECAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate(), algorithms.OKPAlgorithm),
}


class WithKeys(Issuer):
    """Whose keys are known without asking."""

    published: list[Any]

    def keys(self) -> list[Any]:
        return self.published


def issuer_with(*keys: Any) -> Issuer:
    made = WithKeys(NAME, "", "", "", "", False)
    object.__setattr__(made, "published", list(keys))
    return made


def token_of(key: Any, algorithm: str, **header: str) -> str:
    now = int(time.time())
    said = {"iss": NAME, "sub": "ada", "aud": "client", "iat": now, "exp": now + 60, "nonce": "n"}
    return jwt.encode(said, key, algorithm, header)


@pytest.mark.parametrize("algorithm", KINDS)
def test_keys_of_every_kind(algorithm: str) -> None:
    key, kind = KINDS[algorithm]
    public = kind.to_jwk(key.public_key(), as_dict=True)
    others = ["rubbish", {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "new"}, {"kty": "RSA", "use": "enc"}]
    token = token_of(key, algorithm)
    assert claims.verified(token, issuer_with(*others, public), "client", nonce="n")["sub"] == "ada"
    with pytest.raises(OpenIDError, match="2 of its 2 keys"):  # and no kid to tell them apart
        claims.verified(token, issuer_with(public, public), "client", nonce="n")
    head, _, signature = token.rpartition(".")
    forged = f"{head}.{signature[::-1]}"
    with pytest.raises(OpenIDError, match="not valid"):
        claims.verified(forged, issuer_with(public), "client", nonce="n")


def test_a_curve_that_is_not_the_algorithm_s() -> None:
    key = KINDS["ES512"][0]
    public = algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    token = token_of(KINDS["ES256"][0], "ES256")
    with pytest.raises(OpenIDError):
        claims.verified(token, issuer_with(public), "client", nonce="n")


def test_one_that_is_away() -> None:
    with pytest.raises(OpenIDError, match="is not to be had: ConnectionError"):
        Issuer.discover(f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_https_leads_to_no_plain_http(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setattr(issuer, "_ask", lambda *_: ENDPOINTS)
    found = Issuer.discover(NAME)
    assert (found.name, found.keys_url) == (f"{NAME}/", "https://keys.example/jwks")
    plain = ENDPOINTS | {endpoint: "http://login.example/plain"}
    monkeypatch.setattr(issuer, "_ask", lambda *_: plain)
    with pytest.raises(OpenIDError, match=endpoint):
        Issuer.discover(NAME)


def test_a_client_whose_id_has_a_colon() -> None:
    assert issuer.Client("urn:us", "a b").as_header() == ("urn%3Aus", "a+b")
