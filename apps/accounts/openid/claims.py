"""Who somebody is, by the word of the issuer: ID tokens are checked here, and nothing is read before."""

from __future__ import annotations

import hashlib
from typing import Any

import jwt

from .issuer import Issuer, OpenIDError

# By type of key. Neither "none" nor a secret that both sides know: those prove no issuer.
ALGORITHMS = {
    "RSA": {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
    "EC": {"ES256", "ES384", "ES512"},
    "OKP": {"EdDSA"},
}
CLOCK_SKEW_SECONDS = 60
MAX_SUBJECT = 255


def nonce_of(verifier: str) -> str:
    """Bound to the session, as the code verifier is that only it knows; tells nobody the verifier."""
    return hashlib.sha256(f"nonce of {verifier}".encode()).hexdigest()


def verified(token: str, issuer: Issuer, client_id: str, *, nonce: str) -> dict[str, Any]:
    """The claims of an ID token that the issuer signed for us, now, and for this very sign-in."""
    try:
        key, algorithm = _key(jwt.get_unverified_header(token), issuer.keys())
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=client_id,
            issuer=issuer.name,
            leeway=CLOCK_SKEW_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, ArithmeticError, TypeError, ValueError) as error:
        raise OpenIDError(f"its ID token is not valid: {type(error).__name__}: {error!s:.200}") from error
    if claims.get("nonce") != nonce:
        raise OpenIDError("its ID token is of another sign-in")
    # For several audiences it has to say which of them asked.
    asked = client_id if claims["aud"] in (client_id, [client_id]) else None
    if claims.get("azp", asked) != client_id:
        raise OpenIDError("its ID token is for another client")
    subject = claims["sub"]
    if not (0 < len(subject) <= MAX_SUBJECT and subject.isascii() and subject.isprintable()):
        raise OpenIDError("its ID token names nobody")
    return claims


def person(token: dict[str, Any], userinfo: dict[str, Any] | None) -> dict[str, Any]:
    """What is kept: a few claims, each of the shape it should have.

    An address and the word that it is verified are of one source, whichever names an address.
    """
    if userinfo is None:
        userinfo = {}
    elif userinfo.get("sub") != token["sub"]:
        raise OpenIDError("its userinfo is about somebody else")
    mail = userinfo if userinfo.get("email") else token
    is_verified = mail.get("email_verified")
    return {
        "iss": token["iss"],
        "sub": token["sub"],
        "name": _printable(userinfo.get("name")) or _printable(token.get("name")),
        "email": _printable(mail.get("email")),
        "email_verified": is_verified is True or is_verified == "true",  # Amazon's Cognito says it as a text
    }


def uid_of(issuer: str, subject: str) -> str:
    """A subject is somebody beside its issuer: at one that is set up later it is somebody else."""
    return hashlib.sha256(f"{issuer.rstrip('/')} {subject}".encode()).hexdigest()


def _key(header: dict[str, Any], keys: list[Any]) -> tuple[Any, str]:
    """The key that a token says it is signed with, and how."""
    algorithm = header.get("alg")
    fitting = [
        key
        for key in keys
        if isinstance(key, dict)
        and key.get("use", "sig") == "sig"
        and algorithm in ALGORITHMS.get(str(key.get("kty")), set())
        and key.get("alg", algorithm) == algorithm
        and header.get("kid") in (None, key.get("kid"))
    ]
    if len(fitting) != 1:
        raise OpenIDError(f"{len(fitting)} of its {len(keys)} keys fit its ID token")
    return jwt.PyJWK(fitting[0], algorithm=algorithm).key, str(algorithm)


def _printable(claim: Any) -> str:
    """PostgreSQL takes no NUL, pages and mails no control characters."""
    return "".join(filter(str.isprintable, claim)).strip() if isinstance(claim, str) else ""
