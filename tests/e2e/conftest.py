"""A real Chromium against the real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.platform import Server, until

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django takes for a reason to refuse the ORM.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page on the console that fails its test for any error in the browser's own log."""
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    yield opened
    context.close()
    assert complaints == []


class Mailbox:
    """What the platform sent, as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest_to(self, address: str, pattern: str = "") -> str:
        """The newest mail to an address in which the pattern occurs, once there is one."""

        def find() -> str:
            mails = sorted(self._folder.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
            texts = (mail.read_text() for mail in mails)
            return next((t for t in texts if f"To: {address}" in t and re.search(pattern, t, re.M)), "")

        return until(find, what="the mail")

    def code_for(self, address: str) -> str:
        """The newest verification code sent to an address."""
        pattern = r"^ +([A-Z0-9-]{6,12})$"
        code = re.search(pattern, self.newest_to(address, pattern), re.MULTILINE)
        assert code
        return code[1]


@pytest.fixture
def mailbox(server: Server) -> Mailbox:
    return Mailbox(server.folder / "mail")
