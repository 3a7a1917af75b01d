"""Stands in for a GitHub Enterprise Server: sign-in, and the two pages of its API that sign-in reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.fakes.oauth import Answer, AuthorizationServer, Grant, Refused, as_json


@dataclass(frozen=True)
class GitHubAccount:
    """`emails` as (address, primary, verified); `public_email` is the one on the profile, if any."""

    id: int
    login: str
    name: str | None
    emails: tuple[tuple[str, bool, bool], ...]
    public_email: str | None = None

    def profile(self) -> dict[str, Any]:
        return {"id": self.id, "login": self.login, "name": self.name, "email": self.public_email}


@dataclass
class GitHub(AuthorizationServer):
    scopes: frozenset[str] = frozenset({"user:email"})
    accounts: dict[str, GitHubAccount] = field(default_factory=dict)
    authorize_path = "/login/oauth/authorize"
    token_path = "/login/oauth/access_token"

    def has(self, account: GitHubAccount) -> None:
        self.accounts[str(account.id)] = account

    def people(self) -> dict[str, str]:
        return {person: f"Authorize {account.login}" for person, account in self.accounts.items()}

    def token_answer(self, token: str, grant: Grant) -> Answer:
        """A form, as GitHub answers who does not ask for JSON."""
        body = urlencode({"access_token": token, "scope": "user:email", "token_type": "bearer"})
        return 200, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body

    def api(self, path: str, authorization: str) -> Answer:
        account = self.accounts[self.person_of(authorization, "token")]
        if path == "/api/v3/user":
            return as_json(account.profile())
        if path == "/api/v3/user/emails":
            fields = ("email", "primary", "verified")
            return as_json([dict(zip(fields, email, strict=True)) for email in account.emails])
        raise Refused("not_found", f"{path} is nothing here", 404)
