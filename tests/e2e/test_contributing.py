"""A contributor in a browser whose microphone hears speech: from signing in to what becomes of each clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from playwright.sync_api import Browser, Page, expect, sync_playwright

from apps.accounts.models import User
from apps.contributions import deciding, sentences
from apps.contributions.models import Campaign, Clip, Prompt
from tests.cast import PASSWORD
from tests.contributions import collecting
from tests.e2e.clips_worker import ClipsWorker
from tests.e2e.conftest import ARGUMENTS
from tests.e2e.heard import as_flac, play_into, said, silence, with_noise
from tests.platform import Server, Tenant

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SPOKEN = (
    "The river was high after three days of rain.",
    "She left her umbrella in the kitchen.",
    "Nobody noticed the small blue door.",
    "We are going to the market on Friday.",
    "The train was late because of the snow.",
    "He bought two apples and a loaf of bread.",
)
# What the microphone hears before the sentence, while the page is made ready.
LEAD_SECONDS = 8.0


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


@pytest.fixture
def page(speaking_browser: Browser, server: Server) -> Iterator[Page]:
    context = speaking_browser.new_context(base_url=server.url, viewport={"width": 390, "height": 844})
    context.grant_permissions(["microphone"])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    yield opened
    context.close()
    assert [line for line in complaints if "net::ERR_" not in line] == []


@pytest.fixture
def worker(server: Server) -> Iterator[ClipsWorker]:
    with ClipsWorker(server) as running:
        yield running


@pytest.fixture
def campaign(acme: Tenant) -> Campaign:
    # The microphone hears nothing but the sentence: there is no room around it to be judged.
    gates = {"review_edge_over_seconds": 30.0}
    made = collecting.campaign(acme.organization, prompts=0, name="Everyday sentences", gates=gates)
    sentences.import_prompts(made, SPOKEN)
    return made


@pytest.fixture
def ada(campaign: Campaign) -> User:
    """A person without an organization."""
    user = User.objects.create_user("ada@speaker.example", PASSWORD, name="Ada")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def in_thread(act: Callable[[], Any]) -> Any:
    """The database, beside the browser's own event loop in this thread."""

    def run() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


def sign_in_and_agree(page: Page) -> None:
    page.goto("/contribute")
    page.get_by_label("Email").fill("ada@speaker.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Lend your voice")).to_be_visible()
    page.get_by_role("link", name="Begin").click()
    for box in ("train speech models", "publish recordings in a data set"):
        page.get_by_label(f"I agree to this text: {box}").check()
    page.get_by_label("I am 18 or older").check()
    page.get_by_role("button", name="Agree and continue").click()
    expect(page.get_by_role("heading", name="Check your microphone")).to_be_visible()


def open_microphone(page: Page, heard: Path, *after_lead: Any) -> None:
    """A microphone hears its file from the beginning each time it is opened."""
    play_into(heard, silence(LEAD_SECONDS), *after_lead, silence(60))
    page.get_by_role("button", name="Turn on the microphone").click()
    begin = page.get_by_role("button", name="Begin")
    expect(begin).to_be_visible(timeout=15_000)
    begin.click()


# Speech was heard, and then none for a second.
HEARD = """() => {
  const level = Number(document.querySelector("[data-booth] [data-level]").getAttribute("aria-valuenow"));
  const now = performance.now();
  if (level > -30) window.lastHeard = now;
  return Boolean(window.lastHeard) && now - window.lastHeard > 1000;
}"""


def record(
    page: Page, heard: Path, text: str, *, says: Callable[[Any], Any] = lambda samples: samples
) -> None:
    """One sentence of the campaign, as it should be said or as `says` changes it."""
    prompt = in_thread(lambda: Prompt.objects.get(text=text))
    page.goto(f"/contribute/campaigns/{prompt.campaign_id}/record?prompt={prompt.pk}")
    expect(page.locator("[data-sentence]")).to_have_text(text)
    open_microphone(page, heard, says(said(text)))
    page.keyboard.press("r")
    expect(page.locator("[data-recorder]")).to_have_attribute("data-phase", "recording")
    page.wait_for_function(HEARD, timeout=60_000, polling=50)
    page.keyboard.press("r")
    expect(page.locator("[data-slots] [data-current]")).to_contain_text("Not sent")


def submit(page: Page, text: str, expected: str) -> None:
    """The slot of this sentence comes to say so."""
    page.keyboard.press("Enter")
    expect(page.locator(".slot", has_text=text)).to_contain_text(expected, timeout=60_000)


def states() -> dict[str, int]:
    return dict(Counter(in_thread(lambda: list(Clip.objects.values_list("state", flat=True)))))


def test_from_signing_in_to_the_balance(page: Page, ada: User, worker: ClipsWorker, heard: Path) -> None:
    """One is heard before it is sent; another is rejected for its noise, and recorded again."""
    sign_in_and_agree(page)
    text, noisy = SPOKEN[:2]
    record(page, heard, text)
    page.keyboard.press("p")
    expect(page.locator("#take.playing")).to_be_visible()
    expect(page.locator("#take.playing")).to_have_count(0, timeout=30_000)
    submit(page, text, "Accepted")

    record(page, heard, noisy, says=with_noise)
    submit(page, noisy, "Rejected")
    row = page.locator(".slot", has_text=noisy)
    expect(row.locator(".slot-words")).not_to_be_empty()
    row.get_by_role("link", name="Look closer").click()
    expect(page.get_by_text("What was measured")).to_be_visible()
    page.get_by_role("link", name="Record it again").click()
    expect(page.locator("[data-sentence]")).to_have_text(noisy)
    record(page, heard, noisy)
    submit(page, noisy, "Accepted")
    assert states() == {"accepted": 2, "rejected": 1}

    page.goto("/contribute/earnings")
    earned = sum(in_thread(lambda: [clip.earned_cents for clip in Clip.objects.filter(state="accepted")]))
    assert earned > 0
    expect(page.locator(".stat", has_text="On hold")).to_contain_text(f"${earned / 100:.2f}")


def test_offline_and_back(page: Page, ada: User, worker: ClipsWorker, heard: Path) -> None:
    sign_in_and_agree(page)
    text = SPOKEN[0]
    record(page, heard, text)
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.locator("[data-uploads]")).to_contain_text("You are offline. 1 recording kept")
    expect(page.locator(".slot", has_text=text)).to_contain_text("Waiting")
    assert states() == {}
    page.context.set_offline(False)
    expect(page.locator(".slot", has_text=text)).to_contain_text("Accepted", timeout=60_000)
    expect(page.locator("[data-uploads]")).to_be_hidden()
    assert states() == {"accepted": 1}


def test_a_take_outlives_the_page(page: Page, ada: User, worker: ClipsWorker, heard: Path) -> None:
    """One that was not submitted, and one that could not be sent, are there after a reload."""
    sign_in_and_agree(page)
    draft = SPOKEN[0]
    record(page, heard, draft)
    page.reload()
    expect(page.locator(".slot", has_text=draft)).to_contain_text("Not sent")
    # The server answers nothing, then the page is closed.
    page.route("**/api/contributions/clips", lambda route: route.abort())
    page.get_by_role("button", name="Turn on the microphone").click()
    page.get_by_role("button", name="Begin").click(timeout=15_000)
    expect(page.locator("[data-sentence]")).to_have_text(draft)
    page.locator("[data-sentence]").click()
    page.keyboard.press("Enter")
    expect(page.locator("[data-uploads]")).to_contain_text("1 recording kept in this browser")
    assert states() == {}
    page.unroute("**/api/contributions/clips")
    page.goto("/contribute/clips")
    expect(page.locator(".clip", has_text=draft)).to_contain_text("Accepted", timeout=60_000)
    assert states() == {"accepted": 1}


def test_what_is_wrong_with_the_microphone_is_said(page: Page, ada: User) -> None:
    sign_in_and_agree(page)
    page.evaluate(
        """() => { navigator.mediaDevices.getUserMedia = async () => {
          throw new DOMException("no", "NotAllowedError"); }; }"""
    )
    page.get_by_role("button", name="Turn on the microphone").click()
    expect(page.get_by_role("alert")).to_contain_text("The microphone is blocked for this page.")
    page.evaluate(
        """() => { navigator.mediaDevices.getUserMedia = async () => {
          throw new DOMException("no", "NotFoundError"); }; }"""
    )
    page.get_by_role("button", name="Turn on the microphone").click()
    expect(page.get_by_role("alert")).to_contain_text("No microphone was found.")


def test_listening_to_others(page: Page, ada: User, campaign: Campaign, server: Server) -> None:
    def wait_for_listeners() -> Clip:
        other = collecting.speaker()
        collecting.agree(other, campaign)
        made = collecting.clip(other, campaign.prompts.all()[0], flac_key=f"clips/{campaign.pk}/a.flac")
        file = server.folder / "media" / made.flac_key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(as_flac(said(SPOKEN[0])))
        return made

    clip = in_thread(wait_for_listeners)
    sign_in_and_agree(page)
    page.goto("/contribute/listen")
    expect(page.get_by_text(SPOKEN[0])).to_be_visible()
    yes = page.get_by_role("button", name="Yes")
    expect(yes).to_be_disabled()
    page.keyboard.press("y")  # does nothing yet
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    page.keyboard.press("p")
    expect(yes).to_be_enabled(timeout=20_000)
    page.keyboard.press("y")
    expect(page.get_by_text("Nothing to listen to")).to_be_visible()
    assert in_thread(lambda: deciding.votes_of(clip)) == (1, 0)
