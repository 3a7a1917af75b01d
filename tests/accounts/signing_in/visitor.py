"""A browser without scripts: keeps cookies, follows redirects, presses buttons."""

from __future__ import annotations

import html
import itertools
import re
from typing import Any

import httpx

_addresses = (f"192.0.2.{number}" for number in itertools.cycle(range(1, 255)))


class Visitor(httpx.Client):
    """Comes from an address of its own, as the proxy says, so that limits by address keep tests apart."""

    def __init__(self, url: str) -> None:
        self.address = next(_addresses)
        headers = {"X-Forwarded-For": self.address}
        super().__init__(base_url=url, headers=headers, follow_redirects=True, timeout=20)

    def token(self) -> str:
        """Of the form that whoever is signed out gets to see, or anybody else."""
        page = self.get("/accounts/login/").text
        if "csrfmiddlewaretoken" not in page:
            page = self.get("/settings").text
        return _hidden(page, "csrfmiddlewaretoken")

    def submit(self, path: str, **fields: Any) -> httpx.Response:
        return self.post(path, data={"csrfmiddlewaretoken": self.token(), **fields})

    def start(self, provider: str, **query: str) -> httpx.Response:
        """The button of the sign-in page; answers the provider's page."""
        page = self.post(
            f"/accounts/{provider}/login/",
            params={"process": "login", **query},
            data={"csrfmiddlewaretoken": self.token()},
        )
        assert "Choose an account" in page.text, page.text
        return page

    def choose(self, page: httpx.Response, person: str) -> httpx.Response:
        """Consents as `person`, or to nothing where it is empty; answers where the platform leads."""
        form = {"ticket": _hidden(page.text, "ticket"), "person": person}
        return self.post(page.url.join("/choose"), data=form)

    def sign_in_with(self, provider: str, person: str, **query: str) -> httpx.Response:
        return self.choose(self.start(provider, **query), person)

    def sign_in(self, email: str, password: str, **fields: str) -> httpx.Response:
        return self.submit("/accounts/login/", login=email, password=password, **fields)

    def sign_out(self) -> httpx.Response:
        return self.submit("/accounts/logout/")

    def is_signed_in(self) -> bool:
        return self.get("/settings").url.path == "/settings"


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def heading(response: httpx.Response) -> str:
    """What the page says it is."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", response.text, re.DOTALL)
    assert found, response.text
    return html.unescape(found[1]).strip()
