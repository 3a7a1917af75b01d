"""A contributor's recording page, driven as a person does: by keys, with a microphone that hears a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, expect, sync_playwright

from apps.contributions.models import Prompt
from tests.e2e.conftest import ARGUMENTS
from tests.e2e.heard import Samples, play_into, silence

# What the microphone hears before the sentence, while the page is made ready.
LEAD_SECONDS = 6.0
# Speech was heard, and then none for a second.
HEARD = """() => {
  const level = Number(document.querySelector("[data-booth] [data-level]").getAttribute("aria-valuenow"));
  const now = performance.now();
  if (level > LOUD) window.lastHeard = now;
  return Boolean(window.lastHeard) && now - window.lastHeard > 1000;
}"""
LOUD, QUIET = -30, -50


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that is the microphone."""
    file = tmp_path_factory.mktemp("microphone") / "heard.wav"
    play_into(file, silence(60))
    return file


@pytest.fixture(scope="module")
def speaking_browser(chromium: str, heard: Path) -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        fake = [
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={heard}",
        ]
        running = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *fake])
        yield running
        running.close()


def in_thread(act: Callable[[], Any]) -> Any:
    """The database, beside the browser's own event loop in this thread."""

    def run() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


def agree(page: Page) -> None:
    """From the list of campaigns to the first look at the microphone."""
    expect(page.get_by_role("heading", name="Lend your voice")).to_be_visible()
    page.get_by_role("link", name="Begin").click()
    for box in ("train speech models", "publish recordings in a data set"):
        page.get_by_label(f"I agree to this text: {box}").check()
    page.get_by_label("I am 18 or older").check()
    page.get_by_role("button", name="Agree and continue").click()
    expect(page.get_by_role("heading", name="Check your microphone")).to_be_visible()


def open_microphone(page: Page, heard: Path, *after_lead: Samples) -> None:
    """A microphone hears its file from the beginning each time it is opened."""
    play_into(heard, silence(LEAD_SECONDS), *after_lead, silence(60))
    page.get_by_role("button", name="Turn on the microphone").click()
    begin = page.get_by_role("button", name="Begin")
    expect(begin).to_be_visible(timeout=15_000)
    begin.click()


def record(page: Page, heard: Path, text: str, speech: Samples, *, over_db: int = LOUD) -> None:
    """One sentence of the campaign; `speech`, louder than `over_db`, is what is said."""
    prompt = in_thread(lambda: Prompt.objects.get(text=text))
    page.goto(f"/contribute/campaigns/{prompt.campaign_id}/record?prompt={prompt.pk}")
    expect(page.locator("[data-sentence]")).to_have_text(text)
    open_microphone(page, heard, speech)
    page.keyboard.press("r")
    expect(page.locator("[data-recorder]")).to_have_attribute("data-phase", "recording")
    page.wait_for_function(HEARD.replace("LOUD", str(over_db)), timeout=60_000, polling=50)
    page.keyboard.press("r")
    expect(page.locator("[data-slots] [data-current]")).to_contain_text("Not sent")


def submit(page: Page, text: str, expected: str) -> None:
    """The slot of this sentence comes to say so."""
    page.keyboard.press("Enter")
    expect(page.locator(".slot", has_text=text)).to_contain_text(expected, timeout=60_000)
