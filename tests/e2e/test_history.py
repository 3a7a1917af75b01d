"""The history in a browser: turned on, filled, searched, heard, spoken again, deleted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from apps.deployments.models import Worker
from apps.tts.models import HistoryItem
from tests.e2e.signed_in import sign_in
from tests.platform import Tenant, until

pytestmark = pytest.mark.browser


def choose_days(page: Page, label: str) -> None:
    page.goto("/settings")
    page.get_by_label("Keep text and audio of requests").select_option(label)
    page.get_by_role("button", name="Save history").click()


def hear(page: Page, text: str) -> float:
    """Plays a clip; answers how long the browser takes it to be, in seconds."""
    player = page.get_by_role("group", name=text, exact=True)
    player.get_by_role("button", name="Play").click()
    expect(player.locator("[data-time]")).to_have_text(re.compile(r"^0:0\d\.\d / 0:0\d\.\d$"))
    return float(player.locator("audio").evaluate("audio => audio.duration"))


OTHER_FORMATS = [pytest.param(name, marks=pytest.mark.slow) for name in ("opus", "flac", "mulaw")]


@pytest.mark.parametrize("format", ["wav", "mp3", *OTHER_FORMATS])
def test_every_format_is_played(page: Page, acme: Tenant, cpu: Worker, format: str) -> None:
    sign_in(page, acme)
    choose_days(page, "For 7 days")
    assert acme.generate("One short sentence to hear.", format=format).status_code == 200
    until(HistoryItem.objects.exists, what="the history")
    page.goto("/history")
    assert 1 < hear(page, "One short sentence to hear.") < 5


def test_from_the_first_request_to_the_last_deletion(page: Page, acme: Tenant, cpu: Worker) -> None:
    sign_in(page, acme)
    page.goto("/history")
    expect(page.get_by_text("History is off")).to_be_visible()
    page.get_by_role("link", name="Turn on history").click()
    choose_days(page, "For 30 days")
    expect(page.get_by_text("Requests are kept from now on, for 30 days.")).to_be_visible()

    for text in ("The first chapter.", "A second chapter.", "Something else."):
        assert acme.generate(text, speed=1.25).status_code == 200
    until(lambda: HistoryItem.objects.count() == 3, what="the history")
    page.goto("/history")
    expect(page.locator(".clip")).to_have_count(3)
    page.get_by_label("Search texts").fill("chap")
    page.get_by_label("Search texts").press("Enter")
    expect(page.locator(".clip")).to_have_count(2)
    assert hear(page, "A second chapter.") > 0.5

    page.get_by_role("link", name="A second chapter.").click()
    expect(page.get_by_role("heading", name="Text")).to_be_visible()
    assert hear(page, "Player") > 0.5
    page.get_by_role("link", name="Speak again").click()
    expect(page.get_by_label("Text")).to_have_value("A second chapter.")
    expect(page.get_by_label("Speed")).to_have_value("1.25")
    page.get_by_role("button", name=re.compile("Generate")).click()
    until(lambda: HistoryItem.objects.count() == 4, what="the history")

    page.goto("/history?q=second")
    expect(page.locator(".clip")).to_have_count(2)
    page.get_by_role("link", name="A second chapter.").last.click()
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete request").click()
    expect(page.get_by_text("The request is deleted")).to_be_visible()
    expect(page.locator(".clip")).to_have_count(3)

    page.get_by_role("link", name="Delete all").click()
    button = page.get_by_role("button", name="Delete all")
    expect(button).to_be_disabled()
    page.get_by_label("Type Acme to confirm").fill("Acme")
    button.click()
    expect(page.get_by_text("Nothing kept yet")).to_be_visible()
