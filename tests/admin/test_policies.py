"""What the browser may load and run, by the Content-Security-Policy of each kind of page."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import ConsoleMessage, Page, Request, expect, sync_playwright

from apps.accounts.models import Organization, User
from apps.keys.services import issue_key
from tests.cast import signed_in
from tests.platform import Server


def policy(client: Client, path: str) -> dict[str, set[str]]:
    header = client.get(path).headers["Content-Security-Policy"]
    directives = (directive.split() for directive in header.split(";"))
    return {name: set(sources) for name, *sources in directives}


def test_our_own_pages_run_no_text_as_code(client: Client, db: None) -> None:
    for path in ("/accounts/login/", "/api/docs"):
        sources = policy(client, path)
        assert not {"'unsafe-inline'", "'unsafe-eval'"} & set.union(*sources.values())
        assert sources["object-src"] == sources["frame-ancestors"] == {"'none'"}


def test_admin_gives_unfold_what_it_needs_and_no_more(staff: Client) -> None:
    sources = policy(staff, "/admin/")
    assert sources["script-src"] == {"'self'", "'unsafe-eval'"}
    assert sources["style-src"] == {"'self'", "'unsafe-inline'"}
    assert sources["default-src"] == sources["connect-src"] == sources["form-action"] == {"'self'"}
    assert sources["object-src"] == sources["frame-ancestors"] == {"'none'"}


def session_of(user: User) -> str:
    return str(signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value)


def watch(page: Page, server: Server) -> list[str]:
    """Grows by what the browser complains of, and by what it asks of other hosts."""
    said: list[str] = []
    host = urlsplit(server.url).netloc

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            said.append(f"{page.url}: {message.text}")

    def on_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and parts.netloc != host:
            said.append(f"{page.url}: asked for {request.url}")

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    return said


@pytest.mark.browser
def test_the_browser_blocks_nothing(transactional_db: None, server: Server, chromium: str) -> None:
    sam = User.objects.create_superuser("sam@staff.example", name="Sam")
    organization = Organization.objects.create(name="Acme", slug="acme")
    key = issue_key(
        organization=organization, name="Server", mode="live", scopes=["speech"], created_by=sam
    ).key
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(sam), "url": server.url}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context().new_page()
        page.context.add_cookies([cookie])  # type: ignore[list-item]
        said = watch(page, server)
        page.goto(f"{server.url}/api/docs")
        page.locator(".opblock").first.wait_for()
        page.goto(f"{server.url}/admin/usage/usagerecord/")
        page.goto(f"{server.url}/admin/accounts/user/{sam.pk}/change/")
        page.goto(f"{server.url}/admin/keys/apikey/{key.pk}/change/")
        page.get_by_text("Revoke", exact=True).click()
        page.get_by_role("button", name="Revoke key").click()
        page.get_by_text("is revoked").wait_for()
        page.goto(f"{server.url}/admin/")
        as_of = page.locator("#numbers time").first.inner_text()
        expect(page.locator("#numbers time").first).not_to_have_text(as_of, timeout=15_000)
        browser.close()
    assert said == []
    key.refresh_from_db()
    assert key.revoked_at is not None
