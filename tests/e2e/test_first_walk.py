"""The first walk of a newcomer: sign up, make a key, hear the playground, call the API, see it counted."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from playwright.sync_api import Page, expect

from apps.deployments.models import Worker
from tests.e2e.conftest import Mailbox
from tests.platform import Server, until

EMAIL = "newcomer@example.com"
PASSWORD = "nine bright lanterns"

pytestmark = pytest.mark.browser


def sign_up(page: Page, mailbox: Mailbox) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("Your name").fill("New Comer")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Organization").fill("Lantern Works")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Confirm your email")).to_be_visible()
    page.get_by_label("Code").fill(mailbox.code_for(EMAIL))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def make_key(page: Page) -> str:
    page.goto("/keys")
    expect(page.get_by_text("No keys yet")).to_be_visible()
    page.get_by_role("link", name="Create key").first.click()
    page.get_by_label("Name").fill("First program")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("heading", name="Your new key")).to_be_visible()
    key = re.search(r"vf_live_[0-9A-Za-z]{36}", page.locator("#new-key").inner_html())
    assert key
    return key[0]


def speak_in_the_playground(page: Page) -> float:
    """Answers the duration that the audio element reports, in seconds."""
    page.goto("/playground")
    page.get_by_label("Text").fill("Two sentences to hear. The second one follows the first.")
    page.get_by_role("button", name=re.compile("Generate")).click()
    duration = page.wait_for_function(
        """() => {
            const audio = document.querySelector("audio");
            return audio && isFinite(audio.duration) && audio.duration > 0 ? audio.duration : false;
        }""",
        timeout=20_000,
    ).json_value()
    expect(page.locator("[data-time-of=first]")).to_have_text(re.compile(r"\d+\s*m?s"))
    return float(duration)


def test_from_sign_up_to_a_revoked_key(page: Page, server: Server, cpu: Worker, mailbox: Mailbox) -> None:
    sign_up(page, mailbox)
    key = make_key(page)
    assert key not in page.goto("/keys").text()  # type: ignore[union-attr]

    assert 2 < speak_in_the_playground(page) < 10

    headers = {"X-API-Key": key, "X-Request-Id": "first-walk-0001"}
    response = httpx.post(f"{server.url}/generate", json={"text": "Hello there."}, headers=headers)
    assert response.status_code == 200
    assert response.content[:4] == b"RIFF"

    def is_listed() -> bool:
        page.goto("/usage?tab=requests")
        return "first-walk-0001" in page.locator("main").inner_html()

    until(is_listed, what="the request on Usage")
    page.goto("/")
    expect(page.get_by_text("Speech is ready")).to_be_visible()
    expect(page.locator("main")).to_contain_text("First program")

    page.goto("/keys")
    page.get_by_role("link", name="Revoke First program").click()
    page.get_by_label("Type First program to confirm").fill("First program")
    page.get_by_role("button", name="Revoke key").click()
    page.wait_for_url("**/keys")
    revoked_at = time.monotonic()
    status = httpx.post(f"{server.url}/generate", json={"text": "Hi."}, headers=headers).status_code
    assert time.monotonic() - revoked_at < 1
    assert status == 401
    expect(page.locator("main")).to_contain_text("Revoked")
