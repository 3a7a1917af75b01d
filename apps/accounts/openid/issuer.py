"""What we ask the issuer, and what of its answers is believed (OpenID Connect Core and Discovery 1.0)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote_plus, urlsplit

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error

DISCOVERY_PATH = "/.well-known/openid-configuration"
MAX_ANSWER_BYTES = 1_000_000


class OpenIDError(OAuth2Error):  # type: ignore[misc]
    """The issuer is away or said something that is not believed; the message is for the operator's log."""


@dataclass(frozen=True)
class Client:
    """Who we are to the issuer."""

    id: str
    secret: str

    def as_form(self) -> dict[str, str]:
        return {"client_id": self.id, "client_secret": self.secret}

    def as_header(self) -> tuple[str, str]:
        """RFC 6749, 2.3.1: both are encoded first, so that an id may have a colon."""
        return quote_plus(self.id), quote_plus(self.secret)


@dataclass(frozen=True)
class Issuer:
    """Its name as ID tokens have it, and where it answers; not all have a `userinfo_url`."""

    name: str
    authorize_url: str
    token_url: str
    keys_url: str
    userinfo_url: str
    takes_secret_in_form: bool

    @classmethod
    def discover(cls, url: str) -> Self:
        document = _ask("GET", url + DISCOVERY_PATH)
        name = document.get("issuer")
        if not isinstance(name, str) or name.rstrip("/") != url:
            raise OpenIDError(f"{url} calls itself {name!r:.200}")
        has_userinfo = "userinfo_endpoint" in document
        return cls(
            name=name,
            authorize_url=_endpoint(document, "authorization_endpoint", url),
            token_url=_endpoint(document, "token_endpoint", url),
            keys_url=_endpoint(document, "jwks_uri", url),
            userinfo_url=_endpoint(document, "userinfo_endpoint", url) if has_userinfo else "",
            takes_secret_in_form="client_secret_post" in _methods(document),
        )

    def exchange(self, client: Client, *, code: str, verifier: str, redirect_uri: str) -> tuple[str, str]:
        """The access token and the ID token that a code stands for."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        if self.takes_secret_in_form:
            answer = _ask("POST", self.token_url, data=form | client.as_form())
        else:
            answer = _ask("POST", self.token_url, data=form, auth=client.as_header())
        if str(answer.get("token_type")).lower() != "bearer":
            raise OpenIDError(f"tokens of the type {answer.get('token_type')!r:.40}")
        return _token(answer, "access_token"), _token(answer, "id_token")

    def keys(self) -> list[Any]:
        keys = _ask("GET", self.keys_url).get("keys")
        if not isinstance(keys, list):
            raise OpenIDError(f"no keys at {self.keys_url}")
        return keys

    def userinfo(self, access_token: str) -> dict[str, Any]:
        return _ask("GET", self.userinfo_url, headers={"Authorization": f"Bearer {access_token}"})


def _ask(method: str, url: str, **options: Any) -> dict[str, Any]:
    """Its answer. Redirects are not followed: they could lead to where nobody vouches for what is said."""
    options = {"allow_redirects": False, "stream": True, **options}
    try:
        with (
            get_adapter().get_requests_session() as session,
            session.request(method, url, **options) as response,
        ):
            body = _body(response)
    except (requests.RequestException, UnicodeError) as error:
        raise OpenIDError(f"{url} is not to be had: {type(error).__name__}") from error
    if response.status_code != 200:
        raise OpenIDError(f"{url} answers {response.status_code}: {body[:200]!r}")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise OpenIDError(f"{url} answers something that is no JSON object")
    return answer


def _body(response: requests.Response) -> bytes:
    body = b""
    for part in response.iter_content(65_536):
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise OpenIDError(f"{response.url} answers with more than {MAX_ANSWER_BYTES} bytes")
    return body


def _endpoint(document: dict[str, Any], name: str, issuer: str) -> str:
    """What is asked by https is not sent on to plain http."""
    url = document.get(name)
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        parts = urlsplit("")
    if not parts.netloc or parts.scheme not in {"https", urlsplit(issuer).scheme}:
        raise OpenIDError(f"{name} is {url!r:.200}")
    return parts.geturl()


def _methods(document: dict[str, Any]) -> list[Any]:
    """How the client may say who it is; Discovery 1.0 has a default for where nothing is said."""
    methods = document.get("token_endpoint_auth_methods_supported")
    return methods if isinstance(methods, list) else ["client_secret_basic"]


def _token(answer: dict[str, Any], name: str) -> str:
    token = answer.get(name)
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise OpenIDError(f"no {name}")
    return token
